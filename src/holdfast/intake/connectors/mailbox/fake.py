"""A mailbox in memory, held to the same suite as a real server."""

from __future__ import annotations

from datetime import datetime

from holdfast.base import clock
from holdfast.base.errors import Unavailable
from holdfast.intake.connectors.mailbox.client import MAX_LISTED, Waiting


class FakeMailbox:
    """Keeps mails until they are expunged; ``fails`` makes the next call fail."""

    def __init__(self) -> None:
        self._mails: dict[int, tuple[bytes, datetime]] = {}
        self._aside: set[int] = set()
        self._last = 0
        self.fails = ""
        """The method that fails the next time it is called."""

    def deliver(self, mail: bytes, arrived_at: datetime | None = None) -> int:
        """Take a mail in, as a mail server does; returns its number."""
        self._last += 1
        at = (arrived_at or clock.now()).replace(microsecond=0)
        self._mails[self._last] = (mail, at)
        return self._last

    def waiting(self) -> list[Waiting]:
        self._may_fail("waiting")
        return [
            Waiting(uid, len(mail), at)
            for uid, (mail, at) in self._mails.items()
            if uid not in self._aside
        ][:MAX_LISTED]

    def fetch(self, uid: int) -> bytes:
        self._may_fail("fetch")
        if uid not in self._mails:
            raise Unavailable("A mail is not there any more.", uid=uid)
        return self._mails[uid][0]

    def expunge(self, uid: int) -> None:
        self._may_fail("expunge")
        self._mails.pop(uid, None)

    def set_aside(self, uid: int) -> None:
        self._may_fail("set_aside")
        self._aside.add(uid)

    def _may_fail(self, method: str) -> None:
        if self.fails == method:
            self.fails = ""
            raise Unavailable("The mailbox cannot be read.", why="fake")
