"""Confirming: the platform says that it has done what it was told.

By its answer to a webhook or, where it polls, by naming what it has done. Twice changes
nothing, and an older number never undoes what a later one showed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import NotFound
from holdfast.base.events import Kind, Telling, emit_many
from holdfast.enforcement import rules
from holdfast.enforcement.models import PENDING, Delivery, DeliveryState
from holdfast.enforcement.orders import about_delivery, cases_of
from holdfast.items.models import Actor, Item
from holdfast.items.queries import lock_items


def confirm_delivery(delivery_id: UUID, *, by: By) -> bool:
    """Note that the platform has done it; False when that was known already.

    Raises :class:`NotFound`.
    """
    if not Delivery.objects.filter(id=delivery_id).exists():
        raise NotFound("There is no such delivery.", delivery=delivery_id)
    return bool(confirm_deliveries([delivery_id], by=by))


@again_after_deadlock
def confirm_deliveries(delivery_ids: Collection[UUID], *, by: By) -> int:
    """Note that the platform has done these; returns how many were news.

    All in one transaction: what is told to a platform together is confirmed together.
    """
    with transaction.atomic():
        found = Delivery.objects.filter(PENDING, id__in=delivery_ids)
        lock_items(found.exclude(item=None).values_list("item", flat=True))
        actors = Actor.objects.filter(id__in=found.exclude(actor=None).values("actor"))
        list(actors.select_for_update().order_by("id"))
        news = list(found.select_related("enforcement__decision").order_by("number"))
        Delivery.objects.filter(id__in=[each.id for each in news]).update(
            state=DeliveryState.CONFIRMED, confirmed_at=clock.now(), last_error=""
        )
        _show_confirmed(news)
        cases = cases_of(news)
        emit_many(
            Kind.DELIVERY_CONFIRMED,
            [
                Telling(
                    about_delivery(each, each.enforcement, cases),
                    {"verb": each.verb, "number": each.number},
                )
                for each in news
            ],
            by=by,
        )
    return len(news)


@dataclass(frozen=True)
class Confirmed:
    """What became of the ids that a platform confirmed."""

    confirmed: tuple[str, ...]
    """Known and done, now or before."""
    unknown: tuple[str, ...]
    """No delivery of this platform."""


def confirm(platform_id: UUID, delivery_ids: Sequence[str], *, by: By) -> Confirmed:
    """A platform that polls says what it has done. Twice changes nothing."""
    by.require(Permission.CHANGES_READ)
    asked = {text: parsed for text in delivery_ids if (parsed := _uuid(text))}
    own = Delivery.objects.filter(platform_id=platform_id, id__in=asked.values())
    in_order = own.order_by("item_id", "actor_id", "number").values_list(
        "id", flat=True
    )
    known = list(in_order)
    for delivery_id in known:
        confirm_delivery(delivery_id, by=by)
    done = tuple(text for text in delivery_ids if asked.get(text) in known)
    return Confirmed(done, tuple(text for text in delivery_ids if text not in done))


def _show_confirmed(news: Sequence[Delivery]) -> None:
    """Set what the platform last confirmed, unless it has confirmed a later number."""
    about_state = [
        each
        for each in news
        if each.item_id is not None and each.verb in rules.STATE_AFTER
    ]
    confirmed = Delivery.objects.filter(
        item__in=[each.item_id for each in about_state],
        state=DeliveryState.CONFIRMED,
        verb__in=rules.STATE_AFTER,
    )
    highest = dict(
        confirmed.values_list("item").annotate(highest=Max("number")).order_by()
    )
    by_state: dict[str, list[UUID]] = {}
    for each in about_state:
        assert each.item_id is not None  # So it was chosen.
        if highest[each.item_id] == each.number:
            by_state.setdefault(rules.STATE_AFTER[each.verb], []).append(each.item_id)
    for state, items in by_state.items():
        Item.objects.filter(id__in=items).update(confirmed_state=state)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
