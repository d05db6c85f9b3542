"""What a platform is told, in which form, and how long is waited in between.

Pure decisions: no framework, no network, no clock. The form is the contract of the
platform API (its ``Change``, the same in the feed and in a webhook); the headers around
it are those of Standard Webhooks (https://www.standardwebhooks.com). Nothing here gives
up: a platform that stays silent is asked for ever, and people are alarmed meanwhile.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from holdfast.base.errors import InvalidInput

PAUSES_S = (1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1200, 1800)
"""Seconds after the first, second … failed attempt. Close together at first, because
what waits is mostly a freeze and people are looking at the item; ours, denser than the
schedule that Standard Webhooks suggests."""

LONGEST_PAUSE_S = 3600
"""After those, once an hour, for days and without end."""

LEASE_S = 10
"""How long one worker has a delivery to itself. Longer than an attempt may take (the
connector's ``TOTAL_TIMEOUT_S``), short enough that a killed worker costs seconds."""

FREEZE_ALARM_AFTER_S = 30
"""A freeze is meant to be confirmed within a second. After half a minute, which is five
attempts, it is not a hiccup any more and people should know that it can be seen."""

REMOVAL_ALARM_AFTER_S = 300
"""A removal waits for the sealed original. Five minutes are enough to fetch and seal a
large file; after that something is in the way."""

FEED_ALARM_AFTER_S = 60
"""How long the change feed may be held back by somebody's open transaction."""

ALARM_AGAIN_AFTER_S = 3600
"""A condition that lasts raises its alarm again after an hour, not at every look."""

BODIES: Mapping[str, Mapping[str, bool]] = {
    "freeze": {"advertising_hold": True, "forbid_delete": True},
    "thaw": {"advertising_hold": False, "forbid_delete": False},
    "remove": {"advertising_hold": True, "forbid_delete": False},
    "restore": {"advertising_hold": False, "forbid_delete": False},
}
"""What each verb means for an item's adverts and for its poster's wish to delete it.
Each says the whole state, so that a platform may skip one that is out of date."""

STATE_AFTER: Mapping[str, str] = {
    "freeze": "frozen",
    "thaw": "visible",
    "remove": "removed",
    "restore": "visible",
    "suspend": "suspended",
    "reinstate": "active",
}
"""The state of the item or actor once the platform has done it. A statement and a
contact hold change none."""

REVERSE: Mapping[str, str] = {"remove": "restore", "suspend": "reinstate"}
"""How an enforcement is undone."""

GATEWAY_STATUSES = (502, 503, 504)
"""HTTP statuses by which a proxy says that the platform behind it is down (RFC 9110,
sections 15.6.3 to 15.6.5)."""


@dataclass(frozen=True)
class Change:
    """One instruction as the platform reads it, in the feed and in a webhook alike.

    ``item`` or ``actor`` is the platform's own id; exactly one is set. ``number``
    counts from 1 for that item or actor.
    """

    id: UUID
    number: int
    verb: str
    item: str | None
    actor: str | None
    ordered_at: datetime
    body: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The object of the contract; the id that is not set is left out."""
        about = {"item": self.item} if self.item is not None else {"actor": self.actor}
        return {
            "id": str(self.id),
            "number": self.number,
            "verb": self.verb,
            **about,
            "ordered_at": self.ordered_at.isoformat(),
            "body": dict(self.body),
        }


def event_type(change: Change) -> str:
    """The ``type`` of the webhook, such as ``item.freeze`` or ``actor.suspend``."""
    return f"{'item' if change.item is not None else 'actor'}.{change.verb}"


def webhook_body(change: Change) -> dict[str, Any]:
    """The whole body of the webhook, as Standard Webhooks lays it out."""
    return {
        "type": event_type(change),
        "timestamp": change.ordered_at.isoformat(),
        "data": change.as_json(),
    }


def pause_after(attempts: int) -> timedelta:
    """How long to wait after this many attempts (from 1) have failed."""
    if attempts <= len(PAUSES_S):
        return timedelta(seconds=PAUSES_S[max(attempts, 1) - 1])
    return timedelta(seconds=LONGEST_PAUSE_S)


@dataclass(frozen=True)
class Place:
    """A place in the change feed: after the delivery with these three."""

    xid: int
    number: int
    id: UUID


def cursor_of(place: Place) -> str:
    """A place as the opaque text that a platform hands back."""
    text = f"{place.xid}.{place.number}.{place.id.hex}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """The place behind a cursor. Raises :class:`InvalidInput` for any other text."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        xid, number, delivery = urlsafe_b64decode(padded).decode("ascii").split(".")
        place = Place(int(xid), int(number), UUID(hex=delivery))
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise InvalidInput(
            "This cursor is not one that the change feed gave out. "
            "Use the last next_cursor you received, or none to begin anew."
        ) from error
    if cursor_of(place) != cursor or not (
        0 <= place.xid < 2**63 and 0 <= place.number < 2**31
    ):
        raise InvalidInput("This cursor is not one that the change feed gave out.")
    return place
