"""Actors and items: what stands on the platform, told and asked.

An item that comes with its files is settled before the answer: fingerprinted and
compared, so that a copy of something frozen is born frozen. Items whose media have to
be fetched are answered at once and settled by a job.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Body, Path, Router

from holdfast import flow
from holdfast.base.by import By, Permission
from holdfast.base.errors import InvalidInput
from holdfast.items import operations as items
from holdfast.items import queries
from holdfast.items.keys import Caller
from holdfast.triage.queries import has_open_case
from holdfast.web.api.auth import ApiKey, caller_of, reading
from holdfast.web.api.bodies import Parts, parse, read_parts
from holdfast.web.api.field_types import ActorId, Id
from holdfast.web.api.idempotency import digest_of, once
from holdfast.web.api.limits import MAX_BODY_BYTES
from holdfast.web.api.schemas import ActorIn, ActorState, ItemIn, ItemState

log = logging.getLogger(__name__)
router = Router(tags=["Actors and items"])

SAFETY_NET_S = 5
"""How long the durable jobs of an item wait while it is settled here and now."""

ITEM_BODY: dict[str, Any] = {
    "required": True,
    "description": "JSON alone, or a form with the JSON and the files.",
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/ItemIn"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["item"],
                "properties": {
                    "item": {"$ref": "#/components/schemas/ItemIn"},
                    "media": {
                        "type": "array",
                        "items": {"type": "string", "format": "binary"},
                        "description": "The files, in order.",
                    },
                },
            },
            "encoding": {"item": {"contentType": "application/json"}},
        },
    },
}


@router.put(
    "/actors/{path:id}",
    auth=ApiKey(Permission.ITEMS_WRITE),
    response={200: ActorState, 201: ActorState},
    summary="Register an account, or say what changed about it",
)
def put_actor(
    request: HttpRequest, id: Path[ActorId], given: Body[ActorIn]
) -> HttpResponse:
    """Fields that are left out stay as they are known. The later word counts."""
    caller = caller_of(request)
    with once(request, digest_of(request.body), required=False) as asked:
        if asked.before:
            return asked.again()
        with transaction.atomic():
            _, created = items.put_actor(
                caller.platform_id, id, actor_given(given), by=caller.by
            )
            return asked.keep(
                201 if created else 200, actor_state(caller, id, reading(caller))
            )


@router.get(
    "/actors/{path:id}",
    auth=ApiKey(Permission.ITEMS_READ),
    response=ActorState,
    summary="What Holdfast holds about an account",
)
def get_actor(request: HttpRequest, id: Path[ActorId]) -> dict[str, Any]:
    """Ask before you trust your own copy; the change feed tells of every change."""
    caller = caller_of(request)
    return actor_state(caller, id, caller.by)


@router.put(
    "/items/{path:id}",
    auth=ApiKey(Permission.ITEMS_WRITE, max_bytes=MAX_BODY_BYTES),
    response={200: ItemState, 201: ItemState},
    summary="Register a piece of content, or say what changed about it",
    openapi_extra={"requestBody": ITEM_BODY},
)
def put_item(request: HttpRequest, id: Path[Id]) -> HttpResponse:
    """Send the whole item, before people see it.

    As a form with its files, the answer comes after they were fingerprinted and
    compared: when `state` is `frozen`, this is a copy of something reported and must
    not go up. As JSON with addresses of media, Holdfast fetches them soon (`pending`).
    """
    caller = caller_of(request)
    parts = read_parts(request, "item", "media")
    given = item_given(parse(parts.said, ItemIn), parts)
    with once(request, parts.digest, required=False) as asked:
        if asked.before:
            return asked.again()
        # Nothing has to be fetched: a repost, or words, are settled at once as well.
        if parts.files or not given.media:
            return asked.keep(*_put_and_settle(caller, id, given))
        with transaction.atomic():
            stored = items.put_item(caller.platform_id, id, given, by=caller.by)
            return asked.keep(
                201 if stored.created else 200, item_state(caller, id, reading(caller))
            )


@router.get(
    "/items/{path:id}",
    auth=ApiKey(Permission.ITEMS_READ),
    response=ItemState,
    summary="What Holdfast holds about an item",
)
def get_item(request: HttpRequest, id: Path[Id]) -> dict[str, Any]:
    """`state` is what you were told to show; `confirmed_state` what you said you do."""
    caller = caller_of(request)
    return item_state(caller, id, caller.by)


def actor_given(said: ActorIn) -> items.ActorGiven:
    """An account as the operation takes it."""
    return items.ActorGiven(
        screen_name=said.screen_name,
        display_name=said.display_name,
        profile_url=said.profile_url,
        email=said.email,
        age_years=said.age_years,
        created_at=said.created_at,
        closed_at=said.closed_at,
    )


def item_given(said: ItemIn, parts: Parts | None = None) -> items.ItemGiven:
    """An item as the operation takes it, with the files that came along."""
    if parts and parts.files and said.media:
        raise InvalidInput("Send the files, or their addresses in media, but not both.")
    return items.ItemGiven(
        kind=said.kind,
        posted_at=said.posted_at,
        actor=said.actor or "",
        conversation=said.conversation or "",
        parent=said.parent or "",
        repost_of=said.repost_of or "",
        url=said.url or "",
        text=said.text or "",
        language=said.language or "",
        deleted_at=said.deleted_at,
        media=_media(said, parts),
    )


def item_state(caller: Caller, external_id: str, by: By) -> dict[str, Any]:
    """An item's state, as the contract has it."""
    facts = queries.item_facts(caller.platform_id, external_id, by=by)
    return {
        "id": facts.external_id,
        "state": str(facts.state),
        "confirmed_state": str(facts.confirmed_state),
        "advertising_hold": facts.advertising_hold,
        "may_delete": facts.may_delete,
        "pending": facts.pending,
        "case_open": has_open_case(facts.id),
    }


def actor_state(caller: Caller, external_id: str, by: By) -> dict[str, Any]:
    """An account's state, as the contract has it."""
    state = queries.actor_state(caller.platform_id, external_id, by=by)
    return {"id": external_id, "state": str(state)}


def _put_and_settle(
    caller: Caller, external_id: str, given: items.ItemGiven
) -> tuple[int, dict[str, Any]]:
    stored = items.put_item(
        caller.platform_id, external_id, given, later_s=SAFETY_NET_S, by=caller.by
    )
    unsettled = False
    if stored.event is not None:
        try:
            flow.settle_arrival(stored.event)
        except Exception:
            # The item is stored and its jobs are waiting: they settle it, and raise
            # the alarm if they cannot. The platform is told that it is pending.
            log.exception("item not settled at once item=%s", stored.id)
            unsettled = True
    state = item_state(caller, external_id, reading(caller))
    state["pending"] = state["pending"] or unsettled
    return (201 if stored.created else 200), state


def _media(said: ItemIn, parts: Parts | None) -> list[items.MediaGiven] | None:
    if parts and parts.files:
        return [
            items.MediaGiven(
                media_type=file.media_type[:100], name=file.name[:400], data=file.data
            )
            for file in parts.files
        ]
    if said.media is None:
        return None
    return [
        items.MediaGiven(each.url, each.media_type or "", each.name or "")
        for each in said.media
    ]
