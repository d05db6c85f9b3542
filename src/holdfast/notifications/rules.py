"""What must be so before a text may say it. Pure.

A text is made from :class:`Facts` and nothing else, and every text names the facts that
it claims (``matrix.py``): when one does not hold, the text is refused and not sent. So
a message cannot contradict the case it is about (promises 4 and 16). Nothing here reads
a row; ``facts.py`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.intake.rules import Frequency


@dataclass(frozen=True)
class Facts:
    """What is so, of one report and one case, at the moment a text is made.

    Counts are of items; ``certain`` ones are those that nobody doubts to be copies.
    What does not apply says nothing: zero, empty, False.
    """

    platform: str
    """Its name, as people know it."""
    has_codename: bool = False
    """Whether the reporter can come back by words of their own."""
    located: bool = False
    """Whether something that the report names was found."""
    told_to_hide: int = 0
    """Items that the report names and the platform was told to hide because of it."""
    copies_told_to_hide: int = 0
    """Copies of them that everybody could see, and the same; no private one counts."""
    hidden_before: int = 0
    """Of the same, those that had been kept from view before it came."""
    fingerprint_alone: bool = False
    """Whether the report names a picture's fingerprint and nothing else."""
    tells: bool = True
    """Whether it may be said what a fingerprint found."""
    found_in_public: bool = False
    """Whether something was frozen because of it that everybody could see."""
    parts: int = 1
    """How many things the report is about."""
    part: int = 1
    """Which of them this case is about, from 1; the first, when it is several."""
    case_open: bool = False
    outcome: str = ""
    """Of the newest decision: ``violation``, ``no_violation``; empty before one."""
    two_readers: bool = False
    specialist: bool = False
    """Whether one of those who decided is a specialist."""
    viewed: bool = False
    """Whether somebody opened what was reported, all of it."""
    both_viewed: bool = False
    """Whether each of two readers has opened all of something of it."""
    authority_answered: bool = False
    """Whether a referral, or the recorded reason for none, goes with the decision."""
    decided_before: bool = False
    """Whether people had decided on the same bytes in another case."""
    was_hidden: bool = False
    """Whether any item of the case was ever frozen."""
    certain: int = 0
    confirmed_hidden: int = 0
    """Certain items that the platform has confirmed to hide or to have removed."""
    confirmed_removed: int = 0
    thawed_in_open_case: bool = False
    """Whether the reported item was shown again before people decided."""
    filed_with: str = ""
    """The authority that has taken a real referral; empty for a test environment."""
    late_with: str = ""
    """The label of a promise to this reporter that is broken and not yet kept."""
    late_since: datetime | None = None
    set_aside_until: datetime | None = None
    """Until when reports of this person are only kept; None for everybody else."""
    kept_aside: bool = False
    """Whether the report is only kept, and nobody has worked on it by now."""
    warned_of: int = 0
    """How many unfounded reports the newest warning to this person was about."""
    thawed: bool = False
    """Whether an item of the case was frozen and is shown again."""


class Need(StrEnum):
    """A claim that a text makes, and so a fact that it needs."""

    OPEN = "the case is open"
    DECIDED = "people have decided, and nothing has opened the case again"
    VIOLATION = "the newest decision found a violation"
    NO_VIOLATION = "the newest decision found no violation"
    VIEWED = "somebody opened all of what was reported"
    NOT_VIEWED = "nobody opened all of what was reported"
    AUTHORITY = "a referral, or the reason for none, is recorded"
    KNOWN = "people have decided on the same bytes before"
    HIDDEN = "the platform has confirmed that every certain item is hidden"
    REMOVED = "the platform has confirmed that every certain item is removed"
    SHOWN_AGAIN = "what was reported is shown again, and people have not decided"
    FILED = "an authority has taken a real referral"
    LATE = "a promise to this reporter is broken"
    SET_ASIDE = "a person has suspended work on this reporter's reports"
    KEPT_ASIDE = "the report is kept and nobody works on it"
    WARNED = "a person has warned this reporter of several unfounded reports"
    THAWED = "something that was hidden is shown again"


def _everything_hidden(facts: Facts) -> bool:
    return 0 < facts.certain == facts.confirmed_hidden


def _everything_removed(facts: Facts) -> bool:
    return 0 < facts.certain == facts.confirmed_removed


HOLDS: Mapping[Need, Callable[[Facts], bool]] = {
    Need.OPEN: lambda facts: facts.case_open,
    Need.DECIDED: lambda facts: bool(facts.outcome) and not facts.case_open,
    Need.VIOLATION: lambda facts: facts.outcome == "violation",
    Need.NO_VIOLATION: lambda facts: facts.outcome == "no_violation",
    Need.VIEWED: lambda facts: facts.viewed,
    Need.NOT_VIEWED: lambda facts: not facts.viewed,
    Need.AUTHORITY: lambda facts: facts.authority_answered,
    Need.KNOWN: lambda facts: facts.decided_before,
    Need.HIDDEN: _everything_hidden,
    Need.REMOVED: _everything_removed,
    Need.SHOWN_AGAIN: lambda facts: facts.case_open and facts.thawed_in_open_case,
    Need.FILED: lambda facts: bool(facts.filed_with),
    Need.LATE: lambda facts: bool(facts.late_with) and facts.late_since is not None,
    Need.SET_ASIDE: lambda facts: facts.set_aside_until is not None,
    Need.KEPT_ASIDE: lambda facts: facts.kept_aside,
    Need.WARNED: lambda facts: facts.warned_of > 1,
    Need.THAWED: lambda facts: facts.thawed,
}
"""When each claim is so."""


def unmet(needs: tuple[Need, ...], facts: Facts) -> tuple[Need, ...]:
    """Which of some claims are not so, in their order; none when a text may be sent."""
    return tuple(need for need in needs if not HOLDS[need](facts))


def rings(frequency: str, *, is_decision: bool) -> bool:
    """Whether a message that waits on the portal is also told of outside it."""
    if frequency == Frequency.EVERY_STEP:
        return True
    return frequency == Frequency.DECISIONS_ONLY and is_decision


ASKED = (
    "safe_now",
    "still_writing",
    "elsewhere",
    "which_account",
    "when",
    "trusted_adult",
    "more",
)
"""The questions that staff may ask a reporter, by their codes in ``words.py``."""

LETTER_PAUSES_S = (30, 60, 300, 900, 1800, 3600)
"""Seconds after the first, second … attempt that failed; then as the last, until
``LETTER_LIFE_S``. A letter only says that there is news, so it is in no hurry."""
LETTER_ALARM_AFTER = 3
"""Attempts that failed, after which people are told that letters do not go out."""
LETTER_LIFE_S = 3 * 24 * 3600
"""Seconds after which a letter is given up: what it points at stays on the portal."""


def letter_pause_s(attempts: int) -> int:
    """How long to wait after this many attempts, from 1, have failed."""
    return LETTER_PAUSES_S[min(max(attempts, 1), len(LETTER_PAUSES_S)) - 1]
