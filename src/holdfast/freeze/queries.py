"""What is frozen, since when, and what that spared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.freeze.models import Freeze
from holdfast.items.models import Item, ItemState


@dataclass(frozen=True)
class FreezeLine:
    """One freeze of one item."""

    item: UUID
    because: str
    frozen_at: datetime
    thawed_at: datetime | None
    confirmed: bool
    """Whether the platform has said that it hides the item."""


def freezes_of(case_id: UUID) -> list[FreezeLine]:
    """The freezes of a case, the first first."""
    rows = Freeze.objects.filter(case=case_id).select_related("item")
    return [
        FreezeLine(
            item=row.item_id,
            because=row.because,
            frozen_at=row.frozen_at,
            thawed_at=row.thawed_at,
            confirmed=row.item.confirmed_state != ItemState.VISIBLE,
        )
        for row in rows.order_by("frozen_at", "id")
    ]


def first_frozen_at(item_ids: Iterable[UUID]) -> datetime | None:
    """When the first of some items was frozen; None if none ever was."""
    return (
        Freeze.objects.filter(item__in=list(item_ids))
        .order_by("frozen_at")
        .values_list("frozen_at", flat=True)
        .first()
    )


def hidden(item_ids: Iterable[UUID]) -> set[UUID]:
    """Which of some items the platform has confirmed that nobody can see."""
    return set(
        Item.objects.filter(id__in=list(item_ids))
        .exclude(confirmed_state=ItemState.VISIBLE)
        .values_list("id", flat=True)
    )
