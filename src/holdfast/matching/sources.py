"""How good each bank is: what people found of what it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from holdfast.base.by import By, Permission
from holdfast.matching.models import Bank, BankEntry, BankState, Match
from holdfast.matching.rules import precision


@dataclass(frozen=True)
class BankLine:
    """A bank, what it holds, and what came of what it found.

    ``entries`` and ``revoked`` count signals, the others items: found by an entry,
    ``decided`` by people since, and of these found to violate. ``precision`` is their
    share, 0 to 1; None while nothing is decided.
    """

    id: UUID
    slug: str
    name: str
    kind: str
    source: str
    entries: int
    revoked: int
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
        entries=entries.exclude(state=BankState.REVOKED).count(),
        revoked=entries.filter(state=BankState.REVOKED).count(),
        found=matches.values("item").distinct().count(),
        decided=sum(decided.values()),
        violating=decided["violation"],
        precision=precision(decided),
    )
