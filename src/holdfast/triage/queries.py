"""Reading where things stand in cases."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from holdfast.triage.models import CaseItem, CaseState


def has_open_case(item_id: UUID) -> bool:
    """Whether people still have to decide about an item."""
    return CaseItem.objects.filter(item=item_id, case__state=CaseState.OPEN).exists()


def case_numbers(item_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The number of the case that each of some items stands in, where it does."""
    placed = CaseItem.objects.filter(item__in=list(item_ids))
    return dict(placed.values_list("item", "case__number"))
