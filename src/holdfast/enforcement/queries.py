"""Reading what platforms were told: the change feed, an item's deliveries, health.

Never changes anything. The feed is in the order of commits and skips nothing: it reads
by transaction and only below the oldest one still running (PostgreSQL,
"System Information Functions", ``pg_snapshot_xmin``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Min, OuterRef, Q, Subquery

from holdfast.base import clock
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput
from holdfast.base.fields import HORIZON_SQL
from holdfast.enforcement.delivery import change_of
from holdfast.enforcement.models import Delivery, DeliveryState
from holdfast.enforcement.orders import as_xid
from holdfast.enforcement.rules import Change, Place, cursor_of, place_of
from holdfast.items.models import Platform

MOST_CHANGES = 1000
"""How many changes one page of the feed may hold."""


@dataclass(frozen=True)
class Changes:
    """One page of the feed. ``next_cursor`` is where the next page begins.

    It is given also when there is nothing new (the cursor that was handed in), so that
    a platform can go on from it; None only before the first change of all.
    """

    data: tuple[Change, ...]
    next_cursor: str | None


def changes(
    platform_id: UUID, cursor: str | None = None, limit: int = 100, *, by: By
) -> Changes:
    """What the platform was told after ``cursor``, in the order of commits.

    An item's changes stand in the order of their numbers. Raises :class:`InvalidInput`
    for a cursor that is none and a ``limit`` outside 1 to ``MOST_CHANGES``.
    """
    by.require(Permission.CHANGES_READ)
    if not 1 <= limit <= MOST_CHANGES:
        raise InvalidInput(f"A limit is a number from 1 to {MOST_CHANGES}.")
    wanted = Q(platform=platform_id, xid__lt=as_xid(_horizon()))
    if cursor:
        wanted &= _after(place_of(cursor))
    found = list(
        Delivery.objects.filter(wanted)
        .select_related("item", "actor")
        .order_by("xid", "number", "id")[:limit]
    )
    if found:
        last = found[-1]
        cursor = cursor_of(Place(last.xid, last.number, last.id))
    return Changes(tuple(change_of(each) for each in found), cursor or None)


def feed_lag_s() -> float:
    """For how many seconds the oldest change has been held back from the feed.

    0 when nothing waits. A change waits while any transaction of the database cluster
    that began to write before it is still open.
    """
    horizon = as_xid(_horizon())
    waiting = Delivery.objects.filter(platform=OuterRef("id"), xid__gte=horizon)
    first = waiting.order_by("ordered_at").values("ordered_at")[:1]
    waits = Platform.objects.annotate(since=Subquery(first)).values_list(
        "since", flat=True
    )
    ages_s = [(clock.now() - since).total_seconds() for since in waits if since]
    return max(ages_s, default=0.0)


@dataclass(frozen=True)
class DeliveryLine:
    """One instruction and how far it has come."""

    id: UUID
    platform_id: UUID
    item_id: UUID | None
    actor_id: UUID | None
    number: int
    verb: str
    body: Mapping[str, Any]
    state: DeliveryState
    attempts: int
    last_error: str
    next_attempt_at: datetime
    ordered_at: datetime
    confirmed_at: datetime | None


def item_deliveries(item_id: UUID, *, by: By) -> list[DeliveryLine]:
    """Everything the platform was told about an item, in order."""
    by.require(Permission.CASE_READ)
    return [_line(each) for each in _in_order(Q(item=item_id))]


def actor_deliveries(actor_id: UUID, *, by: By) -> list[DeliveryLine]:
    """Everything the platform was told about an account, in order."""
    by.require(Permission.CASE_READ)
    return [_line(each) for each in _in_order(Q(actor=actor_id))]


def deliveries_about(
    item_ids: Iterable[UUID], actor_ids: Iterable[UUID], *, by: By
) -> list[DeliveryLine]:
    """What the platform was told about some items and accounts, the first first."""
    by.require(Permission.CASE_READ)
    wanted = Q(item__in=list(item_ids)) | Q(actor__in=list(actor_ids))
    told = Delivery.objects.filter(wanted).order_by("ordered_at", "number", "id")
    return [_line(each) for each in told]


def unconfirmed(platform_id: UUID, *, by: By) -> list[DeliveryLine]:
    """What the platform has not confirmed, the longest waiting first."""
    by.require(Permission.CASE_READ)
    waiting = Delivery.objects.filter(
        platform=platform_id, state=DeliveryState.PENDING
    ).order_by("ordered_at", "number")
    return [_line(each) for each in waiting]


@dataclass(frozen=True)
class WebhookHealth:
    """How one platform takes what it is told."""

    platform_id: UUID
    slug: str
    polls: bool
    """It has no webhook address: it reads the feed and confirms there."""
    unconfirmed: int
    unconfirmed_freezes: int
    oldest_s: float
    """Age of the oldest unconfirmed instruction, in seconds; 0 when there is none."""
    most_attempts: int
    last_error: str
    """Of the instruction that failed most recently; a code without content."""
    last_confirmed_at: datetime | None


def webhook_health(*, by: By) -> list[WebhookHealth]:
    """How every platform takes what it is told."""
    by.require(Permission.PLATFORM_MANAGE)
    return [_health(each) for each in Platform.objects.order_by("slug")]


def _health(platform: Platform) -> WebhookHealth:
    own = Delivery.objects.filter(platform=platform)
    pending = own.filter(state=DeliveryState.PENDING)
    sums = pending.aggregate(
        number=Count("id"),
        freezes=Count("id", filter=Q(verb="freeze")),
        oldest=Min("ordered_at"),
        attempts=Max("attempts"),
    )
    failed = pending.exclude(last_error="").order_by("-next_attempt_at").first()
    confirmed = own.aggregate(at=Max("confirmed_at"))["at"]
    oldest = sums["oldest"]
    return WebhookHealth(
        platform_id=platform.id,
        slug=platform.slug,
        polls=not platform.webhook_url,
        unconfirmed=sums["number"],
        unconfirmed_freezes=sums["freezes"],
        oldest_s=(clock.now() - oldest).total_seconds() if oldest else 0.0,
        most_attempts=sums["attempts"] or 0,
        last_error=failed.last_error if failed else "",
        last_confirmed_at=confirmed,
    )


def _horizon() -> int:
    with connection.cursor() as cursor:
        cursor.execute(HORIZON_SQL)
        return int(cursor.fetchone()[0])


def _after(place: Place) -> Q:
    xid = as_xid(place.xid)
    same = Q(xid=xid)
    return Q(xid__gte=xid) & (
        Q(xid__gt=xid)
        | same & Q(number__gt=place.number)
        | same & Q(number=place.number, id__gt=place.id)
    )


def _in_order(mine: Q) -> list[Delivery]:
    return list(Delivery.objects.filter(mine).order_by("number"))


def _line(delivery: Delivery) -> DeliveryLine:
    return DeliveryLine(
        id=delivery.id,
        platform_id=delivery.platform_id,
        item_id=delivery.item_id,
        actor_id=delivery.actor_id,
        number=delivery.number,
        verb=delivery.verb,
        body=delivery.body,
        state=DeliveryState(delivery.state),
        attempts=delivery.attempts,
        last_error=delivery.last_error,
        next_attempt_at=delivery.next_attempt_at,
        ordered_at=delivery.ordered_at,
        confirmed_at=delivery.confirmed_at,
    )
