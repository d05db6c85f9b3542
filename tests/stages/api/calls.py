"""Calling the platform API in tests, as a platform does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from django.http.response import HttpResponseBase
from django.test import Client

from holdfast.base.by import SYSTEM, Permission
from holdfast.items.keys import SCOPES, create_key
from tests.world import World

BASE = "/api/v1"
PROBLEM = "application/problem+json"
POSTED_AT = "2026-11-22T07:12:00Z"


def body_of(answer: HttpResponseBase) -> bytes:
    """The whole body, streamed or not."""
    if answer.streaming:
        parts: Any = answer
        return b"".join(parts.streaming_content)
    whole: Any = answer
    return bytes(whole.content)


def json_of(answer: HttpResponseBase) -> Any:
    return json.loads(body_of(answer))


class Api:
    """One key's line to the API."""

    def __init__(self, world: World, scopes: Sequence[Permission] = SCOPES) -> None:
        self.world = world
        self.token = create_key(world.platform_id, "test", scopes, by=SYSTEM)
        self.client = Client(raise_request_exception=False)

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        media_type: str = "application/json",
        key: str | None = None,
        **headers: str,
    ) -> HttpResponseBase:
        """One request. A POST gets a new Idempotency-Key unless one is given."""
        if key is None and method == "POST":
            key = uuid.uuid4().hex
        said = {"Authorization": f"Bearer {self.token}", **headers}
        if key:
            said["Idempotency-Key"] = key
        answer: HttpResponseBase = self.client.generic(
            method, BASE + path, body, media_type, headers=said
        )
        return answer

    def put(self, path: str, said: Any, **how: Any) -> HttpResponseBase:
        return self.call("PUT", path, json.dumps(said).encode(), **how)

    def post(self, path: str, said: Any, **how: Any) -> HttpResponseBase:
        return self.call("POST", path, json.dumps(said).encode(), **how)

    def get(self, path: str) -> HttpResponseBase:
        return self.call("GET", path)

    def upload(
        self, item: str, *files: bytes, key: str | None = None, **said: Any
    ) -> HttpResponseBase:
        """An item with its files."""
        body, media_type = form(
            {"kind": "image", "posted_at": POSTED_AT, **said}, *files
        )
        return self.call("PUT", f"/items/{item}", body, media_type, key=key)

    def batch(self, path: str, *lines: Any, key: str | None = None) -> HttpResponseBase:
        """A batch; a line that is bytes is sent as it is."""
        body = b"".join(
            (each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n"
            for each in lines
        )
        return self.call("POST", path, body, "application/x-ndjson", key=key)


def lines_of(answer: HttpResponseBase) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body_of(answer).splitlines()]


def form(said: Any, *files: bytes, boundary: str = "") -> tuple[bytes, str]:
    """An item and its files as multipart/form-data."""
    line = boundary or uuid.uuid4().hex
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="item"\r\n'
        f"Content-Type: application/json\r\n\r\n{json.dumps(said)}\r\n".encode()
    ]
    for number, data in enumerate(files):
        head = (
            f'--{line}\r\nContent-Disposition: form-data; name="media"; '
            f'filename="{number}.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        )
        parts.append(head.encode() + data + b"\r\n")
    parts.append(f"--{line}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={line}"
