"""How right each flagger is, measured by what people decided, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.base.by import By, Permission
from holdfast.intake.flagger_people import flagger_of
from holdfast.intake.flaggers import is_trusted
from holdfast.intake.models import Flag, Flagger, FlaggerPerson
from holdfast.matching.rules import precision
from holdfast.triage.models import CaseState, CaseTarget


@dataclass(frozen=True)
class Tally:
    """Reports, those decided, and of these found to violate, wholly or in part.

    ``precision`` is the share of the last, 0 to 1; None while nothing is decided.
    """

    reports: int
    withdrawn: int
    """Of these reports, those it took back; they count like all others."""
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
    listed_until: datetime | None
    trusted: bool
    """Whether its reports within the scope have priority now."""
    suspended_why: str
    ended_at: datetime | None
    ended_why: str
    people: tuple[UUID, ...]
    within: Tally
    """Of reports that had priority."""
    outside: Tally


def flaggers(*, by: By) -> list[FlaggerLine]:
    """Every account, the first added first."""
    by.require(Permission.PLATFORM_MANAGE)
    rows = Flagger.objects.select_related("key").order_by("added_at", "id")
    return [_line(row) for row in rows]


def own_account(*, by: By) -> FlaggerLine:
    """The account of the organisation that this guest works for."""
    by.require(Permission.REPORTS_FLAG)
    return _line(Flagger.objects.select_related("key").get(id=flagger_of(by)))


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
    flags = list(Flag.objects.filter(flagger=row))
    people = FlaggerPerson.objects.filter(flagger=row).order_by("id")
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
        listed_until=row.listed_until,
        trusted=is_trusted(row),
        suspended_why=row.suspended_why,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
        people=tuple(people.values_list("person", flat=True)),
        within=_tally([each for each in flags if each.had_priority], outcomes),
        outside=_tally([each for each in flags if not each.had_priority], outcomes),
    )


def _tally(flags: list[Flag], outcomes: dict[UUID, list[tuple[str, str]]]) -> Tally:
    reports = [outcomes.get(each.report_id, []) for each in flags]
    decided = Counter(
        "violation" if "violation" in {outcome for _, outcome in cases} else "none"
        for cases in reports
        # What is open in part has not been decided.
        if cases and all(state == CaseState.DECIDED for state, _ in cases)
    )
    return Tally(
        reports=len(reports),
        withdrawn=sum(each.withdrawn_at is not None for each in flags),
        decided=sum(decided.values()),
        violating=decided["violation"],
        precision=precision(decided),
    )
