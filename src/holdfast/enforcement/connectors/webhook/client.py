"""Signed webhooks over HTTP: one attempt, one answer.

Signed as Standard Webhooks asks (https://www.standardwebhooks.com): the id stays the
same over all attempts, the time is that of the attempt. The address and the secret are
the operator's; none is written here. The client follows no redirect, reads no proxy
from the environment, logs nothing, retries nothing and decides nothing.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from time import monotonic
from typing import Any

import httpx
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from holdfast.base.errors import HoldfastError, InvalidInput, Unavailable

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 5.0
"""A receiver stores the instruction and answers; that takes no five seconds."""
TOTAL_TIMEOUT_S = 8.0
"""From the first byte sent to the last one received: a trickle holds nobody up."""
MAX_ANSWER_BYTES = 64 * 1024
"""An answer names one delivery; anything longer is not one."""


class NotReached(Unavailable):
    """Nobody answered, or not in time. Whether it arrived is unknown."""

    code = "unreachable"


class NotConfirmed(HoldfastError):
    """The platform answered, but did not say that it has done it."""

    code = "not-confirmed"


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status and at most ``MAX_ANSWER_BYTES`` of the body."""

    status: int
    body: bytes


def post_signed(
    url: str, secret: str, message_id: str, body: Mapping[str, Any]
) -> Answer:
    """Post ``body`` once as JSON, signed with ``secret`` (``whsec_…``).

    Raises :class:`NotReached`, or :class:`InvalidInput` for a secret that is none.
    """
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        **_signature(secret, message_id, content),
    }
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    end = monotonic() + TOTAL_TIMEOUT_S
    try:
        with _http().stream(
            "POST", url, content=content.encode(), headers=headers, timeout=timeout
        ) as response:
            raw = bytearray()
            # Raw, not decoded: a compressed answer could be a bomb; we asked for none.
            for chunk in response.iter_raw():
                raw += chunk
                if monotonic() > end:
                    raise NotReached("The answer took too long.", why="TooSlow")
                if len(raw) > MAX_ANSWER_BYTES:
                    break
            return Answer(response.status_code, bytes(raw[:MAX_ANSWER_BYTES]))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotReached(
            "The address cannot be reached.", why=type(error).__name__
        ) from error


def check_confirmed(answer: Answer, delivery_id: str) -> None:
    """Make sure that the answer is 200 and names the delivery as done.

    Raises :class:`NotConfirmed` otherwise. A bare 200 is not enough: a proxy, a login
    page or a catch-all handler answers that, too, and the item would still be seen.
    """
    if answer.status != httpx.codes.OK:
        raise NotConfirmed("The platform refused it.", status=answer.status)
    try:
        named = json.loads(answer.body)["confirmed"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotConfirmed(
            "The answer is not a confirmation.", status=answer.status, why="no-list"
        ) from error
    if not isinstance(named, list) or delivery_id not in named:
        raise NotConfirmed(
            "The answer does not name it.", status=answer.status, why="not-named"
        )


def _signature(secret: str, message_id: str, content: str) -> dict[str, str]:
    # The machine's own time and not the shiftable clock: the receiver compares it with
    # its own and refuses what is five minutes off.
    at = datetime.now(UTC)
    try:
        signed = Webhook(secret).sign(message_id, at, content)
    except (EmptyWebhookSecretError, binascii.Error, ValueError) as error:
        raise InvalidInput(
            "The webhook secret is missing or is none. It begins with whsec_ and goes "
            "on in base64."
        ) from error
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signed,
    }


@cache
def _http() -> httpx.Client:
    # One for the whole process: making one reads the machine's certificates, which
    # takes longer than a delivery.
    return httpx.Client(trust_env=False, follow_redirects=False)


def make_ready() -> None:
    """Make the client now, in one thread: several at once would each make one."""
    _http()
