"""Telling the platform of contact holds, and how far it has come with them.

A hold is a delivery about the account that is held, in order with what else happens to
it. The platform is told towards whom, for it needs to know, and until when; it goes on
holding until it is told to release.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from holdfast.base.by import SYSTEM
from holdfast.base.events import Event
from holdfast.enforcement.models import Delivery, DeliveryState, Verb
from holdfast.enforcement.orders import lock_subject, order
from holdfast.freeze.models import ContactHold
from holdfast.items.models import Actor, Item


def order_contact_hold(event: Event) -> None:
    """Step: the account cannot write to its reporter."""
    hold = _hold_of(event)
    with transaction.atomic():
        _order_once(lock_subject(hold.actor), hold, Verb.HOLD_CONTACT)


def order_contact_release(event: Event) -> None:
    """Step: it can again, once no report asks for it to be held any more.

    Then every hold that the platform was told of is released, each by its own id.
    """
    hold = _hold_of(event)
    with transaction.atomic():
        actor = lock_subject(hold.actor)
        same = ContactHold.objects.filter(actor=hold.actor, toward=hold.toward)
        if same.filter(released_at=None).exists():
            return
        for each in same.select_related("toward").order_by("held_at", "id"):
            _order_once(actor, each, Verb.RELEASE_CONTACT)


@dataclass(frozen=True)
class HoldLine:
    """One contact hold. ``confirmed``: the platform has done what it was last told."""

    id: UUID
    report_id: UUID
    actor: str
    """The name by which the account is known on its platform."""
    held_at: datetime
    ends_at: datetime
    released_at: datetime | None
    because: str
    vouched: bool
    confirmed: bool


def holds_of(report_ids: Iterable[UUID]) -> list[HoldLine]:
    """The contact holds of some reports, the first first."""
    holds = ContactHold.objects.filter(report__in=list(report_ids))
    rows = list(holds.select_related("actor").order_by("held_at", "id"))
    told = Delivery.objects.filter(
        verb__in=[Verb.HOLD_CONTACT, Verb.RELEASE_CONTACT],
        body__hold__in=[str(row.id) for row in rows],
    )
    last = {each.body["hold"]: each for each in told.order_by("number")}
    return [
        HoldLine(
            id=row.id,
            report_id=row.report_id,
            actor=row.actor.screen_name or row.actor.external_id,
            held_at=row.held_at,
            ends_at=row.ends_at,
            released_at=row.released_at,
            because=row.because,
            vouched=row.vouched,
            confirmed=str(row.id) in last
            and last[str(row.id)].state == DeliveryState.CONFIRMED,
        )
        for row in rows
    ]


def _hold_of(event: Event) -> ContactHold:
    return ContactHold.objects.select_related("actor", "toward").get(
        id=event.about["hold"]
    )


def _order_once(actor: Item | Actor, hold: ContactHold, verb: Verb) -> None:
    """Tell the platform of a hold, whose account is locked; twice changes nothing."""
    known = Delivery.objects.filter(actor=actor.id, verb=verb, body__hold=str(hold.id))
    if known.exists():
        return
    order(
        actor,
        verb,
        {
            "hold": str(hold.id),
            "toward": hold.toward.external_id,
            "until": hold.ends_at.isoformat(),
        },
        by=SYSTEM,
    )
