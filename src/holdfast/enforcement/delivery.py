"""Handing over: every word to a platform, in order, until it is confirmed.

One item's deliveries are handed over strictly one after another. No lock is held during
a network call: a worker takes a delivery by a short lease, and whoever dies in between
is replaced when that ends, so a platform may be told twice and never not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from holdfast.base import clock
from holdfast.base.by import SYSTEM
from holdfast.base.errors import HoldfastError
from holdfast.base.events import in_bulk
from holdfast.base.models import Event
from holdfast.enforcement import rules
from holdfast.enforcement.confirming import confirm_deliveries
from holdfast.enforcement.connectors.webhook.client import (
    NotReached,
    check_confirmed,
    make_ready,
    post_signed,
)
from holdfast.enforcement.models import PENDING, Delivery
from holdfast.items.keys import webhook_secret

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

_rests_until: dict[UUID, float] = {}


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
            .filter(PENDING, id__in=wanted, next_attempt_at__lte=now)
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
        PENDING, id=delivery.id, next_attempt_at=delivery.next_attempt_at
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
    before = Delivery.objects.filter(PENDING, number__lt=OuterRef("number"))
    return (
        Delivery.objects.filter(PENDING, next_attempt_at__lte=clock.now())
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
        PENDING, away, platform=platform_id, next_attempt_at__gt=now
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
