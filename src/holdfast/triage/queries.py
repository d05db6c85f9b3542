"""Reading where things stand in cases."""

from __future__ import annotations

from uuid import UUID

from holdfast.triage.models import CaseItem, CaseState


def has_open_case(item_id: UUID) -> bool:
    """Whether people still have to decide about an item."""
    return CaseItem.objects.filter(item=item_id, case__state=CaseState.OPEN).exists()
