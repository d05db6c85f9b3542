"""Bringing a statement of reasons to the account's owner, through the platform."""

from __future__ import annotations

from holdfast.base.by import SYSTEM
from holdfast.base.events import Event
from holdfast.decisions.models import StatementOfReasons
from holdfast.enforcement.models import Delivery, Verb
from holdfast.enforcement.orders import lock_subject, order
from holdfast.items.models import Item


def deliver_statement(event: Event) -> None:
    """Step: order the platform to hand a statement over; the same one is ordered once.

    It is a delivery about the actor, in order with what else happens to the account.
    """
    statement = StatementOfReasons.objects.select_related("actor").get(
        id=event.about["statement"]
    )
    actor = lock_subject(statement.actor)
    known = Delivery.objects.filter(
        actor=actor.id, verb=Verb.STATEMENT, body__statement=str(statement.id)
    )
    if known.exists():
        return
    item_id = statement.item_id
    item = Item.objects.filter(id=item_id).first() if item_id else None
    order(
        actor,
        Verb.STATEMENT,
        {
            "statement": str(statement.id),
            "kind": statement.kind,
            "words": statement.words,
            **({"item": item.external_id} if item else {}),
        },
        by=SYSTEM,
    )
