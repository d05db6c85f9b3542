"""How values become the bytes of a request, and what an answer means.

It knows the contract (JSON, NDJSON, multipart, RFC 9457 problems) and nothing of
spools or threads. Only an answer in Holdfast's own form counts: a page of a proxy
with status 200 accepts nothing, and one with status 404 refuses nothing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeGuard

import httpx

from holdfast.client.courier import Accepted, Later, Outcome, Refusal
from holdfast.client.spool import Write
from holdfast.client.types import File, Item

JSON = "application/json"
NDJSON = "application/x-ndjson"
_PROBLEM = "application/problem+json"

_NOT_ABOUT_THE_WRITE = frozenset({401, 403, 408, 425, 429})
"""Client errors that go away without the write being changed: they are about the key
(401, 403) or the moment. So is any answer with ``Retry-After``, such as the 409 that
says that the same write is still under way."""


def new_key() -> str:
    """A fresh ``Idempotency-Key``: 128 random bits."""
    return uuid.uuid4().hex


def plain(value: Any, leave_out: str = "") -> dict[str, Any]:
    """A dataclass as JSON has it: no nulls, times in RFC 3339 with their zone."""
    said = {
        each.name: _json(getattr(value, each.name))
        for each in fields(value)
        if each.name != leave_out
    }
    return without_none(said)


def without_none(said: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what is not known."""
    return {name: value for name, value in said.items() if value is not None}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("Times need a zone: use datetime.now(UTC).")
        return value.isoformat()
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value


def multipart(said: bytes, files: Sequence[File]) -> tuple[str, bytes]:
    """The content type and body of an item with its files, in order."""
    parts: list[tuple[str, Any]] = [("item", (None, said, JSON))]
    parts += [("media", (each.name, each.data, each.media_type)) for each in files]
    # The host is never asked: the request only lends its encoding.
    request = httpx.Request("PUT", "http://nobody.invalid", files=parts)
    return request.headers["Content-Type"], request.read()


def subjects(item: Item) -> tuple[str, ...]:
    """What must be known before this item, and what must wait for it."""
    named = (
        f"item:{item.id}",
        item.actor and f"actor:{item.actor}",
        item.repost_of and f"item:{item.repost_of}",
        item.parent and f"item:{item.parent}",
    )
    return tuple(name for name in named if name)


def lines(body: bytes) -> list[dict[str, Any]]:
    """An NDJSON document of objects, line by line; raises ``ValueError``."""
    found = [json.loads(line) for line in body.splitlines() if line.strip()]
    if not all(isinstance(each, dict) for each in found):
        raise ValueError("Every line must be an object.")
    return found


def judge(answer: httpx.Response) -> Outcome:
    """What an answer means for the write that it answers."""
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if answer.is_success and (kind in (JSON, NDJSON) or answer.status_code == 204):
        return Accepted(answer.content)
    if answer.is_client_error and kind == _PROBLEM:
        problem = _problem(answer)
        final = _is_final(answer.status_code) and "Retry-After" not in answer.headers
        if final and problem is not None:
            return Refusal(problem)
    reason = f"answered {answer.status_code}"
    return Later(reason, _seconds(answer.headers.get("Retry-After")))


def judge_lines(write: Write, body: bytes) -> Outcome:
    """What the answer to a batch means, line by line.

    Lines that were not accepted are left over, each as a write of its own: with their
    problem when it is final, with None when they met a passing error.
    """
    try:
        answers = lines(body)
    except ValueError:
        return Later("answered something unreadable")
    left: list[tuple[Write, Mapping[str, Any] | None]] = []
    for sent, said in zip(write.body.splitlines(), answers, strict=False):
        problem = said.get("problem")
        if not problem:
            continue
        line = json.loads(sent)
        # The key follows from the first, so that a crash here cannot double it.
        key = uuid.uuid5(uuid.NAMESPACE_URL, f"{write.key} {len(left)}").hex
        alone = Write(
            key=key,
            method=write.method,
            path=write.path,
            content_type=write.content_type,
            body=sent + b"\n",
            subjects=(f"item:{line.get('item', line.get('id'))}",),
            is_count=write.is_count,
        )
        status = said.get("status", problem.get("status", 500))
        left.append((alone, problem if _is_final(status) else None))
    return Accepted(body, tuple(left))


def _is_final(status: object) -> TypeGuard[int]:
    return (
        isinstance(status, int)
        and 400 <= status < 500
        and status not in _NOT_ABOUT_THE_WRITE
    )


def _problem(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        problem = answer.json()
    except ValueError:
        return None
    return problem if isinstance(problem, dict) else None


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After`` in seconds; its other form, a date, is passed over."""
    return float(retry_after) if retry_after and retry_after.isdigit() else None
