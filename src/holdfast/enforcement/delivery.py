"""Every word to a platform: ordered, handed over in order, confirmed.

A delivery gets its number under its item's (or actor's) row lock, so that numbers are
the order of commits. One item's deliveries are handed over strictly one after another,
each until it is confirmed. No lock is held during a network call: a worker takes a
delivery by a short lease, and whoever dies in between is replaced when that ends, so a
platform may be told twice and never not at all. Nothing here decides what to order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Greatest

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.errors import HoldfastError, NotFound
from holdfast.base.events import Kind, Telling, emit, emit_many
from holdfast.base.fields import CurrentTransaction, XidField
from holdfast.base.models import Event
from holdfast.enforcement import rules
from holdfast.enforcement.connectors.webhook.client import (
    NotReached,
    check_confirmed,
    post_signed,
)
from holdfast.enforcement.models import Delivery, DeliveryState, Enforcement, Verb
from holdfast.items.keys import webhook_secret
from holdfast.items.models import Actor, Item
from holdfast.triage.models import CaseItem

REST_S = 2.0
"""After nobody answered, this process leaves the platform alone for so long, so that a
dead platform does not take every worker away from the living ones."""

TICK_BUDGET_S = 2.0
"""How long one tick goes on handing over to one platform; the next one follows at
once."""

BATCH = 500
"""Items that one tick looks at for one platform."""

PLATFORMS_AT_ONCE = 8
"""Threads of one tick; each platform has one, so that a slow one delays no other."""

_PENDING = Q(state=DeliveryState.PENDING)

_rests_until: dict[UUID, float] = {}


@dataclass(frozen=True)
class Order:
    """One instruction to give: about an item or an actor whose row is locked."""

    subject: Item | Actor
    verb: Verb
    body: Mapping[str, Any] | None = None
    enforcement: Enforcement | None = None
    cause: Event | None = None


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
    last = _last_places(orders)
    for each in orders:
        each.subject.deliveries += 1
    items = [each.subject for each in orders if isinstance(each.subject, Item)]
    actors = [each.subject for each in orders if isinstance(each.subject, Actor)]
    Item.objects.filter(id__in=[item.id for item in items]).update(
        deliveries=F("deliveries") + 1
    )
    Actor.objects.filter(id__in=[actor.id for actor in actors]).update(
        deliveries=F("deliveries") + 1
    )
    deliveries = Delivery.objects.bulk_create(
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
            xid=_feed_place(last.get(each.subject.id)),
        )
        for each in orders
    )
    cases = _cases_of(deliveries)
    emit_many(
        Kind.DELIVERY_ORDERED,
        [
            Telling(
                _about(delivery, each.enforcement, cases),
                {"verb": str(each.verb), "number": delivery.number},
                each.cause,
            )
            for each, delivery in zip(orders, deliveries, strict=True)
        ],
        by=by,
    )
    return deliveries


def _last_places(orders: Sequence[Order]) -> dict[UUID, int]:
    """Where in the feed the last delivery about each subject stands."""
    ids = [each.subject.id for each in orders if each.subject.deliveries]
    standing = Delivery.objects.filter(Q(item__in=ids) | Q(actor__in=ids))
    places: dict[UUID, int] = {}
    for item_id, actor_id, xid in standing.values_list("item", "actor", "xid"):
        subject = item_id or actor_id
        places[subject] = max(xid, places.get(subject, 0))
    return places


def lock_subject(subject: Item | Actor) -> Item | Actor:
    """The item or actor, read anew and locked until the transaction ends."""
    if isinstance(subject, Item):
        return Item.objects.select_for_update(no_key=True).get(id=subject.id)
    return Actor.objects.select_for_update(no_key=True).get(id=subject.id)


def about_subject(subject: Item | Actor) -> dict[str, UUID]:
    """``{"item_id": …}`` or ``{"actor_id": …}``, to filter by."""
    return {"item_id" if isinstance(subject, Item) else "actor_id": subject.id}


def confirm_delivery(delivery_id: UUID, *, by: By) -> bool:
    """Note that the platform has done it; False when that was known already.

    Raises :class:`NotFound`.
    """
    with transaction.atomic():
        found = (
            Delivery.objects.filter(id=delivery_id)
            .select_related("item", "actor", "enforcement__decision")
            .first()
        )
        if found is None:
            raise NotFound("There is no such delivery.", delivery=delivery_id)
        subject = lock_subject(_subject(found))
        confirmed = Delivery.objects.filter(_PENDING, id=delivery_id).update(
            state=DeliveryState.CONFIRMED, confirmed_at=clock.now(), last_error=""
        )
        if not confirmed:
            return False
        if isinstance(subject, Item):
            _show_confirmed(subject, found)
        emit(
            Kind.DELIVERY_CONFIRMED,
            about=_about(found, found.enforcement, _cases_of([found])),
            facts={"verb": found.verb, "number": found.number},
            by=by,
        )
    return True


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


def hand_over(event: Event) -> None:
    """Step: hand over what is due about the event's item and actor."""
    if "item" in event.about:
        drain(Q(item=event.about["item"]))
    if "actor" in event.about:
        drain(Q(actor=event.about["actor"]))


