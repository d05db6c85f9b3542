"""What each role may do, and how long a sign-in pauses after wrong tries.

Pure: no framework, no network, no clock of its own. The table of roles is the only
place where a role becomes permissions. A pause always ends by itself: an account that
somebody else keeps guessing at is never locked for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from holdfast.base.by import Permission


class Role(StrEnum):
    """What somebody is here for. A person can have several roles."""

    REVIEWER = "reviewer"
    SPECIALIST = "specialist"
    LEAD = "lead"
    LEGAL = "legal"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


_DESK = frozenset(
    {
        Permission.CASE_READ,
        Permission.CASE_CLAIM,
        Permission.CASE_DECIDE,
        Permission.ITEM_REVEAL,
        Permission.REPORTER_ANSWER,
        # A call or a letter, taken down in the caller's name.
        Permission.REPORT_FILE,
    }
)

# Fewest eyes (promise 8): who runs the installation, who advises and who audits it
# does not need to open an original, and cannot.
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.REVIEWER: _DESK,
    Role.SPECIALIST: _DESK | {Permission.CASE_DECIDE_AS_SPECIALIST},
    Role.LEAD: _DESK
    | {
        Permission.CASE_REOPEN,
        Permission.ITEM_THAW,
        Permission.ALARM_ACKNOWLEDGE,
        Permission.BANK_MANAGE,
        Permission.MISUSE_DECIDE,
        Permission.OVERSIGHT_READ,
    },
    Role.LEGAL: frozenset(
        {Permission.CASE_READ, Permission.MISUSE_DECIDE, Permission.OVERSIGHT_READ}
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.PLATFORM_MANAGE,
            Permission.STAFF_MANAGE,
            Permission.AUTHORITY_GO_LIVE,
            Permission.BANK_MANAGE,
            Permission.ALARM_ACKNOWLEDGE,
            Permission.OVERSIGHT_READ,
        }
    ),
    Role.AUDITOR: frozenset({Permission.CASE_READ, Permission.OVERSIGHT_READ}),
}

GUEST_PERMISSIONS = frozenset({Permission.REPORTS_FLAG})
"""What a guest may do: report for their organisation, and see what became of that.
Nothing of the console is among it."""

FREE_TRIES = 5
"""Wrong tries before the first pause; people mistype."""
FIRST_PAUSE_S = 30
LONGEST_PAUSE_S = 900
"""A quarter of an hour. At this pace somebody who has the password guesses a six-digit
code, of which three are valid, after nine years on average: 10^6 / 3 x 900 s. RFC
4226, section 7.3, asks for such a throttle."""

TOTP_STEP_S = 30
"""Seconds a code is valid for (RFC 6238, section 4.1)."""
TOTP_DRIFT_STEPS = 1
"""Steps before and after the present one that are accepted (RFC 6238, section 5.2)."""


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything that these roles allow. An unknown role allows nothing."""
    known = [Role(role) for role in roles if role in set(Role)]
    return frozenset().union(*(PERMISSIONS[role] for role in known))


_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")


def is_language_tag(text: str) -> bool:
    """Whether this is a language as BCP 47 writes it, in small letters."""
    return len(text) <= MAX_TAG and _TAG.fullmatch(text) is not None


def reads(read: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether somebody who reads these can read at least one of those.

    A region is no other language: who reads ``pt`` reads ``pt-br`` and the reverse.
    Norwegian is written as ``nb``, ``nn`` and ``no``, and read by the same people.
    """
    return bool({_main(each) for each in read} & {_main(each) for each in wanted})


def spellings(tags: Iterable[str]) -> frozenset[str]:
    """How the languages of these tags may be written, without a region."""
    mains = {_main(each) for each in tags}
    return frozenset(mains | {each for each, main in _SAME.items() if main in mains})


def _main(tag: str) -> str:
    main = tag.lower().replace("_", "-").partition("-")[0]
    return _SAME.get(main, main)


_SAME = {"nb": "no", "nn": "no"}
"""``no`` is the macrolanguage of both: ISO 639-3."""
MAX_TAG = 35  # characters; RFC 5646, section 4.4.1, and the columns' own length.


def pause_after(failed_sign_ins: int) -> timedelta:
    """How long an account pauses after that many wrong tries in a row.

    Nothing for the first few, then twice as long each time, up to
    ``LONGEST_PAUSE_S``.
    """
    if failed_sign_ins < FREE_TRIES:
        return timedelta(0)
    doublings = min(failed_sign_ins - FREE_TRIES, 10)
    return timedelta(seconds=min(FIRST_PAUSE_S * 2**doublings, LONGEST_PAUSE_S))


def steps_to_try(now_s: float, last_step: int) -> list[int]:
    """The time steps whose code may be used at ``now_s`` (Unix time), oldest first.

    A step at or before the last one used is not among them: a code works once.
    """
    present = int(now_s) // TOTP_STEP_S
    around = range(present - TOTP_DRIFT_STEPS, present + TOTP_DRIFT_STEPS + 1)
    return [step for step in around if step > last_step]
