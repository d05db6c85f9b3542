"""Reading what is preserved of an item, and until when. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.base.by import By, Permission
from holdfast.evidence.models import Preservation


@dataclass(frozen=True)
class SealedOriginal:
    """One thing in the vault. ``media_id`` is None for the item's words and facts."""

    media_id: UUID | None
    blob_id: UUID
    media_type: str
    size_bytes: int
    preserved_at: datetime
    keep_until: datetime | None
    """Not to be disposed of before; None while nobody has decided."""


def sealed_originals(item_id: UUID, *, by: By) -> tuple[SealedOriginal, ...]:
    """What the vault holds of an item, the first sealed first."""
    by.require(Permission.CASE_READ)
    rows = Preservation.objects.filter(item=item_id).select_related("sealed_blob")
    return tuple(
        SealedOriginal(
            media_id=row.media_id,
            blob_id=row.sealed_blob_id,
            media_type=row.sealed_blob.media_type,
            size_bytes=row.sealed_blob.size_bytes,
            preserved_at=row.preserved_at,
            keep_until=row.keep_until,
        )
        for row in rows.order_by("preserved_at", "id")
    )
