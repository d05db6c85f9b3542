"""What of a report could not be used as it was sent. The rest of the report was.

A report is never lost for a word that is wrong in it: what it shows is frozen, what can
be used is used, and what cannot is named to whoever sent it and kept as it was said,
for the people who read the report, and for its reporter to take back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.base import clock
from holdfast.intake.models import Addition, Report

KIND = "not_taken"
"""The kind of addition that holds these words; they weigh nothing by themselves."""
_DANGER = {("answers", "danger"), ("in_danger_now",)}


@dataclass(frozen=True)
class NotTaken:
    """One part of a report that was not used."""

    place: tuple[str, ...]
    """The way to it: ``("answers", "age_now")``."""
    why: str
    said: str
    """As it was sent, as far as it can be stored."""


def keep(report: Report, parts: Sequence[NotTaken]) -> None:
    """Keep what was said, with a report that is new."""
    if parts:
        Addition.objects.create(
            report=report,
            kind=KIND,
            words="\n".join(f"{'/'.join(each.place)}: {each.said}" for each in parts),
            added_at=clock.now(),
        )


def may_mean_danger(parts: Sequence[NotTaken]) -> bool:
    """Whether somebody was asked about danger and nobody can tell what they said.

    That may have been a yes, so it counts as one until a person has read it.
    """
    return any(each.place in _DANGER for each in parts)


def storable(text: str) -> str:
    """A text as the database can hold it: without NUL and halves of surrogates."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "\ufffd")
