"""What the portal remembers between two pages: a few facts in one sealed cookie.

Nothing of it is kept on the server, so nobody can look there for who is reporting. The
cookie holds the answers that are not sent yet, or the id of the one report that its
holder has shown they may follow; it is encrypted with this installation's keys, dies
with the browser, and opens nothing after 15 idle minutes, or two hours in all, or once
the report was closed or has other words than those that opened it. Never in it: what
somebody wrote, an address of a network, or who somebody is. The codename is in it only
until its holder says that it is written down.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from holdfast.base import clock
from holdfast.intake.codename import lookup
from holdfast.vault.installation import keys
from holdfast.vault.keys import SecretDamaged

COOKIE = "portal"
HOST_ONLY = "__Host-"
"""Before a cookie's name: browsers take it from this very host alone and over HTTPS, so
that no neighbour in the domain can plant one (RFC 6265bis, section 4.1.3.2)."""
IDLE_S = 15 * 60
"""Seconds. Long enough to write about what hurts; short on a shared computer."""
LONGEST_S = 2 * 3600
"""Seconds. A visit to a report ends after two hours, used or not."""
MAX_ADDRESS_BYTES = 2083
"""The longest address that an authority takes; a browser keeps 4,096 bytes in all."""


@dataclass
class Memory:
    """What one visit knows. Every field may be empty, and then says nothing."""

    category: str = ""
    """The answer to the first question, until the report is sent."""
    started_in: str = ""
    """The language in which the first question was answered, until then too."""
    address: str = ""
    """What a link of the platform said the report is about."""
    report: str = ""
    """The id of the one report that may be followed, as text."""
    opened_by: str = ""
    """What its words were looked up by: when it gets other words, it closes."""
    codename: str = ""
    """Until it is written down."""
    visit: str = ""
    """A random name, so that one visit cannot look for pictures without end."""
    language: str = ""
    """The language that was chosen on the page; blank: what the browser asks for."""
    asked_at: float = 0.0
    """Seconds since 1970 when a page that takes a report was shown; 0: none was."""
    opened_at: float = 0.0
    """Seconds since 1970 when the report of this visit was opened; 0: none is."""
    said: str = ""
    """A code of ``words.SAID`` that the next page shows once."""
    expired: bool = False
    """Whether there was a visit, and it was idle for too long. Never stored."""

    @property
    def report_id(self) -> UUID | None:
        """The report that may be followed."""
        return UUID(self.report) if self.report else None

    @property
    def opened(self) -> tuple[str, datetime]:
        """With which words the report was opened, by their lookup, and when."""
        return self.opened_by, datetime.fromtimestamp(self.opened_at, UTC)

    @property
    def whose(self) -> str:
        """Which report is open, for the forms about it; blank: none is.

        It says whether two pages are about the same report, and nothing else: whoever
        has it can neither open the report nor learn which it is.
        """
        if not self.report:
            return ""
        key = keys().hmac_key("open-report")
        return hmac.new(key, self.report.encode(), hashlib.sha256).hexdigest()

    def open(self, report: UUID, words: str) -> None:
        """Follow the report of these words from here on, and forget all else."""
        self.forget()
        self.report, self.opened_by = str(report), lookup(words)

    def forget(self) -> None:
        """Know nothing any more but the language, which says nothing of a report."""
        vars(self).update(vars(Memory(language=self.language)))

    def take_said(self) -> str:
        """What is to be said once; after that it is forgotten."""
        said, self.said = self.said, ""
        return said


def cookie_name() -> str:
    """What the visit's cookie is called on this installation."""
    return f"{HOST_ONLY}{COOKIE}" if settings.SESSION_COOKIE_SECURE else COOKIE


def read(request: HttpRequest) -> Memory:
    """The visit that a request belongs to; a new one if it has none, or an old one."""
    sealed = request.COOKIES.get(cookie_name(), "")
    if not sealed:
        return Memory()
    try:
        stored = json.loads(keys().decrypt_secret(sealed, bound_to=COOKIE))
    except (SecretDamaged, ValueError):
        return Memory()
    now = clock.now().timestamp()
    idle_s = now - stored.pop("seen_at")
    if idle_s > IDLE_S or now - stored.get("opened_at", now) > LONGEST_S:
        return Memory(
            language=stored.get("language", ""),
            # Who wrote for so long has not answered in no time.
            asked_at=stored.get("asked_at", 0.0),
            expired=bool(stored.get("report")),
        )
    known = {each.name for each in fields(Memory)}
    return Memory(**{name: stored[name] for name in known & stored.keys()})


def write(response: HttpResponseBase, memory: Memory) -> None:
    """Send the visit back to its browser, or take the cookie away when it is empty."""
    stored: dict[str, Any] = {
        name: value for name, value in asdict(memory).items() if value
    }
    stored.pop("expired", None)
    if not stored:
        forget(response)
        return
    stored["seen_at"] = clock.now().timestamp()
    if memory.report:
        stored.setdefault("opened_at", stored["seen_at"])
    response.set_cookie(
        cookie_name(),
        keys().encrypt_secret(json.dumps(stored, ensure_ascii=False), bound_to=COOKIE),
        # Without an age it dies with the browser. Lax, for a report starts at a link
        # of the platform, and what that link says must outlive one redirect.
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def forget(response: HttpResponseBase) -> None:
    """Take the visit's cookie away."""
    response.delete_cookie(cookie_name(), samesite="Lax")
