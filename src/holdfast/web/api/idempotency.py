"""``Idempotency-Key``: the same request twice is one piece of work and one answer.

How a view uses it::

    with once(request, digest) as asked:
        if asked.before:
            return asked.again()
        ...                        # what needs a network, outside any transaction
        with transaction.atomic():
            ...                    # the work
            return asked.keep(201, body)

The key is held by a lock of the database session while the request is carried out; a
second request at the same instant gets 409 with ``Retry-After``, and a killed process
gives the key back. The answer is stored in the transaction of the work, so a crash
leaves both or neither. Where the work is several transactions (a batch, an item with
files that is settled after its commit) each is safe to run twice, and the answer is
kept at the end. A refusal changed nothing and is not kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from holdfast.items.answers import Answer, one_at_a_time, recall, remember
from holdfast.web.api.auth import caller_of
from holdfast.web.api.problems import ApiError

HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotent-Replay"
MAX_KEY = 200  # characters; the width of the column.
_KEY = re.compile(rf"[\x20-\x7e]{{1,{MAX_KEY}}}")


class KeyMissing(ApiError):
    """A write came without a key, or with one that cannot be used."""

    code = "idempotency-key"


@dataclass
class Asked:
    """One request with its key, while it is carried out."""

    key_id: UUID
    key: str
    request_hash: str
    before: Answer | None = None
    """The answer given to the same request before."""

    def again(self, media_type: str = "application/json") -> HttpResponse:
        """That answer once more."""
        assert self.before is not None
        answer = HttpResponse(
            self.before.body, status=self.before.status, content_type=media_type
        )
        answer[REPLAY_HEADER] = "true"
        return answer

    def keep(self, status: int, body: Mapping[str, Any]) -> HttpResponse:
        """Answer with this, and the same if asked again."""
        text = json.dumps(body)
        self.keep_text(status, text)
        return HttpResponse(text, status=status, content_type="application/json")

    def keep_text(self, status: int, text: str) -> None:
        """Keep an answer that has been given already."""
        if self.key:
            remember(self.key_id, self.key, self.request_hash, Answer(status, text))


def digest_of(*parts: bytes) -> str:
    """The hash of a body that has several parts; where one ends is part of it."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


def key_of(request: HttpRequest, *, required: bool) -> str:
    """The request's key; ``""`` if it has none and needs none."""
    key = request.headers.get(HEADER, "")
    if not key and not required:
        return ""
    if not _KEY.fullmatch(key):
        raise KeyMissing(
            f"Send {HEADER} with 1 to {MAX_KEY} printable ASCII characters: a new "
            "random value for each new request, the same one to repeat it."
        )
    return key


@contextmanager
def once(
    request: HttpRequest, body_digest: str, *, required: bool = True
) -> Iterator[Asked]:
    """Hold the request's key while it is carried out; see the module's text."""
    key = key_of(request, required=required)
    key_id = caller_of(request).key_id
    where = f"{request.method} {request.path}".encode()
    asked = Asked(key_id, key, digest_of(where, body_digest.encode()))
    if not key:
        yield asked
        return
    with one_at_a_time(key_id, key):
        asked.before = recall(key_id, key, asked.request_hash)
        yield asked
