"""How a reporter may be reached, and what is an address. Pure.

Nobody has to give one: the codename is the way back. What cannot be read as an e-mail
address or a phone number is kept as it was said and nothing is sent to it; a report is
never refused for it.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Way(StrEnum):
    """By what somebody can be reached outside the portal."""

    EMAIL = "email"
    PHONE = "phone"
    OTHER = "other"
    """Something else, as a platform handed it on: nothing is sent there."""


class Frequency(StrEnum):
    """How often a reporter wants to hear from us outside the portal."""

    EVERY_STEP = "every_step"
    DECISIONS_ONLY = "decisions_only"
    NEVER = "never"


MAX_ADDRESS = 254
"""Characters of an e-mail address (RFC 5321, section 4.5.3.1, less its brackets)."""
FEWEST_DIGITS, MOST_DIGITS = 8, 15
"""Of a phone number with its country's: ITU-T E.164, section 6, has 15 at most."""
CONTACTS_A_DAY = 3
"""How often one report may name a new contact, and one address be asked whether it
wants to hear from us, within 24 hours: the door is no tool to fill a mailbox."""

_EMAIL = re.compile(r"[^\s@<>\"',;:()\[\]\\]+@[^\s@.<>\"',;:()\[\]\\]+(\.[^\s@.]+)+")
_BETWEEN_DIGITS = re.compile(r"[\s().\-/]")


def read_police_number(text: str) -> str:
    """A number from the police, or nothing where a text holds no digit.

    "No" and "I don't know" are answers to the question, and no number: as one they
    would make a case urgent and reach an authority.
    """
    text = text.strip()
    return text if any(each.isdecimal() for each in text) else ""


def read_email(text: str) -> str | None:
    """An e-mail address as it is written to, or None when the text is none.

    The part after the @ is put into small letters; the part before it is its owner's.
    """
    text = text.strip()
    if len(text) > MAX_ADDRESS or not _EMAIL.fullmatch(text):
        return None
    name, _at, host = text.rpartition("@")
    return f"{name}@{host.lower()}"


def read_phone(text: str) -> str | None:
    """A phone number as ``+`` and digits (E.164), or None when the text is none.

    ``00`` before the country's number means the same as ``+``. A number without its
    country's is none: it could be anybody's somewhere else.
    """
    number = _BETWEEN_DIGITS.sub("", text.strip())
    if number.startswith("00"):
        number = "+" + number[2:]
    digits = number[1:]
    if not (number.startswith("+") and digits.isascii() and digits.isdigit()):
        return None
    if digits.startswith("0") or not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        return None
    return number


def read_address(text: str) -> tuple[Way, str]:
    """What a text that somebody left to be reached by is, and how it is written."""
    email = read_email(text)
    if email is not None:
        return Way.EMAIL, email
    phone = read_phone(text)
    return (Way.PHONE, phone) if phone is not None else (Way.OTHER, text.strip())


def masked(way: Way, address: str) -> str:
    """Enough of an address to know one's own, and not enough to learn another's."""
    if way is Way.EMAIL:
        name, _at, host = address.rpartition("@")
        return f"{name[:1]}…@{host}"
    return f"…{address[-2:]}"
