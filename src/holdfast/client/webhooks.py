"""What Holdfast tells a platform to do: verified, in order, once, and confirmed.

The receiver verifies each webhook (Standard Webhooks, five minutes' tolerance), passes
over what was done already, and gives the body that confirms it. It never applies
anything itself and never confirms what was not applied: when your ``apply`` raises, the
exception goes on, your server answers with an error, and Holdfast tries again for days.
"""

from __future__ import annotations

import binascii
import json
import threading
from collections.abc import Mapping
from typing import Protocol

from standardwebhooks import Webhook, WebhookVerificationError

from holdfast.client.api import Holdfast
from holdfast.client.types import Change


class Store(Protocol):
    """What you keep for this: a number for each subject, and one cursor."""

    def last_number(self, subject: str) -> int:
        """The number of the last change applied to ``subject``; 0 when none was."""
        ...

    def apply(self, change: Change) -> None:
        """Do it and keep ``change.number`` for ``change.subject``, in one transaction.

        If several processes serve webhooks, compare the number again inside it.
        """
        ...

    def cursor(self) -> str | None:
        """Where :func:`replay` left off."""
        ...

    def keep_cursor(self, cursor: str) -> None:
        """Remember where :func:`replay` is."""
        ...


class BadSignature(Exception):
    """This does not come from Holdfast, or is too old: answer 401 and do nothing."""


class Receiver:
    """Takes webhooks for one platform. ``secret`` is the one Holdfast showed you."""

    def __init__(self, secret: str, store: Store) -> None:
        self._webhook = Webhook(secret)
        self.store = store
        self._turn = threading.Lock()

    def receive(self, body: bytes, headers: Mapping[str, str]) -> dict[str, list[str]]:
        """Apply one webhook; answer 200 with what this returns, as JSON.

        ``headers`` may be in any case. Raises :class:`BadSignature`, and whatever
        ``store.apply`` raises.
        """
        self._verify(body, headers)
        change = Change.of(json.loads(body)["data"])
        self.apply(change)
        return {"confirmed": [change.id]}

    def apply(self, change: Change) -> bool:
        """Apply a change unless it, or a later one, was applied already."""
        with self._turn:
            if change.number <= self.store.last_number(change.subject):
                return False
            self.store.apply(change)
            return True

    def sign_check(self, headers: Mapping[str, str]) -> bool:
        """Whether a request without a body (media, look-up) comes from Holdfast."""
        try:
            self._verify(b"", headers)
        except BadSignature:
            return False
        return True

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        named = {name.lower(): value for name, value in headers.items()}
        try:
            self._webhook.verify(body, named, json_parse=False)
        except (WebhookVerificationError, ValueError, binascii.Error) as failure:
            # The library raises ValueError for a header that it cannot read.
            raise BadSignature("This is not signed by Holdfast.") from failure


def replay(client: Holdfast, receiver: Receiver) -> int:
    """Catch up through the change feed; returns how many changes were applied.

    Call it at every start: webhooks are tried again for days, the feed has them all at
    once. Raises ``Unreachable`` when Holdfast cannot be asked.
    """
    applied, store = 0, receiver.store
    cursor = store.cursor()
    while True:
        page = client.changes(cursor)
        applied += sum(receiver.apply(change) for change in page.data)
        if page.data:
            client.confirm([change.id for change in page.data])
        if page.next_cursor is None or page.next_cursor == cursor:
            return applied
        cursor = page.next_cursor
        store.keep_cursor(cursor)
