"""Reading exchanges: which there are, and how far each has been pulled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count

from holdfast.base.by import By, Permission
from holdfast.matching.models import HashExchange


@dataclass(frozen=True)
class ExchangeLine:
    """One exchange. ``records`` counts what it has now; ``failures`` are in a row."""

    id: UUID
    slug: str
    kind: str
    url: str
    settings: Mapping[str, Any]
    records: int
    synced_at: datetime | None
    tried_at: datetime | None
    failures: int


def exchanges(*, by: By) -> list[ExchangeLine]:
    """All exchanges, by name. Each is called at its ``url`` and nowhere else.

    Credentials are never handed out.
    """
    by.require(Permission.BANK_MANAGE)
    found = HashExchange.objects.select_related("bank").annotate(
        count=Count("records__key", distinct=True)
    )
    return [
        ExchangeLine(
            id=each.id,
            slug=each.bank.slug,
            kind=each.kind,
            url=each.url,
            settings=each.settings,
            records=each.count,
            synced_at=each.synced_at,
            tried_at=each.tried_at,
            failures=each.failures,
        )
        for each in found.order_by("bank__slug")
    ]
