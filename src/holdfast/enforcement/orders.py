"""Ordering: the next instruction about an item or an actor, numbered.

A delivery gets its number under its item's (or actor's) row lock, so that numbers are
the order of commits. Nothing here decides what to order, and nothing is told yet: see
``delivery`` for that, and ``confirming`` for the platform's answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from django.db.models import Q, Value
from django.db.models.functions import Cast

from holdfast.base import clock
from holdfast.base.by import By
from holdfast.base.events import Kind, Telling, emit_many
from holdfast.base.fields import XidField, current_transaction
from holdfast.base.models import Event
from holdfast.base.rows import insert, read, write
from holdfast.enforcement import rules
from holdfast.enforcement.models import Delivery, Enforcement, Verb
from holdfast.items.models import Actor, Item

ORDERED = ("id", "platform", "deliveries")
"""What an order needs of its item."""


@dataclass(frozen=True)
class Order:
    """One instruction to give: about an item or an actor whose row is locked."""

    subject: Item | Actor
    verb: Verb
    body: Mapping[str, Any] | None = None
    enforcement: Enforcement | None = None
    cause: Event | None = None
    case_id: UUID | None = None
    """The case of the item, for a caller who knows it."""


def order(
    subject: Item | Actor,
    verb: Verb,
    body: Mapping[str, Any] | None = None,
    *,
    enforcement: Enforcement | None = None,
    by: By,
) -> Delivery:
    """Write down the next instruction about an item or an actor.

    ``body`` defaults to what the verb means. Must be called in a transaction, and not
    twice for one cause: callers see to that under the row's lock, taken here at the
    latest. The state of the item or actor is the caller's to set.
    """
    locked = lock_subject(subject)
    [delivery] = order_many([Order(locked, verb, body, enforcement)], by=by)
    subject.deliveries = locked.deliveries
    return delivery


def order_many(orders: Sequence[Order], *, by: By) -> list[Delivery]:
    """The same for many, each about another subject, all locked by the caller."""
    now = clock.now()
    places = _feed_places(orders)
    for each in orders:
        each.subject.deliveries += 1
    for kind, count in ((Item, _COUNT_ITEMS), (Actor, _COUNT_ACTORS)):
        ids = [each.subject.id for each in orders if isinstance(each.subject, kind)]
        if ids:
            write(count, ids)
    deliveries = insert(
        Delivery(
            **about_subject(each.subject),
            platform_id=each.subject.platform_id,
            number=each.subject.deliveries,
            verb=each.verb,
            body=dict(
                rules.BODIES.get(each.verb, {}) if each.body is None else each.body
            ),
            enforcement=each.enforcement,
            next_attempt_at=now,
            ordered_at=now,
            **place,
        )
        for each, place in zip(orders, places, strict=True)
    )
    cases = cases_of(
        delivery
        for each, delivery in zip(orders, deliveries, strict=True)
        if each.case_id is None
    )
    cases |= {each.subject.id: each.case_id for each in orders if each.case_id}
    emit_many(
        Kind.DELIVERY_ORDERED,
        [
            Telling(
                about_delivery(delivery, each.enforcement, cases),
                {"verb": str(each.verb), "number": delivery.number},
                each.cause,
            )
            for each, delivery in zip(orders, deliveries, strict=True)
        ],
        by=by,
    )
    return deliveries


_COUNT_ITEMS: LiteralString = (
    "UPDATE hf_item SET deliveries = deliveries + 1 WHERE id = ANY(%s)"
)
_COUNT_ACTORS: LiteralString = (
    "UPDATE hf_actor SET deliveries = deliveries + 1 WHERE id = ANY(%s)"
)


def _feed_places(orders: Sequence[Order]) -> list[dict[str, int]]:
    """The transaction by which the feed sorts each delivery, where not its own.

    Its own one, or that of a delivery before it about the same if that is higher:
    transactions are numbered at their first write, which may be long before they get
    this item's lock, and the feed must show an item's deliveries in their order.
    """
    ids = [each.subject.id for each in orders if each.subject.deliveries]
    if not ids:
        return [{} for _ in orders]
    before = Delivery.objects.filter(Q(item__in=ids) | Q(actor__in=ids))
    places: dict[UUID, int] = {}
    for item_id, actor_id, xid in before.values_list("item", "actor", "xid"):
        subject = item_id or actor_id
        places[subject] = max(xid, places.get(subject, 0))
    own = current_transaction()
    return [{"xid": max(own, places.get(each.subject.id, own))} for each in orders]


def lock_subject(subject: Item | Actor) -> Item | Actor:
    """The item or actor, read anew and locked until the transaction ends."""
    if isinstance(subject, Item):
        return Item.objects.select_for_update(no_key=True).get(id=subject.id)
    return Actor.objects.select_for_update(no_key=True).get(id=subject.id)


def about_subject(subject: Item | Actor) -> dict[str, UUID]:
    """``{"item_id": …}`` or ``{"actor_id": …}``, to filter by."""
    return {"item_id" if isinstance(subject, Item) else "actor_id": subject.id}


def as_xid(number: int) -> Cast:
    """A transaction's number as PostgreSQL compares it: ``xid8`` takes no integer."""
    return Cast(Value(str(number)), XidField())


def cases_of(deliveries: Iterable[Delivery]) -> dict[UUID, UUID]:
    """The case in which each delivery's item stands."""
    items = [each.item_id for each in deliveries if each.item_id is not None]
    if not items:
        return {}
    return dict(
        read("SELECT item_id, case_id FROM hf_case_item WHERE item_id = ANY(%s)", items)
    )


def about_delivery(
    delivery: Delivery, enforcement: Enforcement | None, cases: Mapping[UUID, UUID]
) -> dict[str, UUID | int | str | None]:
    case_id: UUID | None = None
    if enforcement is not None:
        case_id = enforcement.decision.case_id
    elif delivery.item_id is not None:
        case_id = cases.get(delivery.item_id)
    return {
        "delivery": delivery.id,
        "platform": delivery.platform_id,
        "item": delivery.item_id,
        "actor": delivery.actor_id,
        "case": case_id,
    }
