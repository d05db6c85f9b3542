"""Rules that the schema does not hold, one small function each.

A check takes a value and the present moment and says in words what is wrong, or
``None``. It never repeats the value, because problems are shown and logged and a
value may be a name or an address. The rules are the validations that NCMEC's
documentation of June 2025 states beside each field.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from holdfast.authorities.connectors.cybertipline.words import COUNTRIES, US_STATES

Check = Callable[[Any, datetime], str | None]

# Characters that an XML 1.0 document can carry (W3C XML 1.0, production 2, "Char").
_XML_CHARACTERS = re.compile(
    r"[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*"
)

# Longest URL that NCMEC takes, in characters.
URL_CHARACTERS = 2083
# Longest e-mail address and longest part before its "@", in characters.
EMAIL_CHARACTERS = 255
EMAIL_LOCAL_CHARACTERS = 64

# What RFC 3986 lets a URL consist of. NCMEC answers 4100 to a URL with a space in it.
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
# The plain form of an address (RFC 5321, without quoted strings and without domain
# literals), which is the part of the grammar that every receiver agrees on.
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)


def length(text: str) -> int:
    """Characters of ``text`` counted as UTF-16 units.

    NCMEC does not say how it counts. Java and .NET count UTF-16 units, which is never
    less than the number of code points, so this count is safe either way.
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def carried_by_xml(value: str, now: datetime) -> str | None:
    """Only characters that XML can carry. Asked of every text."""
    if _XML_CHARACTERS.fullmatch(value):
        return None
    return "holds a character that XML cannot carry"


def not_blank(value: str, now: datetime) -> str | None:
    """Something other than white space."""
    return None if value.strip() else "must not be blank"


def at_most(limit: int) -> Check:
    """No longer than ``limit`` characters."""

    def check(value: str, now: datetime) -> str | None:
        return None if length(value) <= limit else f"longer than {limit} characters"

    return check


def between(lowest: float, highest: float) -> Check:
    """A number from ``lowest`` to ``highest``, both allowed."""

    def check(value: float, now: datetime) -> str | None:
        if lowest <= value <= highest:
            return None
        return f"must be between {lowest} and {highest}"

    return check


def matches(pattern: str) -> Check:
    """The whole text has the form of the regular expression ``pattern``."""
    form = re.compile(pattern)

    def check(value: str, now: datetime) -> str | None:
        return None if form.fullmatch(value) else f"must have the form {pattern}"

    return check


def in_the_past(value: date, now: datetime) -> str | None:
    """A moment with a time zone before ``now``, or a day not after today (UTC)."""
    if not isinstance(value, datetime):
        return None if value <= now.date() else "must be in the past"
    if value.utcoffset() is None:
        return "has no time zone"
    return None if value <= now else "must be in the past"


def web_address(value: str, now: datetime) -> str | None:
    """A URL with a host, of ASCII characters, no longer than NCMEC takes."""
    if length(value) > URL_CHARACTERS:
        return f"longer than {URL_CHARACTERS} characters"
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host and parts.scheme in ("http", "https") and _URL_CHARACTERS.fullmatch(value):
        return None
    return "must be a valid http or https URL"


def email_address(value: str, now: datetime) -> str | None:
    """A well-formed address within NCMEC's lengths."""
    if len(value) > EMAIL_CHARACTERS:
        return f"longer than {EMAIL_CHARACTERS} characters"
    if not _EMAIL.fullmatch(value):
        return "must be a well-formed e-mail address"
    if value.index("@") > EMAIL_LOCAL_CHARACTERS:
        return f"longer than {EMAIL_LOCAL_CHARACTERS} characters before the @ sign"
    return None


def ip_address(value: str, now: datetime) -> str | None:
    """An IPv4, IPv6 or IPv4-mapped IPv6 address, without a zone such as ``%eth0``."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return "must be a valid IP address"
    return "must be a valid IP address" if "%" in value else None


def country_code(value: str, now: datetime) -> str | None:
    """A country of NCMEC's list."""
    return None if value in COUNTRIES else "must be an ISO 3166-1 alpha-2 code"


def us_state(value: str, now: datetime) -> str | None:
    """A state or territory of NCMEC's list."""
    return None if value in US_STATES else "must be a US postal abbreviation"
