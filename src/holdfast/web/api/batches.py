"""Batches: many actors, items or counts in one request, one JSON object a line.

Each line is a transaction of its own and is answered in its place; a bad line does
not spoil the others. When the connection breaks, the lines that were not answered may
not have been done: send the batch again, each line may be told twice.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Router, Schema

from holdfast.base.by import Permission
from holdfast.items import operations as items
from holdfast.items.keys import Caller
from holdfast.web.api.auth import ApiKey, caller_of, reading
from holdfast.web.api.bodies import fit
from holdfast.web.api.idempotency import Asked, once
from holdfast.web.api.items import actor_given, actor_state, item_given, item_state
from holdfast.web.api.limits import (
    LINES_PER_TOKEN,
    MAX_BODY_BYTES,
    admit,
)
from holdfast.web.api.ndjson import MEDIA_TYPE, Batch
from holdfast.web.api.problems import ApiError, BadLine, of_error
from holdfast.web.api.schemas import (
    ActorLine,
    BatchAnswer,
    ItemLine,
    PlacementLine,
    ShareLine,
    ViewsLine,
)
from holdfast.web.waiting import hold_up

log = logging.getLogger(__name__)
router = Router(tags=["Batches"])

Line = TypeVar("Line", bound=Schema)
State = dict[str, Any]
Done = tuple[int, State | None]


def body_of(shape: type[Schema], *also: str) -> dict[str, Any]:
    """What the document says of a body of lines; ``also``: other media types."""
    ref = f"#/components/schemas/{shape.__name__}"
    return {
        "requestBody": {
            "required": True,
            "description": "One JSON object a line.",
            "content": {
                kind: {"schema": {"$ref": ref}} for kind in (MEDIA_TYPE, *also)
            },
        },
        "responses": {
            200: {
                "description": "One answer a line, in the same order.",
                "content": {
                    MEDIA_TYPE: {
                        "schema": {
                            "$ref": f"#/components/schemas/{BatchAnswer.__name__}"
                        }
                    }
                },
            }
        },
    }


def _key() -> ApiKey:
    return ApiKey(Permission.ITEMS_WRITE, max_bytes=MAX_BODY_BYTES, chunked=True)


@router.post(
    "/actors:batch",
    auth=_key(),
    summary="Register many accounts",
    openapi_extra=body_of(ActorLine),
)
def actors(request: HttpRequest) -> HttpResponseBase:
    """As `PUT /actors/{id}`, one a line."""

    def put(caller: Caller, line: ActorLine) -> Done:
        _, created = items.put_actor(
            caller.platform_id, line.id, actor_given(line), by=caller.by
        )
        return _status(created), actor_state(caller, line.id, reading(caller))

    return answer_lines(request, ActorLine, put)


@router.post(
    "/items:batch",
    auth=_key(),
    summary="Register many items",
    openapi_extra=body_of(ItemLine),
)
def many_items(request: HttpRequest) -> HttpResponseBase:
    """As `PUT /items/{id}`, one a line, with media by address only."""

    def put(caller: Caller, line: ItemLine) -> Done:
        stored = items.put_item(
            caller.platform_id, line.id, item_given(line), by=caller.by
        )
        return _status(stored.created), item_state(caller, line.id, reading(caller))

    return answer_lines(request, ItemLine, put)


@router.post(
    "/shares:batch",
    auth=_key(),
    summary="Say who passed what on",
    openapi_extra=body_of(ShareLine),
)
def shares(request: HttpRequest) -> HttpResponseBase:
    """For sharing that makes no new item; a repost is an item with `repost_of`."""

    def record(caller: Caller, line: ShareLine) -> Done:
        items.record_share(
            caller.platform_id,
            line.id,
            line.item,
            line.shared_at,
            line.actor or "",
            by=caller.by,
        )
        return 200, None

    return answer_lines(request, ShareLine, record)


@router.post(
    "/views:batch",
    auth=_key(),
    summary="Say how often items were seen so far",
    openapi_extra=body_of(ViewsLine),
)
def views(request: HttpRequest) -> HttpResponseBase:
    """The total so far, so that a repeat does no harm."""

    def record(caller: Caller, line: ViewsLine) -> Done:
        items.record_views(
            caller.platform_id,
            line.item,
            line.views_total,
            line.counted_at,
            by=caller.by,
        )
        return 200, None

    return answer_lines(request, ViewsLine, record)


@router.post(
    "/placements:batch",
    auth=_key(),
    summary="Say which adverts stood beside which items",
    openapi_extra=body_of(PlacementLine),
)
def placements(request: HttpRequest) -> HttpResponseBase:
    """And what each earned, before and after the first report."""

    def record(caller: Caller, line: PlacementLine) -> Done:
        items.record_placement(
            caller.platform_id,
            line.id,
            line.item,
            line.shown_at,
            line.earned_micros,
            line.currency,
            by=caller.by,
        )
        return 200, None

    return answer_lines(request, PlacementLine, record)


def answer_lines(
    request: HttpRequest,
    shape: type[Line],
    do: Callable[[Caller, Line], Done],
    kind: type[Batch] = Batch,
    admitted: Callable[[Caller, float], float] = admit,
) -> HttpResponseBase:
    """Read a body of lines, do what each says, and answer each in its place.

    ``admitted`` refuses so many requests, or says for how long the end of their answer
    is to be held up.
    """
    with ExitStack() as opened:
        batch = kind(request)
        opened.callback(batch.close)
        wait_s = admitted(caller_of(request), batch.line_count / LINES_PER_TOKEN)
        asked = opened.enter_context(once(request, batch.digest))
        if asked.before:
            return asked.again(MEDIA_TYPE)
        told = _answers(request, batch, asked, shape, do, opened.pop_all())
        answers = _held_up(told, wait_s)
        # Started now, so that closing it gives the key back even if no line is sent.
        next(answers)
    answer: HttpResponse | StreamingHttpResponse = StreamingHttpResponse(
        answers, content_type=MEDIA_TYPE
    )
    return answer


def _answers(
    request: HttpRequest,
    batch: Batch,
    asked: Asked,
    shape: type[Line],
    do: Callable[[Caller, Line], Done],
    opened: ExitStack,
) -> Iterator[str]:
    with opened:
        yield ""
        given: list[str] = []
        passing = False
        for line in batch.lines():
            said = _one(request, batch.at, line, shape, do)
            passing = passing or said["status"] >= 500
            given.append(json.dumps(said) + "\n")
            yield given[-1]
        if not passing:
            asked.keep_text(200, "".join(given))


def _held_up(answers: Iterator[str], wait_s: float) -> Iterator[str]:
    """What is answered is kept, and the key is free, before the end is held up."""
    yield from answers
    hold_up(wait_s)


def _one(
    request: HttpRequest,
    number: int,
    line: bytes | ApiError,
    shape: type[Line],
    do: Callable[[Caller, Line], Done],
) -> dict[str, Any]:
    named: str | None = None
    try:
        if isinstance(line, BadLine):
            named = line.named
        if isinstance(line, ApiError):
            raise line
        value = _object(line)
        named = _name(value)
        status, state = do(caller_of(request), fit(value, shape))
    except Exception as error:
        said, _ = of_error(f"{request.path}#line={number}", error)
        if not connection.in_atomic_block:
            # A connection that was lost is opened again for the next line.
            connection.close_if_unusable_or_obsolete()
        return {"id": named, "status": said["status"], "problem": said}
    answer: dict[str, Any] = {"id": named, "status": status}
    return answer if state is None else {**answer, "state": state}


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise ApiError("The line is not JSON in UTF-8. Correct it.") from None
    if not isinstance(value, dict):
        raise ApiError("A line is one JSON object.")
    return value


def _name(value: dict[str, Any]) -> str | None:
    named = value.get("id", value.get("item", value.get("reference")))
    return named if isinstance(named, str) and len(named) <= 200 else None


def _status(created: bool) -> int:
    return 201 if created else 200
