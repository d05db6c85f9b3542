"""The change feed, for platforms that poll: the same facts as the webhooks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router

from holdfast.base.by import Permission
from holdfast.enforcement import confirming
from holdfast.enforcement.queries import changes
from holdfast.web.api.auth import ApiKey, caller_of
from holdfast.web.api.idempotency import digest_of, once
from holdfast.web.api.schemas import ChangesOut, ConfirmIn, ConfirmOut, PageIn

router = Router(tags=["Changes"])


@router.get(
    "/changes",
    auth=ApiKey(Permission.CHANGES_READ),
    response=ChangesOut,
    exclude_unset=True,
    summary="What to do, in the order of commits",
)
def get_changes(request: HttpRequest, asked: Query[PageIn]) -> dict[str, Any]:
    """Apply in order, confirm with `POST /changes:confirm`, keep the cursor. A number
    that is not above the last one applied to that item is a repeat: ignore it.
    """
    caller = caller_of(request)
    page = changes(caller.platform_id, asked.cursor or None, asked.limit, by=caller.by)
    return {
        "data": [change.as_json() for change in page.data],
        "next_cursor": page.next_cursor,
    }


@router.post(
    "/changes:confirm",
    auth=ApiKey(Permission.CHANGES_READ),
    response=ConfirmOut,
    summary="Say which changes are carried out",
)
def confirm(request: HttpRequest, said: Body[ConfirmIn]) -> HttpResponse:
    """Until this, a freeze counts as not in force, and people are alarmed."""
    caller = caller_of(request)
    with once(request, digest_of(request.body)) as asked:
        if asked.before:
            return asked.again()
        # A transaction for each: in one for all, many items would stay locked while
        # this waits for what the worker holds, and the worker for one of them.
        done = confirming.confirm(caller.platform_id, said.confirmed, by=caller.by)
        return asked.keep(
            200, {"confirmed": list(done.confirmed), "unknown": list(done.unknown)}
        )
