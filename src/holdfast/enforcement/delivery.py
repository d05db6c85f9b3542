"""Every word to a platform: ordered, handed over in order, confirmed.

A delivery gets its number under its item's (or actor's) row lock, so that numbers are
the order of commits. One item's deliveries are handed over strictly one after another,
each until it is confirmed. No lock is held during a network call: a worker takes a
delivery by a short lease, and whoever dies in between is replaced when that ends, so a
platform may be told twice and never not at all. Nothing here decides what to order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Value
from django.db.models.functions import Cast, Greatest

from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.base.deadlock import again_after_deadlock
from holdfast.base.errors import HoldfastError, NotFound
from holdfast.base.events import Kind, Telling, emit_many, in_bulk
from holdfast.base.fields import CurrentTransaction, XidField
from holdfast.base.models import Event
from holdfast.enforcement import rules
from holdfast.enforcement.connectors.webhook.client import (
    NotReached,
    check_confirmed,
    make_ready,
    post_signed,
)
from holdfast.enforcement.models import Delivery, DeliveryState, Enforcement, Verb
from holdfast.items.keys import webhook_secret
from holdfast.items.models import Actor, Item
from holdfast.items.queries import lock_items
from holdfast.triage.models import CaseItem

REST_S = 2.0
"""After nobody answered, this process leaves the platform alone for so long, so that a
dead platform does not take every worker away from the living ones."""

TICK_BUDGET_S = 2.0
"""How long one tick goes on handing over to one platform; the next one follows at
once."""

DRAIN_BUDGET_S = 60.0
"""How long one step goes on handing over; the tick takes up what is left."""

AT_ONCE = 8
"""Deliveries that are handed over side by side, each about another item or actor. A
lease outlasts one such round."""

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
    if not Delivery.objects.filter(id=delivery_id).exists():
        raise NotFound("There is no such delivery.", delivery=delivery_id)
    return bool(confirm_deliveries([delivery_id], by=by))


@again_after_deadlock
def confirm_deliveries(delivery_ids: Collection[UUID], *, by: By) -> int:
    """Note that the platform has done these; returns how many were news.

    All in one transaction: what is told to a platform together is confirmed together.
    """
    with transaction.atomic():
        found = Delivery.objects.filter(_PENDING, id__in=delivery_ids)
        lock_items(found.exclude(item=None).values_list("item", flat=True))
        actors = Actor.objects.filter(id__in=found.exclude(actor=None).values("actor"))
        list(actors.select_for_update().order_by("id"))
        news = list(found.select_related("enforcement__decision").order_by("number"))
        Delivery.objects.filter(id__in=[each.id for each in news]).update(
            state=DeliveryState.CONFIRMED, confirmed_at=clock.now(), last_error=""
        )
        _show_confirmed(news)
        cases = _cases_of(news)
        emit_many(
            Kind.DELIVERY_CONFIRMED,
            [
                Telling(
                    _about(each, each.enforcement, cases),
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


@in_bulk
def hand_over(*events: Event) -> None:
    """Step: hand over what is due at the events' platforms.

    Enqueued once for all that was ordered together: it looks itself for what is due.
    """
    for platform_id in {UUID(event.about["platform"]) for event in events}:
        drain(Q(platform=platform_id))


def hand_over_what_is_due() -> None:
    """Hand over everything whose time has come, all platforms side by side."""
    make_ready()
    due = _due().order_by().values_list("platform_id", flat=True).distinct()
    platforms = [each for each in due if not _resting(each)]
    if not platforms:
        return
    with ThreadPoolExecutor(PLATFORMS_AT_ONCE, "hand-over") as pool:
        for finished in [pool.submit(_serve, each) for each in platforms]:
            finished.result()


def drain(mine: Q, budget_s: float = DRAIN_BUDGET_S) -> None:
    """Hand over deliveries in order, as far as they are due. ``mine`` says whose."""
    end = monotonic() + budget_s
    platforms: set[UUID] = set()
    while monotonic() < end and (leased := _lease(mine)):
        platforms |= {each.platform_id for each in leased}
        done = _hand_over_together(leased)
        if not done:
            return
        confirm_deliveries(done, by=SYSTEM)
    for platform_id in platforms:
        _wake(platform_id)


def _lease(mine: Q) -> list[Delivery]:
    """The oldest unconfirmed delivery of a few items, leased to this worker.

    What is oldest is found first and locked then: a look that skips locked rows would
    hand over the second while somebody has the first.
    """
    oldest = list(
        _due()
        .filter(mine)
        .order_by("next_attempt_at", "number")
        .values_list("id", "platform_id")[:AT_ONCE]
    )
    wanted = [id_ for id_, platform_id in oldest if not _resting(platform_id)]
    if not wanted:
        return []
    with transaction.atomic():
        now = clock.now()
        leased = list(
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("platform", "item", "actor")
            .filter(_PENDING, id__in=wanted, next_attempt_at__lte=now)
        )
        for each in leased:
            each.next_attempt_at = now + timedelta(seconds=rules.LEASE_S)
            each.attempts += 1
            each.last_error = ""
        Delivery.objects.filter(id__in=[each.id for each in leased]).update(
            next_attempt_at=now + timedelta(seconds=rules.LEASE_S),
            attempts=F("attempts") + 1,
            last_error="",
        )
    return leased


def _hand_over_together(leased: Sequence[Delivery]) -> list[UUID]:
    """Hand leased deliveries over side by side; those that the platform confirmed.

    The threads do nothing but the network: no connection to the database is opened in
    them.
    """
    make_ready()
    secrets = {each.platform_id: webhook_secret(each.platform) for each in leased}
    with ThreadPoolExecutor(AT_ONCE, "deliver") as pool:
        errors = list(
            pool.map(lambda each: _post(each, secrets[each.platform_id]), leased)
        )
    done: list[UUID] = []
    for delivery, error in zip(leased, errors, strict=True):
        if error is None:
            done.append(delivery.id)
            continue
        _put_back(delivery, error)
        if isinstance(error, NotReached):
            _rests_until[delivery.platform_id] = monotonic() + REST_S
    return done


def _post(delivery: Delivery, secret: str) -> HoldfastError | None:
    """Tell the platform; None when it said that it is done."""
    try:
        answer = post_signed(
            delivery.platform.webhook_url,
            secret,
            str(delivery.id),
            rules.webhook_body(change_of(delivery)),
        )
        check_confirmed(answer, str(delivery.id))
    except HoldfastError as error:
        return error
    return None


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
    try:
        drain(Q(platform=platform_id), TICK_BUDGET_S)
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
