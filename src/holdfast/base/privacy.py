"""What kind of thing each stored field is.

Every table states the privacy class of each of its fields; a test refuses a field
without one. Export, logging and retention read the class, never a list of their own.
"""

from __future__ import annotations

from enum import StrEnum


class Privacy(StrEnum):
    """How a field may travel."""

    OPERATIONAL = "operational"
    """Ids, times, states, numbers: may be logged and exported."""

    PERSONAL = "personal"
    """Says something of a person: shown to those who work on the case, never logged."""

    CONTENT = "content"
    """What was posted or written to us: shown on request, never logged."""

    SECRET = "secret"
    """Keys, hashes of passwords, verifiers: never shown, never exported."""


def classes(
    operational: str = "", personal: str = "", content: str = "", secret: str = ""
) -> dict[str, Privacy]:
    """The privacy classes of a table's fields, each named once."""
    lists = {
        Privacy.OPERATIONAL: operational,
        Privacy.PERSONAL: personal,
        Privacy.CONTENT: content,
        Privacy.SECRET: secret,
    }
    named = [(name, kind) for kind, text in lists.items() for name in text.split()]
    found = dict(named)
    if len(found) != len(named):
        raise ValueError("A field has two privacy classes.")
    return found