def hand_over_what_is_due() -> None:
    """Hand over everything whose time has come, all platforms side by side."""
    due = _due().order_by().values_list("platform_id", flat=True).distinct()
    platforms = [each for each in due if not _resting(each)]
    if not platforms:
        return
    with ThreadPoolExecutor(PLATFORMS_AT_ONCE, "hand-over") as pool:
        for finished in [pool.submit(_serve, each) for each in platforms]:
            finished.result()


def drain(mine: Q) -> None:
    """Hand over one item's (or actor's) deliveries in order, as far as they are due.

    ``mine`` says whose.
    """
    platform_id: UUID | None = None
    while (delivery := _take_next(mine)) is not None and _attempt(delivery):
        platform_id = delivery.platform_id
    if platform_id is not None:
        _wake(platform_id)


def _take_next(mine: Q) -> Delivery | None:
    """The oldest unconfirmed delivery, leased; None if it is not due or taken.

    It is found first and locked then: a look that skips locked rows would hand over
    the second while somebody has the first.
    """
    oldest = (
        Delivery.objects.filter(mine, _PENDING)
        .exclude(platform__webhook_url="")
        .order_by("number")
        .values_list("id", "platform_id")
        .first()
    )
    if oldest is None or _resting(oldest[1]):
        return None
    with transaction.atomic():
        now = clock.now()
        delivery = (
            Delivery.objects.select_for_update(
                skip_locked=True, of=("self",), no_key=True
            )
            .select_related("platform", "item", "actor")
            .filter(_PENDING, id=oldest[0], next_attempt_at__lte=now)
            .first()
        )
        if delivery is None:
            return None
        delivery.next_attempt_at = now + timedelta(seconds=rules.LEASE_S)
        delivery.attempts += 1
        delivery.last_error = ""
        delivery.save(update_fields=["next_attempt_at", "attempts", "last_error"])
    return delivery


def _attempt(delivery: Delivery) -> bool:
    """Hand one leased delivery over; whether the platform has confirmed it."""
    platform = delivery.platform
    try:
        answer = post_signed(
            platform.webhook_url,
            webhook_secret(platform),
            str(delivery.id),
            rules.webhook_body(change_of(delivery)),
        )
        check_confirmed(answer, str(delivery.id))
    except HoldfastError as error:
        _put_back(delivery, error)
        if isinstance(error, NotReached):
            _rests_until[platform.id] = monotonic() + REST_S
        return False
    confirm_delivery(delivery.id, by=SYSTEM)
    return True


