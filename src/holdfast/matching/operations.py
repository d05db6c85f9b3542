"""Finding copies as things arrive, and keeping the bank of what people decided.

Two ways cross: a report looks for copies while an upload looks for what was reported.
Each looks after its own commit, the report once more than its first look inside its
transaction, so that whichever commits last sees the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.events import Event, Kind, emit, in_bulk
from holdfast.fingerprints.models import Fingerprint
from holdfast.intake.models import Target
from holdfast.items.models import Item, ItemState
from holdfast.matching.models import BankEntry, BankState, Basis, Match
from holdfast.matching.queries import Copy, find_copies, find_known


def compare_with_known(event: Event) -> None:
    """Compare an item that has just arrived with what was reported or decided."""
    for copy in find_known(event.about["item"]):
        _found(event.about["platform"], copy, arrived=True)


def follow_repost(event: Event) -> None:
    """A repost of what is kept from view is found on arrival, without any picture."""
    item = Item.objects.select_related("repost_of").get(id=event.about["item"])
    above = item.repost_of
    if above is not None and above.state != ItemState.VISIBLE:
        copy = Copy(item.id, above.id, Basis.REPOST, 0)
        _found(event.about["platform"], copy, arrived=True)


def look_again(event: Event) -> None:
    """Look for copies once more, after the report is committed."""
    targets = Target.objects.filter(report=event.about["report"], item__isnull=False)
    for item_id in targets.values_list("item", flat=True):
        look_for_copies(event.about["platform"], item_id)


def look_for_copies(platform_id: UUID, item_id: UUID) -> None:
    """Find the copies of a reported item and say of each new one that it was found."""
    for copy in find_copies(item_id):
        _found(platform_id, copy, arrived=False)


@in_bulk
def bank_reported(*events: Event) -> None:
    """What was reported freezes later copies, in quarantine until people decide."""
    for event in events:
        if event.facts.get("because") == "report":
            quarantine(
                event.about["item"],
                category=event.facts["category"],
                case_id=event.about["case"],
            )


def quarantine(item_id: UUID, *, category: str, case_id: UUID) -> None:
    """Bank a reported item's media until people decide; known entries stay."""
    _bank(
        [item_id],
        state=BankState.QUARANTINED,
        category=category,
        case_id=case_id,
        by=SYSTEM,
    )


def bank_decided(
    item_ids: Iterable[UUID],
    *,
    violates: bool,
    category: str,
    case_id: UUID,
    decision_id: UUID,
    by: By,
) -> None:
    """Bank the media of items that people decided on."""
    _bank(
        item_ids,
        state=BankState.ACTIVE if violates else BankState.CLEARED,
        category=category,
        case_id=case_id,
        decision_id=decision_id,
        by=by,
    )


@again_after_deadlock
def _found(platform_id: UUID, copy: Copy, *, arrived: bool) -> None:
    """Write a match down and say so; the same match again says nothing."""
    with transaction.atomic():
        _match, new = Match.objects.get_or_create(
            item_id=copy.item,
            against_id=copy.against,
            basis=copy.basis,
            defaults={"distance_bits": copy.distance_bits, "found_at": clock.now()},
        )
        if not new:
            return
        emit(
            Kind.MATCH_FOUND,
            about={
                "platform": platform_id,
                "item": copy.item,
                "against": copy.against,
            },
            facts={
                "basis": copy.basis,
                "distance_bits": copy.distance_bits,
                "arrived": arrived,
            },
            by=SYSTEM,
        )


def _bank(
    item_ids: Iterable[UUID],
    *,
    state: BankState,
    category: str,
    case_id: UUID,
    decision_id: UUID | None = None,
    by: By,
) -> None:
    prints = Fingerprint.objects.filter(item__in=list(item_ids))
    for print_ in prints.order_by("id"):
        entry, new = BankEntry.objects.get_or_create(
            item_id=print_.item_id,
            sha256=print_.sha256,
            defaults={
                "pdq": print_.pdq,
                "quality": print_.quality,
                "category": category,
                "state": state,
                "case_id": case_id,
                "decision_id": decision_id,
                "entered_at": clock.now(),
                "entered_by": str(by),
            },
        )
        if not new and state != BankState.QUARANTINED:
            entry.state, entry.category = state, category
            entry.decision_id = decision_id
            entry.save(update_fields=["state", "category", "decision_id"])
