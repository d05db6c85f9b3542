"""A third language that is written from the right: one file, made here, of no sense.

Each Latin letter becomes an Arabic one, so that words are as long as English ones and
run the other way; placeholders, tags and addresses stay. Nobody could read it, and it
is never shipped: it shows that a page holds such a language.
"""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from holdfast.languages.extraction import PACKAGE

CODE, NAME = "ar", "العربية"
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_ARABIC = "ابثدعفغهيجكلمنوپقرستوڤوشيز"
_LETTERS = str.maketrans(_LATIN + _LATIN.upper(), 2 * _ARABIC)
_STAYS = re.compile(r"%\(\w+\)[sd]|<[^>]*>|&\w+;|https?://\S+|%%")


def mirrored(text: str) -> str:
    """The same text in letters that run from right to left."""
    kept = _STAYS.findall(text)
    parts = [part.translate(_LETTERS) for part in _STAYS.split(text)]
    return "".join(
        part + (kept[place] if place < len(kept) else "")
        for place, part in enumerate(parts)
    )


def write_language(folder: Path) -> Path:
    """``ar.po`` with every text that Norwegian has."""
    with (PACKAGE / "languages" / "nb.po").open("rb") as file:
        known = read_po(file)
    made = Catalog(locale=CODE)
    for message in known:
        if not message.id:
            continue
        ids = (message.id,) if isinstance(message.id, str) else message.id
        said = [mirrored(each) for each in ids]
        # Arabic has six forms of number; English tells two.
        forms = (said[-1],) * made.num_plurals if message.pluralizable else said[0]
        made.add(message.id, forms, context=message.context)
    path = folder / f"{CODE}.po"
    with path.open("wb") as out:
        write_po(out, made)
    return path
