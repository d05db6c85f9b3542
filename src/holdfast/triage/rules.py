"""Which case something belongs to, and whether a report freezes. Pure.

Promise 7: counts decide nothing here. There is no argument that says how many people
reported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Candidate:
    """A case that could take something in."""

    id: str
    is_open: bool
    clock_from: datetime


def choose(candidates: Sequence[Candidate]) -> Candidate | None:
    """The case to join: the oldest that is open, else the oldest of all.

    An open case is in somebody's hands already, so it is preferred to a decided one;
    among equals the one whose clock has run longest, so that no merge resets a clock.
    """
    if not candidates:
        return None
    return min(
        candidates, key=lambda each: (not each.is_open, each.clock_from, each.id)
    )


def speaks_with_weight(claims: Collection[str], police_number: str) -> bool:
    """Whether a report may freeze what people once cleared (promise 7).

    A claim to be the person shown or their parent, a police number, or a trusted
    flagger: the first wrong clearance must not silence the victim's report.
    """
    return bool(police_number) or bool(
        {"shown", "parent", "trusted_flagger"} & set(claims)
    )


def may_freeze(
    *, category_freezes: bool, cleared: bool, weight: bool, frozen_since_clearance: bool
) -> bool:
    """Whether an item is frozen before anybody has looked.

    What people cleared is frozen again only by a report with weight, and once.
    """
    if not category_freezes:
        return False
    return not cleared or (weight and not frozen_since_clearance)


def warn_at(runs_from: datetime, due_at: datetime, share: float) -> datetime:
    """When a running clock alarms: after ``share`` (0 to 1) of its span."""
    return runs_from + timedelta(seconds=(due_at - runs_from).total_seconds() * share)
