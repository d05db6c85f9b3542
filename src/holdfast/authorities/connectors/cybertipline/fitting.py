"""Making what people and platforms wrote fit the protocol's fields, losing nothing.

A value that fits is passed on. One that does not is passed on as far as it can be, and
written whole into ``notes``, under the name of what it is, for the additional
information. Characters that XML cannot carry are written as their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote

from holdfast.authorities.connectors.cybertipline.checks import (
    URL_CHARACTERS,
    email_address,
    ip_address,
    length,
    web_address,
)

# What XML 1.0 cannot carry (production 2, "Char"), and a carriage return, which it
# carries but every reader turns into a line feed.
_NOT_CARRIED = re.compile(r"[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What a URL may hold unescaped (RFC 3986: unreserved, reserved, and the sign of an
# escape); everything else is escaped as UTF-8.
_URL_SAFE = "-._~:/?#[]@!$&'()*+,;=%"


class Fitting:
    """One document's fitting; ``notes`` collects what its fields could not take."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.notes: list[str] = []

    def clean(self, text: str) -> str:
        """``text`` in characters that XML carries, without white space around it."""
        unix = text.replace("\r\n", "\n").replace("\r", "\n")
        return _NOT_CARRIED.sub(lambda m: f"[U+{ord(m.group()):04X}]", unix).strip()

    def note(self, label: str, value: str) -> None:
        """Keep ``value`` for the additional information, once."""
        line = f"{label}: {value}"
        if line not in self.notes:
            self.notes.append(line)

    def text(self, label: str, value: str, limit: int) -> str | None:
        """``value`` in at most ``limit`` characters; ``None`` when it is blank."""
        text = self.clean(value)
        if length(text) > limit:
            self.note(label, text)
            text = _cut(text, limit).strip()
        return text or None

    def texts(self, label: str, values: Iterable[str], limit: int) -> tuple[str, ...]:
        """Each value that is not blank, in at most ``limit`` characters."""
        fitted = [self.text(label, value, limit) for value in values]
        return tuple(text for text in fitted if text)

    def urls(self, label: str, values: Iterable[str]) -> tuple[str, ...]:
        """Each value that is a web address, with its odd characters escaped."""
        kept = []
        for value in values:
            text = self.clean(value)
            escaped = quote(text, safe=_URL_SAFE)
            if length(escaped) <= URL_CHARACTERS and not web_address(escaped, self.now):
                kept.append(escaped)
            elif text:
                self.note(label, text)
        return tuple(kept)

    def email(self, label: str, value: str) -> str | None:
        """``value`` if it is an e-mail address."""
        text = self.clean(value)
        if text and email_address(text, self.now):
            self.note(label, text)
            return None
        return text or None

    def ip(self, value: str) -> str | None:
        """``value`` if it is an IP address."""
        text = self.clean(value)
        if text and ip_address(text, self.now):
            self.note("IP address", text)
            return None
        return text or None

    def number(
        self, label: str, value: int | None, lowest: int, highest: int
    ) -> int | None:
        """``value`` if it is from ``lowest`` to ``highest``."""
        if value is None or lowest <= value <= highest:
            return value
        self.note(label, str(value))
        return None

    def moment(self, label: str, value: datetime | None) -> datetime | None:
        """``value`` if it has a time zone and is past."""
        if value is None or self.is_past(value):
            return value
        self.note(label, value.isoformat())
        return None

    def is_past(self, value: datetime) -> bool:
        """Whether ``value`` is a moment up to now; never so without a time zone."""
        return value.utcoffset() is not None and value.astimezone(UTC) <= self.now


def _cut(text: str, limit: int) -> str:
    """The first ``limit`` UTF-16 units of ``text``, without half a character."""
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
