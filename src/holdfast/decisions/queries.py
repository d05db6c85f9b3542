"""What was decided, and what posters were told. Reading changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.base.by import By, Permission
from holdfast.base.errors import NotFound
from holdfast.decisions.models import ActorPart, Decision, StatementOfReasons
from holdfast.review.queries import family, living_case
from holdfast.triage.models import CaseState


@dataclass(frozen=True)
class DecisionRecord:
    """One decision, as everything that is said or sent about it quotes it."""

    decision_id: UUID
    case_id: UUID
    case_number: str
    round: int
    in_force: bool
    """False once the case was opened again, until people have decided anew."""
    outcome: str
    child_safety: bool
    category: str
    ground: str
    policy_version: str
    reading_id: UUID
    second_reading_id: UUID | None
    first_reader: UUID
    second_reader: UUID | None
    by_specialist: bool
    refer: bool
    why_not_refer: str
    parts: Mapping[UUID, str]
    """Actor id → offender, person_shown, peer or unknown, as people named them."""
    decided_at: datetime


@dataclass(frozen=True)
class StatementLine:
    """What one poster is told about one item, or why that waits."""

    statement_id: UUID
    case_id: UUID
    decision_id: UUID | None
    actor_id: UUID
    item_id: UUID | None
    kind: str
    words: str
    withheld_ground: str
    withheld_until: datetime | None
    made_at: datetime
    sent_at: datetime | None


def decision_of(case_id: UUID | str, by: By) -> DecisionRecord | None:
    """The newest decision of a case (or of the one it was merged into), if any."""
    found = decisions_of(case_id, by)
    return found[-1] if found else None


def decisions_of(case_id: UUID | str, by: By) -> list[DecisionRecord]:
    """Every decision of a case, in the order of its rounds."""
    by.require(Permission.CASE_READ)
    rows = Decision.objects.filter(case=living_case(case_id)).order_by("round")
    records = list(rows.select_related("case", "reading"))
    parts = ActorPart.objects.filter(decision__in=records)
    return [
        _record(
            row,
            {each.actor_id: each.part for each in parts if each.decision_id == row.id},
            newest=row is records[-1],
        )
        for row in records
    ]


def statements(case_id: UUID | str, by: By) -> list[StatementLine]:
    """The statements of reasons of a case, in the order they were written."""
    by.require(Permission.CASE_READ)
    cases = family(living_case(case_id))
    rows = StatementOfReasons.objects.filter(case__in=cases)
    return [_statement(row) for row in rows.order_by("made_at", "id")]


def statement(statement_id: UUID | str, by: By) -> StatementLine:
    """One statement of reasons. Raises ``NotFound``."""
    by.require(Permission.CASE_READ)
    row = StatementOfReasons.objects.filter(id=statement_id).first()
    if row is None:
        raise NotFound("There is no such statement.", statement=statement_id)
    return _statement(row)


def _record(
    row: Decision, parts: Mapping[UUID, str], *, newest: bool
) -> DecisionRecord:
    return DecisionRecord(
        decision_id=row.id,
        case_id=row.case_id,
        case_number=row.case.number,
        round=row.round,
        in_force=newest and row.case.state == CaseState.DECIDED,
        outcome=row.outcome,
        child_safety=row.child_safety,
        category=row.category,
        ground=row.ground,
        policy_version=row.policy_version,
        reading_id=row.reading_id,
        second_reading_id=row.second_reading_id,
        first_reader=row.first_reader_id,
        second_reader=row.second_reader_id,
        by_specialist=row.by_specialist,
        refer=row.reading.refer,
        why_not_refer=row.reading.why_not_refer,
        parts=parts,
        decided_at=row.decided_at,
    )


def _statement(row: StatementOfReasons) -> StatementLine:
    return StatementLine(
        statement_id=row.id,
        case_id=row.case_id,
        decision_id=row.decision_id,
        actor_id=row.actor_id,
        item_id=row.item_id,
        kind=row.kind,
        words=row.words,
        withheld_ground=row.withheld_ground,
        withheld_until=row.withheld_until,
        made_at=row.made_at,
        sent_at=row.sent_at,
    )
