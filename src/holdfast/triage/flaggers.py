"""How right each flagger is, measured by what people decided, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.base.by import By, Permission
from holdfast.intake.models import Flag, Flagger
from holdfast.matching.rules import precision
from holdfast.triage.models import CaseState, CaseTarget


@dataclass(frozen=True)
class Tally:
    """Reports, those decided, and of these found to violate, wholly or in part.

    ``precision`` is the share of the last, 0 to 1; None while nothing is decided.
    """

    reports: int
    decided: int
    violating: int
    precision: float | None


@dataclass(frozen=True)
class FlaggerLine:
    """One organisation with an account."""

    id: UUID
    platform_id: UUID
    name: str
    contact: str
    scope: tuple[str, ...]
    listed_as: str
    key_prefix: str
    added_at: datetime
    suspended_at: datetime | None
    suspended_why: str
    within: Tally
    """Of reports that had priority."""
    outside: Tally


def flaggers(*, by: By) -> list[FlaggerLine]:
    """Every account, the first added first."""
    by.require(Permission.PLATFORM_MANAGE)
    rows = Flagger.objects.select_related("key").order_by("added_at", "id")
    return [_line(row) for row in rows]


def flagged(flagger_id: UUID, reference: str) -> str | None:
    """The number of the report behind a reference, or None."""
    found = Flag.objects.filter(flagger=flagger_id, reference=reference)
    return found.values_list("report__number", flat=True).first()


def _line(row: Flagger) -> FlaggerLine:
    outcomes: dict[UUID, list[tuple[str, str]]] = {}
    placed = CaseTarget.objects.filter(target__report__flag__flagger=row)
    for report, state, outcome in placed.values_list(
        "target__report", "case__state", "case__outcome"
    ):
        outcomes.setdefault(report, []).append((state, outcome))
    flags = Flag.objects.filter(flagger=row).values_list("report", "had_priority")
    within = [outcomes.get(report, []) for report, priority in flags if priority]
    outside = [outcomes.get(report, []) for report, priority in flags if not priority]
    return FlaggerLine(
        id=row.id,
        platform_id=row.platform_id,
        name=row.name,
        contact=row.contact,
        scope=tuple(row.scope),
        listed_as=row.listed_as,
        key_prefix=row.key.prefix,
        added_at=row.added_at,
        suspended_at=row.suspended_at,
        suspended_why=row.suspended_why,
        within=_tally(within),
        outside=_tally(outside),
    )


def _tally(reports: list[list[tuple[str, str]]]) -> Tally:
    decided = Counter(
        "violation" if "violation" in {outcome for _, outcome in cases} else "none"
        for cases in reports
        # What is open in part has not been decided.
        if cases and all(state == CaseState.DECIDED for state, _ in cases)
    )
    return Tally(
        reports=len(reports),
        decided=sum(decided.values()),
        violating=decided["violation"],
        precision=precision(decided),
    )
