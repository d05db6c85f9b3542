"""How good each bank is: what people found of what it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.matching.models import Bank, BankEntry, BankState, Match
from holdfast.matching.rules import precision


@dataclass(frozen=True)
class BankLine:
    """A bank, what it holds, and what came of what it found.

    ``entries``, ``revoked`` and ``expired`` (of those not revoked) count signals, the
    others items: found by an entry, ``decided`` by people since, and of these found to
    violate. ``precision`` is their share, 0 to 1; None while nothing is decided.
    ``category`` is blank where each entry says its own.
    """

    id: UUID
    slug: str
    name: str
    kind: str
    source: str
    category: str
    added_by: str
    added_at: datetime
    entries: int
    revoked: int
    expired: int
    found: int
    decided: int
    violating: int
    precision: float | None


def precision_by_bank(*, by: By) -> list[BankLine]:
    """Every bank, the first added first."""
    by.require(Permission.OVERSIGHT_READ)
    return [_line(bank) for bank in Bank.objects.order_by("added_at", "id")]


def _line(bank: Bank) -> BankLine:
    entries = BankEntry.objects.filter(bank=bank)
    standing = entries.exclude(state=BankState.REVOKED)
    here = entries.filter(item__isnull=False)
    matches = Match.objects.filter(
        Q(entry__bank=bank) | Q(against__in=here.values("item"))
    )
    # By the case that each item stands in now; what is open has not been decided.
    stands = set(
        matches.filter(item__place__certain=True).values_list(
            "item", "item__place__case__state", "item__place__case__outcome"
        )
    )
    decided = Counter(outcome for _, state, outcome in stands if state == "decided")
    return BankLine(
        id=bank.id,
        slug=bank.slug,
        name=bank.name,
        kind=bank.kind,
        source=bank.source,
        category=bank.category,
        added_by=bank.added_by,
        added_at=bank.added_at,
        entries=standing.count(),
        revoked=entries.filter(state=BankState.REVOKED).count(),
        expired=standing.filter(expires_at__lte=clock.now()).count(),
        found=matches.values("item").distinct().count(),
        decided=sum(decided.values()),
        violating=decided["violation"],
        precision=precision(decided),
    )