def _put_back(delivery: Delivery, error: HoldfastError) -> None:
    """Note the failure and wait, unless the lease has passed to somebody else."""
    details = [f"{name}={value}" for name, value in error.details.items()]
    Delivery.objects.filter(
        _PENDING, id=delivery.id, next_attempt_at=delivery.next_attempt_at
    ).update(
        last_error=" ".join([error.code, *details])[:200],
        next_attempt_at=clock.now() + rules.pause_after(delivery.attempts),
    )


def _serve(platform_id: UUID) -> None:
    """One tick's work for one platform, in a thread of its own."""
    end = monotonic() + TICK_BUDGET_S
    try:
        due = _due().filter(platform=platform_id).order_by("next_attempt_at")
        for item_id, actor_id in due.values_list("item_id", "actor_id")[:BATCH]:
            mine = Q(item=item_id) if item_id else Q(actor=actor_id)
            if monotonic() > end or _resting(platform_id):
                return
            drain(mine)
    finally:
        connection.close()


def _due() -> Any:
    """The oldest unconfirmed delivery of each item and actor, if its time has come."""
    before = Delivery.objects.filter(_PENDING, number__lt=OuterRef("number"))
    return (
        Delivery.objects.filter(_PENDING, next_attempt_at__lte=clock.now())
        .exclude(platform__webhook_url="")
        .exclude(Exists(before.filter(item=OuterRef("item"))))
        .exclude(Exists(before.filter(actor=OuterRef("actor"))))
    )


def _wake(platform_id: UUID) -> None:
    """The platform is back: what waited because it was away is due now."""
    away = Q(last_error__startswith=NotReached.code)
    for status in rules.GATEWAY_STATUSES:
        away |= Q(last_error=f"not-confirmed status={status}")
    now = clock.now()
    Delivery.objects.filter(
        _PENDING, away, platform=platform_id, next_attempt_at__gt=now
    ).update(next_attempt_at=now)


def _resting(platform_id: UUID) -> bool:
    return _rests_until.get(platform_id, 0.0) > monotonic()


def change_of(delivery: Delivery) -> rules.Change:
    """A delivery as the platform reads it; its item or actor is read with it."""
    return rules.Change(
        id=delivery.id,
        number=delivery.number,
        verb=delivery.verb,
        item=delivery.item.external_id if delivery.item else None,
        actor=delivery.actor.external_id if delivery.actor else None,
        ordered_at=delivery.ordered_at,
        body=delivery.body,
    )


def _show_confirmed(item: Item, delivery: Delivery) -> None:
    """Set what the platform last confirmed, unless it has confirmed a later number."""
    later = Delivery.objects.filter(
        item=item,
        state=DeliveryState.CONFIRMED,
        number__gt=delivery.number,
        verb__in=rules.STATE_AFTER,
    )
    if delivery.verb in rules.STATE_AFTER and not later.exists():
        item.confirmed_state = rules.STATE_AFTER[delivery.verb]
        item.save(update_fields=["confirmed_state"])


def _feed_place(last: int | None) -> Any:
    """The transaction by which the feed sorts this delivery.

    Its own one, or that of the delivery before it if that is higher: transactions are
    numbered at their first write, which may be long before they get this item's lock,
    and the feed must show an item's deliveries in their order.
    """
    if last is None:
        return CurrentTransaction()
    return Greatest(CurrentTransaction(), as_xid(last), output_field=XidField())


def as_xid(number: int) -> Cast:
    """A transaction's number as PostgreSQL compares it: ``xid8`` takes no integer."""
    return Cast(Value(str(number)), XidField())


def _subject(delivery: Delivery) -> Item | Actor:
    subject = delivery.item or delivery.actor
    assert subject is not None  # The database holds one of the two.
    return subject


def _cases_of(deliveries: Iterable[Delivery]) -> dict[UUID, UUID]:
    """The case in which each delivery's item stands."""
    items = [each.item_id for each in deliveries if each.item_id is not None]
    return dict(CaseItem.objects.filter(item__in=items).values_list("item", "case"))


def _about(
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


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
