"""Numbers as they are to be said: digit by digit, and letter by letter.

For what: who hears a page, by a screen reader or "read aloud". A voice makes of
``116 111`` a hundred and sixteen thousand, and of ``R-12345-6789A`` a minus and
twelve thousand. Never does: change what is dialled, copied or searched for.
"""

from __future__ import annotations

from typing import Final

HAIR_SPACE: Final = "\u200a"
"""The narrowest space. Every voice takes it for one, so that the digits beside it are
said each by itself; and what is seen is still what is said (WCAG 2.2, 2.5.3)."""


def by_digits(phone: str) -> str:
    """A phone number whose digits stand apart: ``112`` as ``1 1 2``."""
    return " ".join(HAIR_SPACE.join(group) for group in phone.split())


def by_letters(number: str) -> str:
    """A number of ours, to be spelled: ``R-7K2M9-QX4TB`` as ``R, 7 K 2 M 9, Q …``."""
    return ", ".join(" ".join(group) for group in number.split("-"))
