"""HTTP to the host platform. Only hosts that the platform's row names are asked.

Each request is signed as a webhook is (Standard Webhooks, over an empty body), so that
the platform can serve what is frozen to Holdfast and to nobody else. Redirects are not
followed: they could lead to a host that nobody allowed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from holdfast.base import clock
from holdfast.base.errors import Refused, Unavailable
from holdfast.base.ids import uuid7
from holdfast.items.rules import host_allowed

FETCH_TIMEOUT_S = 20.0
LOOKUP_TIMEOUT_S = 1.5
"""A report waits no longer than this for the platform to say what an address means."""
MAX_MEDIA_BYTES = 64 * 1024 * 1024
MAX_LOOKUP_BYTES = 4096


@dataclass(frozen=True)
class Host:
    """What is needed to ask a platform."""

    media_hosts: tuple[str, ...]
    lookup_url: str
    secret: str


@dataclass(frozen=True)
class Fetched:
    """Media as the platform served it."""

    data: bytes
    media_type: str


def fetch_media(host: Host, url: str) -> Fetched:
    """The bytes behind a media address, in memory; see :func:`fetch_into`."""
    held = io.BytesIO()
    media_type = fetch_into(host, url, held, MAX_MEDIA_BYTES)
    return Fetched(held.getvalue(), media_type)


def fetch_into(host: Host, url: str, file: BinaryIO, limit_bytes: int) -> str:
    """Write the bytes behind a media address into ``file``; returns their type.

    Raises ``Refused`` for a host that is not allowed or a file that is too large, and
    ``Unavailable`` when the platform does not answer with the file.
    """
    if not host_allowed(url, host.media_hosts) or urlsplit(url).scheme not in (
        "http",
        "https",
    ):
        raise Refused(
            "Media may be fetched only from the hosts that the platform's settings "
            "name. Add the host there, or upload the file."
        )
    try:
        with httpx.stream(
            "GET", url, headers=signed_headers(host.secret), timeout=FETCH_TIMEOUT_S
        ) as answer:
            if answer.status_code != httpx.codes.OK:
                raise Unavailable(
                    "The platform did not serve the file.", status=answer.status_code
                )
            _read(answer, file, limit_bytes)
            media_type: str = answer.headers.get("content-type", "")
            return media_type.partition(";")[0].strip()
    except httpx.HTTPError as error:
        raise Unavailable(
            "The platform could not be reached.", why=type(error).__name__
        ) from error


@dataclass(frozen=True)
class Meant:
    """What an address means to its platform, by the platform's own ids."""

    item: str = ""
    actor: str = ""
    conversation: str = ""


def look_up(host: Host, url: str) -> Meant:
    """What the platform says that an address means; all blank when it means nothing.

    Raises ``Unavailable`` when the platform does not answer in time.
    """
    if not host.lookup_url:
        return Meant()
    try:
        answer = httpx.get(
            host.lookup_url,
            params={"url": url},
            headers=signed_headers(host.secret),
            timeout=LOOKUP_TIMEOUT_S,
        )
        if answer.status_code == httpx.codes.NOT_FOUND:
            return Meant()
        answer.raise_for_status()
        if len(answer.content) > MAX_LOOKUP_BYTES:
            raise Unavailable("The platform's look-up answered with too much.")
        said = answer.json()
        found = {name: said.get(name) for name in ("item", "actor", "conversation")}
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        raise Unavailable(
            "The platform's look-up did not answer.", why=type(error).__name__
        ) from error
    return Meant(**{name: str(value) for name, value in found.items() if value})


def signed_headers(secret: str) -> dict[str, str]:
    """Headers that prove to the platform that Holdfast asks."""
    at = clock.now()
    message_id = f"ask_{uuid7()}"
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
    }
    if secret:
        headers["webhook-signature"] = Webhook(secret).sign(message_id, at, "")
    return headers


def _read(answer: httpx.Response, file: BinaryIO, limit_bytes: int) -> None:
    size = 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > limit_bytes:
            raise Refused("The file is larger than Holdfast takes in.")
        file.write(part)
