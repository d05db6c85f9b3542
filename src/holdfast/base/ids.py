"""Identifiers.

Rows are named by UUID version 7 (RFC 9562, section 5.7): unguessable, and in order of
time so that indexes stay compact. What a person reads aloud is a number in Crockford's
base 32 (https://www.crockford.com/base32.html), which has no letters that look alike.
"""

from __future__ import annotations

import secrets
import time
import uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 10  # characters; 50 random bits, drawn again on the rare clash.


def uuid7() -> uuid.UUID:
    """A new UUID version 7: 48 bits of milliseconds, 74 random bits."""
    return _uuid((time.time_ns() // 1_000_000) << 80 | secrets.randbits(80), version=7)


def uuid8(random: bytes) -> uuid.UUID:
    """The UUID that 16 random bytes stand for, always the same: RFC 9562, 5.8."""
    return _uuid(int.from_bytes(random), version=8)


def _uuid(value: int, *, version: int) -> uuid.UUID:
    value = value & ~(0xF << 76) | version << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def number(prefix: str) -> str:
    """A number that a person can read aloud, such as ``R-7K2M9-QX4TB``."""
    text = "".join(secrets.choice(CROCKFORD) for _ in range(NUMBER_LENGTH))
    return f"{prefix}-{text[:5]}-{text[5:]}"


def report_number() -> str:
    """A number for a report."""
    return number("R")


def case_number() -> str:
    """A number for a case."""
    return number("C")


def read_number(text: str) -> str:
    """A number as a person typed it, put into the stored form.

    Case and spaces do not matter, and O, I and L are read as 0, 1 and 1, as
    Crockford's base 32 asks.
    """
    cleaned = "".join(text.upper().replace("-", " ").split())
    prefix, rest = cleaned[:1], cleaned[1:].translate(str.maketrans("OIL", "011"))
    return f"{prefix}-{rest[:5]}-{rest[5:]}"
