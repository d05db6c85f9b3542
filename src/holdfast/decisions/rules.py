"""When readings become a decision, and who is told of it when.

Pure: no framework, no network. A decision is only ever what people wrote: this chooses
which of their readings carry it and adds no finding of its own. Who must read is ruled
in ``review.rules`` (promise 3); what waits is ruled by the policy's conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from holdfast.policy.rules import Withholding, holds
from holdfast.review.rules import Need, Read, need, settling


@dataclass(frozen=True)
class Ripe:
    """People have decided: ``reading`` carries the decision, ``second`` agrees."""

    reading: Read
    second: Read | None = None

    @property
    def by_specialist(self) -> bool:
        """Whether at least one of those who decided is a specialist."""
        return self.reading.specialist or (
            self.second is not None and self.second.specialist
        )


@dataclass(frozen=True)
class Waiting:
    """People have not decided yet; ``need`` says who reads next."""

    need: Need


def ripe(readings: Sequence[Read], *, child_safety: bool) -> Ripe | Waiting:
    """What the readings of one round, in order, come to.

    A violation takes one reader. What clears a child-safety case takes two people, one
    of them a specialist; a disagreement is settled by a specialist's third reading, and
    waits until there is one. No machine's opinion is among the arguments.
    """
    waits_for = need(readings, child_safety=child_safety)
    if waits_for is not None:
        return Waiting(waits_for)
    first = readings[0]
    if not child_safety or not first.clears:
        return Ripe(first)
    lead = settling(readings) or next(read for read in readings if read.specialist)
    if not lead.clears:
        return Ripe(lead)
    # The first reading clears too, or the case would have been decided by it alone.
    others = [read for read in readings if read.person != lead.person and read.clears]
    agreeing = [read for read in others if read.outcome == lead.outcome]
    return Ripe(lead, (agreeing or others)[0])


@dataclass(frozen=True)
class Withheld:
    """A statement that waits: on which ground, and until when at the latest."""

    ground: str
    until: datetime


def withheld(
    said: Withholding, *, category: Mapping[str, Any], part: str, at: datetime
) -> Withheld | None:
    """Whether a statement made ``at`` a moment waits, as the policy says.

    ``category`` is ``Category.seen()``; ``part`` is the actor's, "unknown" at a freeze.
    A wait always has a ground and an end.
    """
    if not holds(said.when, category=dict(category), part=part):
        return None
    return Withheld(said.ground, at + timedelta(days=said.days))
