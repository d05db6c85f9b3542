"""Whom a decision is told to, when the next attempt is due, and what a state means.

Pure: no framework, no network, no clock of its own. Nothing here knows a protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

NO_AUTHORITY = "none"
"""The name that stands in a record that no authority is told."""

MAX_FILES = 100
"""Files in one referral, byte-identical ones counted once: the reported items' own
first. The rest is named by number in the referral's text. Ours; NCMEC sets no limit."""

FIRST_PAUSE_S = 2
LONGEST_PAUSE_S = 900
"""A quarter of an hour: an open report lives an hour after its last file (NCMEC)."""
FAILURES_COUNT_FOR_S = 3600
"""How long a failure slows us down. Each counts, also between successes, so that a
file which never arrives whole does not open a report every few seconds."""
BLOCKED_PAUSE_S = 3600
"""What needs a person is tried again each hour all the same: it may be put right on the
other side, and a child's case does not lie because nobody pressed a button here."""
DELAYED_AFTER_FAILURES = 5
"""So many failures within the hour are an alarm."""

ORIGINALS_WAIT_S = 24 * 3600
"""A referral waits this long for its originals. Then it goes with those there are, and
says what is missing: a file that the platform lost must not keep a case from being
told. (18 U.S.C. 2258A(a)(1)(A)(i): "as soon as reasonably possible".)"""
ORIGINALS_ALARM_S = 3600


@dataclass(frozen=True)
class ReadingFacts:
    """What one decisive reader wrote about referring."""

    refer: bool
    why_not: str


@dataclass(frozen=True)
class Telling:
    """Either authorities to tell, or why none is told."""

    authorities: tuple[str, ...] = ()
    declined: str = NO_AUTHORITY
    because: str = ""
    """A code: ``no_violation``, ``policy``, ``people``; blank when somebody is told."""
    why_not: str = ""


def whom_to_tell(
    outcome: str,
    category: str,
    policy_version: str,
    refer_to: Sequence[str],
    readings: Sequence[ReadingFacts],
) -> Telling:
    """What follows from a decision: exactly one of telling and a reason why not.

    One decisive reader who would tell is enough: telling is the side to err on.
    """
    own_words = " ".join(each.why_not for each in readings if each.why_not)
    one = refer_to[0] if refer_to else NO_AUTHORITY
    if outcome != "violation":
        told = "People decided that there is no violation."
        return Telling((), one, "no_violation", f"{told} {own_words}".strip())
    if not refer_to:
        told = f"Policy {policy_version} names no authority for {category}."
        return Telling((), NO_AUTHORITY, "policy", f"{told} {own_words}".strip())
    if not any(each.refer for each in readings):
        told = own_words or "People decided not to refer."
        return Telling((), one, "people", told)
    return Telling(tuple(refer_to))


def pause_s(failures: int) -> int:
    """Seconds to wait after so many failures within ``FAILURES_COUNT_FOR_S``."""
    if failures <= 0:
        return 0
    return int(min(FIRST_PAUSE_S * 2 ** min(failures - 1, 20), LONGEST_PAUSE_S))


def may_try(
    now: datetime, last_tried_at: datetime | None, failures: int, *, blocked: bool
) -> bool:
    """Whether the next request is due."""
    if last_tried_at is None:
        return True
    wait_s = BLOCKED_PAUSE_S if blocked else pause_s(failures)
    return now >= last_tried_at + timedelta(seconds=wait_s)


def is_not_filed(environment: str, state: str) -> bool:
    """What went, or would go, to a test environment is NOT FILED (promise 16)."""
    return environment == "test" and state != "declined"


def words_of(state: str, environment: str, blocked: str, *, sealed: bool) -> str:
    """What is true of a referral at this moment, for staff."""
    if state == "declined":
        return "Not referred, with a recorded reason."
    test = environment == "test"
    if state == "finished":
        if test:
            return "NOT FILED. It was sent to a test environment."
        return "Filed with the authority."
    stands = "NOT FILED. " if test else "Not filed yet. "
    if blocked:
        return stands + blocked
    if not sealed:
        return stands + "It waits for its originals to be sealed."
    where = "a test environment" if test else "the authority"
    return stands + f"It is on its way to {where}."
