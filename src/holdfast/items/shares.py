"""Who passed an item on without making a new one, and when: part of how it spread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.base.by import By, Permission
from holdfast.items.models import Share


@dataclass(frozen=True, slots=True)
class ShareLine:
    """One share. The names are blank where the platform did not say whose it was."""

    item_id: UUID
    shared_at: datetime
    account_id: str
    """The platform's own id of the account."""
    screen_name: str


def shares_of(item_ids: Iterable[UUID], *, by: By) -> list[ShareLine]:
    """Every share of some items, the first first."""
    by.require(Permission.CASE_READ)
    rows = Share.objects.filter(item__in=list(item_ids)).order_by("shared_at", "id")
    columns = ("item", "shared_at", "actor__external_id", "actor__screen_name")
    return [
        ShareLine(item_id, at, account or "", name or "")
        for item_id, at, account, name in rows.values_list(*columns)
    ]
