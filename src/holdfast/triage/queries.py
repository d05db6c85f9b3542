"""Reading where things stand in cases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from holdfast.policy import queries as policies
from holdfast.triage.models import CaseItem, CaseState, Deadline


def has_open_case(item_id: UUID) -> bool:
    """Whether people still have to decide about an item."""
    return CaseItem.objects.filter(item=item_id, case__state=CaseState.OPEN).exists()


def case_numbers(item_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The number of the case that each of some items stands in, where it does."""
    placed = CaseItem.objects.filter(item__in=list(item_ids))
    return dict(placed.values_list("item", "case__number"))


def clocks_of_forms(report_id: UUID) -> dict[str, datetime]:
    """By when each legal form of a report is due, by the form's code."""
    forms = {each.code: each.form for each in policies.current().clocks if each.form}
    rows = Deadline.objects.filter(report_id=report_id, code__in=forms)
    return {
        forms[code]: due_at
        for code, due_at in rows.order_by("-due_at").values_list("code", "due_at")
    }


def first_look_by(report_id: UUID) -> datetime | None:
    """By when somebody should open a report's case; None where no clock says it."""
    rows = Deadline.objects.filter(report_id=report_id, code="first_look")
    return rows.order_by("due_at").values_list("due_at", flat=True).first()
