"""Who may read a case next, and when enough people have.

Pure: no framework, no network. This is promise 3 as a function: a finding that would
clear a child-safety case takes two people, one of them a specialist; people who
disagree wait for a specialist who has not read; and a case that was opened again is
read by people who had nothing to do with it before. No reading is ever a machine's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.base.errors import InvalidInput

MIN_REASON_CHARS = 10
"""Shorter than this is no reason that a colleague or a court could follow."""
MAX_WORDS = 20_000  # characters, of a reason or a note.


@dataclass(frozen=True)
class Read:
    """One reading of the round in hand, as the rules see it.

    ``clears`` is true for "no violation", and on a child-safety case also for a
    violation of some lesser category: either would end the protection of a child.
    """

    id: str
    person: str
    specialist: bool
    outcome: str
    clears: bool


class Need(StrEnum):
    """What a case waits for. The values are what the queue shows."""

    FIRST_READER = "first reader"
    SECOND_READER = "second reader"
    SECOND_SPECIALIST = "second reader, specialist"
    SETTLING_SPECIALIST = "specialist to settle a disagreement"


FOR_SPECIALISTS = frozenset({Need.SECOND_SPECIALIST, Need.SETTLING_SPECIALIST})


def need(readings: Sequence[Read], *, child_safety: bool) -> Need | None:
    """What this round still waits for; None when people have decided.

    ``readings`` are those of the round, in the order they were written. A violation
    needs one reader, and so does every finding outside child safety.
    """
    if not readings:
        return Need.FIRST_READER
    first = readings[0]
    if not child_safety or not first.clears:
        return None
    if settling(readings):
        return None
    if len({(read.outcome, read.clears) for read in readings}) > 1:
        return Need.SETTLING_SPECIALIST
    if len(readings) == 1 and first.specialist:
        return Need.SECOND_READER
    if len(readings) > 1 and any(read.specialist for read in readings):
        return None
    return Need.SECOND_SPECIALIST


def settling(readings: Sequence[Read]) -> Read | None:
    """The reading that settles what two could not: a specialist's, after two others."""
    return next((read for read in readings[2:] if read.specialist), None)


class Hindrance(StrEnum):
    """Why somebody may not read a case now."""

    NOT_OPEN = "This case is not open. It was decided, or merged into another."
    TOUCHED_BEFORE = (
        "You worked on this case before it was opened again. Somebody who has not"
        " touched it decides now."
    )
    READ_ALREADY = "You have read this case in this round. Somebody else reads next."
    NOT_CLAIMED = "Claim the case first: the one who holds it reads first."
    NEEDS_SPECIALIST = "This case waits for a specialist."


def may_not_read(
    person: str,
    *,
    specialist: bool,
    is_open: bool,
    touched_before: Collection[str],
    readings: Sequence[Read],
    child_safety: bool,
    holds_claim: bool,
) -> Hindrance | None:
    """Why this person may not write the next reading; None when they may.

    ``touched_before`` names those who read, revealed or claimed in an earlier round.
    """
    if not is_open:
        return Hindrance.NOT_OPEN
    if person in touched_before:
        return Hindrance.TOUCHED_BEFORE
    if any(read.person == person for read in readings):
        return Hindrance.READ_ALREADY
    waits_for = need(readings, child_safety=child_safety)
    if waits_for is None:
        return Hindrance.NOT_OPEN
    if waits_for is Need.FIRST_READER and not holds_claim:
        return Hindrance.NOT_CLAIMED
    # A reading that could not count would be one more pair of eyes for nothing.
    if waits_for in FOR_SPECIALISTS and not specialist:
        return Hindrance.NEEDS_SPECIALIST
    return None


def must_look_first(
    *, something_to_see: bool, looked: bool, clears: bool, known_by_bytes: bool
) -> bool:
    """Whether somebody must open the item before they may write down a finding.

    One exception, so that fewest eyes see it: an item that is byte for byte what people
    have already decided to be a violation may be found one again unseen.
    """
    if not something_to_see or looked:
        return False
    return clears or not known_by_bytes


def views_split(
    counts: Sequence[tuple[datetime, int]],
    first_report: datetime,
    hidden: datetime | None,
) -> tuple[int, int, int]:
    """Views before the first report, from then until it was hidden, and after that.

    ``counts`` are (when counted, total so far) in order of time. Totals that fall back
    are taken as the highest so far: what has been seen was seen. ``hidden`` is when the
    platform confirmed; an order alone hides nothing.
    """

    def total_at(moment: datetime) -> int:
        return max((views for at, views in counts if at <= moment), default=0)

    last = max((views for _, views in counts), default=0)
    before = total_at(first_report)
    when_hidden = last if hidden is None else max(before, total_at(hidden))
    return before, when_hidden - before, last - when_hidden


def reason_of(words: str) -> str:
    """The reason, cleaned. Raises ``InvalidInput`` for one nobody could follow."""
    cleaned = words.strip()
    if not MIN_REASON_CHARS <= len(cleaned) <= MAX_WORDS:
        raise InvalidInput(
            f"Give a reason of at least {MIN_REASON_CHARS} characters, in your words."
        )
    return cleaned
