"""IMAP to the one mailbox that takes reports, and nothing else there.

It lists what waits, fetches one mail whole, sets one aside for a person, and deletes
one for good. It never opens a mail, never follows anything in it, and marks none as
read. A password and what people wrote cross the network encrypted, or do not cross it:
without TLS only a server on this machine is taken. RFC 3501 (IMAP4rev1), RFC 4315
(UIDPLUS).
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from holdfast.base.addresses import is_this_machine
from holdfast.base.errors import InvalidInput, Unavailable

TIMEOUT_S = 20.0
MAX_LISTED = 200
"""Mails of one look into the mailbox; the rest waits for the next, seconds later."""
PORTS = {"imaps": 993, "imap+starttls": 143, "imap": 143}
"""RFC 8314 asks for the first; the second is the older way to the same."""
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ARRIVED = re.compile(rb'\bINTERNALDATE "([^"]+)"')


@dataclass(frozen=True)
class Place:
    """Where a mailbox is, and how to get into it."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str

    @property
    def outbound(self) -> str:
        """The address that is called, without who calls."""
        return f"{self.scheme}://{self.host}:{self.port}"


@dataclass(frozen=True)
class Waiting:
    """A mail in the mailbox: its number there, its size, and when it arrived."""

    uid: int
    size_bytes: int
    arrived_at: datetime


class Mailbox(Protocol):
    """What is asked of a mailbox."""

    def waiting(self) -> list[Waiting]:
        """What has not been set aside, the oldest first, up to ``MAX_LISTED``."""

    def fetch(self, uid: int) -> bytes:
        """One mail as it came. It is not marked as read."""

    def expunge(self, uid: int) -> None:
        """Delete one for good; when it is gone already, that is well."""

    def set_aside(self, uid: int) -> None:
        """Flag one for a person: it stays, and is not listed any more."""


def place_of(url: str) -> Place:
    """Read ``HOLDFAST_IMAP``. Raises ``InvalidInput``, without repeating it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidInput("HOLDFAST_IMAP is no address.") from None
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not host or not parts.username:
        raise InvalidInput("HOLDFAST_IMAP is imaps://user:password@host/INBOX.")
    if parts.scheme == "imap" and not is_this_machine(host):
        raise InvalidInput(
            "HOLDFAST_IMAP without encryption is only for this machine: use imaps://."
        )
    return Place(
        scheme=parts.scheme,
        host=host,
        port=port or PORTS[parts.scheme],
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


@contextmanager
def opened(place: Place) -> Iterator[Mailbox]:
    """The mailbox, signed in to. Raises ``Unavailable``; its text names no address."""
    with _failures():
        session = _connect(place)
    try:
        with _failures():
            session.login(place.user, place.password)
            _well(session.select(_quoted(place.folder)))
        yield _Imap(session)
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            session.logout()


class _Imap:
    """One session of IMAP, with a folder open."""

    def __init__(self, session: imaplib.IMAP4) -> None:
        self._session = session
        # Asked for now, since a server may say more to who has signed in.
        with _failures():
            self._uidplus = b"UIDPLUS" in _well(session.capability())[0].split()

    def waiting(self) -> list[Waiting]:
        with _failures():
            # What is marked as deleted is listed, too: the line may have broken before
            # it was, and a person who marks one has not taken it in.
            found = _well(self._session.uid("SEARCH", "UNFLAGGED"))
            uids = sorted(int(each) for each in (found[0] or b"").split())[:MAX_LISTED]
            if not uids:
                return []
            wanted = ",".join(map(str, uids))
            asked = "(UID RFC822.SIZE INTERNALDATE)"
            lines = _well(self._session.uid("FETCH", wanted, asked))
            return sorted(waiting_in(lines), key=lambda each: each.uid)

    def fetch(self, uid: int) -> bytes:
        with _failures():
            parts = _well(self._session.uid("FETCH", str(uid), "(BODY.PEEK[])"))
            for part in parts:
                if isinstance(part, tuple):
                    return bytes(part[1])
        raise Unavailable("A mail is not there any more.", uid=uid)

    def expunge(self, uid: int) -> None:
        with _failures():
            _well(self._session.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
            if self._uidplus:
                _well(self._session.uid("EXPUNGE", str(uid)))
            else:
                # The mailbox is ours alone, so nothing else is marked as deleted.
                _well(self._session.expunge())

    def set_aside(self, uid: int) -> None:
        with _failures():
            _well(self._session.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Flagged)"))


def _connect(place: Place) -> imaplib.IMAP4:
    if place.scheme == "imaps":
        return imaplib.IMAP4_SSL(
            place.host,
            place.port,
            ssl_context=ssl.create_default_context(),
            timeout=TIMEOUT_S,
        )
    session = imaplib.IMAP4(place.host, place.port, timeout=TIMEOUT_S)
    if place.scheme == "imap+starttls":
        session.starttls(ssl.create_default_context())
    return session


@contextmanager
def _failures() -> Iterator[None]:
    """Errors of ours: what the server says can hold addresses, and is dropped."""
    try:
        yield
    except (OSError, imaplib.IMAP4.error, ValueError) as error:
        raise Unavailable(
            "The mailbox cannot be read.", why=type(error).__name__
        ) from None


def _well(answer: tuple[str, Any]) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error("refused")
    found: list[Any] = data
    return found


def waiting_in(lines: Iterable[bytes | None]) -> list[Waiting]:
    """The mails of an answer to FETCH.

    A server gives what was asked in an order of its own, and may tell between the lines
    what another program did to a mail (RFC 3501, 7.4.2 and 5.2).
    """
    found = []
    told = [line for line in lines if line]
    for line in told:
        uid, size, arrived = (each.search(line) for each in (_UID, _SIZE, _ARRIVED))
        if uid and size and arrived:
            at = arrived[1].decode().strip()
            when = datetime.strptime(at, "%d-%b-%Y %H:%M:%S %z")
            found.append(Waiting(int(uid[1]), int(size[1]), when))
    if told and not found:
        raise imaplib.IMAP4.error("no such line")
    return found


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
