"""What each alarm means, what makes two of them one, and when it grows louder.

Pure: no framework, no network, no clock of its own. Every code that any stage raises
stands in one table. An unknown code is shown all the same: an alarm is never lost
because nobody wrote words for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

ESCALATE_AFTER_S = 300
"""An alarm that nobody acknowledges for five minutes is paged again, as escalated;
then after twice as long each time, so that a night does not bury the inbox."""

LONGEST_SILENCE_S = 3600
"""At least once an hour, for as long as nobody acknowledges."""

RETRY_PAGE_AFTER_S = 10
"""A page that failed is tried again after this, then after twice as long each time."""

SUBJECT_LENGTH = 200
"""Characters that the row has for what an alarm is about."""


@dataclass(frozen=True)
class Code:
    """What a code means to people, and what makes two alarms of it one."""

    words: str
    subject: tuple[str, ...] | None = None
    """The ids by which it is one alarm; None: all that it is about."""


CODES: Mapping[str, Code] = {
    "step.failing": Code(
        "A step keeps failing. It is tried again, but something has to be repaired.",
        ("step",),
    ),
    "tick.failing": Code(
        "Work that recurs keeps failing. It is tried again, but something has to be "
        "repaired.",
        ("tick",),
    ),
    "freeze.unconfirmed": Code(
        "The site has not confirmed that it hides what we froze. "
        "Assume that it can still be seen.",
        ("platform",),
    ),
    "removal.waiting_for_seal": Code(
        "A removal waits, because the original is not in the vault yet.",
        ("platform",),
    ),
    "feed.held_back": Code(
        "The change feed is held back by a transaction that stays open "
        "in the database.",
        (),
    ),
    "deadline.near": Code("A deadline is close and the case is not decided."),
    "deadline.breached": Code("A deadline has passed and the case is not decided."),
    "referral.not_filed": Code(
        "A referral is NOT FILED: no production access to the authority is live.",
    ),
    "referral.blocked": Code("A referral cannot go on without a person."),
    "referral.waits_for_originals": Code(
        "A referral waits, because its originals are not in the vault yet.",
    ),
    "referral.delayed": Code(
        "A referral is not with the authority yet. It is tried again.",
    ),
    "report.wave": Code(
        "Many reports about one account came within a short time. "
        "They do not move the queue.",
        ("platform", "actor"),
    ),
    "report.wave_from_one_place": Code(
        "Many reports came from one place within a short time. "
        "They do not move the queue.",
        ("platform", "report"),
    ),
    "report.fingerprint_limit": Code(
        "A reported fingerprint is on more posts than it may hide. "
        "The rest is still shown. A person must look.",
        ("platform", "case"),
    ),
    "contact.not_held": Code(
        "One report asks to hold more contacts than it may. "
        "No more is held. A person must look.",
        ("platform", "report"),
    ),
    "contact.many_held": Code(
        "Many ask that one account cannot write to them. "
        "Each is held. A person must look.",
        ("platform", "actor"),
    ),
    "original.differs": Code(
        "What the site served for sealing is not what was fingerprinted.",
    ),
    "rate.child_safety_slowed": Code(
        "Child-safety reports come in faster than the limit. "
        "They are taken in slowly; none is refused.",
        ("platform",),
    ),
    "rate.picture_looks": Code(
        "Very many ask whether pictures are known. They get no answer for now; "
        "reports come in as ever.",
        (),
    ),
    "report.danger": Code(
        "Somebody says in a report that a person is in danger now, or does not want to "
        "live. Open the case now.",
        ("report",),
    ),
    "report.clearance_challenged": Code(
        "Somebody reports again what was cleared. A person must look.",
    ),
    "media.unreachable": Code(
        "Media cannot be fetched from the site, so it is neither compared nor sealed.",
        ("platform",),
    ),
    "exchange.failing": Code(
        "Known hashes cannot be fetched from an exchange. It is tried again.",
        ("exchange",),
    ),
    "exchange.refuses_us": Code(
        "A hash exchange refuses our credentials. New hashes are not fetched.",
        ("exchange",),
    ),
    "exchange.shrank": Code(
        "A hash exchange has lost most of its hashes. None is taken back before "
        "somebody says so.",
        ("exchange",),
    ),
    "letters.failing": Code(
        "Messages to the people who reported do not go out. They are tried again.",
        ("way",),
    ),
    "helpline.unchecked": Code(
        "A helpline on the portal has to be checked and renewed. It is hidden from the "
        "day on which it expires.",
        ("entry",),
    ),
    "flagger.listing_expired": Code(
        "A trusted flagger's listing must be looked up again. "
        "Until then it has no priority.",
        ("flagger",),
    ),
    "language.unread": Code(
        "Reports came in a language that nobody here reads. They are in everybody's "
        "queue.",
        ("language",),
    ),
    "mail.set_aside": Code(
        "A mail in the mailbox for reports cannot be taken in. It is flagged there: a "
        "person must read it.",
        (),
    ),
    "log.behind": Code("Events are not reaching the Merkle log.", ()),
    "platform.silent": Code("A site has sent nothing for too long.", ("platform",)),
}


def alarm_words(code: str) -> str:
    """What an alarm means, in short plain words."""
    known = CODES.get(code)
    return known.words if known else f"Something needs a person: {code}."


def subject_of(code: str, about: Mapping[str, Any]) -> str:
    """What an alarm is about, as text; the same text is the same alarm."""
    known = CODES.get(code)
    names = sorted(about) if known is None or known.subject is None else known.subject
    text = " ".join(f"{name}={about[name]}" for name in names if name in about)
    if len(text) <= SUBJECT_LENGTH:
        return text
    return sha256(text.encode()).hexdigest()


def level_after(age_s: float) -> int:
    """How often an alarm of this age has been escalated, if nobody acknowledged."""
    level, wait_s, spent_s = 0, ESCALATE_AFTER_S, 0
    while spent_s + wait_s <= age_s:
        spent_s += wait_s
        level += 1
        wait_s = min(wait_s * 2, LONGEST_SILENCE_S)
    return level


def retry_pause_s(failures: int) -> int:
    """How long to wait after this many failed pages of one level."""
    return min(RETRY_PAGE_AFTER_S << min(failures, 10), LONGEST_SILENCE_S)
