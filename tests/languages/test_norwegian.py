"""Norwegian is whole: nothing that people outside read is left in English."""

from __future__ import annotations

import re

from holdfast.languages.__main__ import OURS, untranslated
from holdfast.languages.catalogues import first, read, texts
from holdfast.languages.extraction import everything

SAME = {"", "%(minutes)d min", "%(seconds)d s"}
"""What is the same in both languages."""


def test_nothing_is_left_in_english() -> None:
    assert untranslated(OURS / "nb.po", everything()) == []
    for message in read(OURS / "nb.po"):
        if message.id and first(message) not in SAME:
            assert texts(message.string) != texts(message.id)


def test_nothing_is_kept_that_nobody_says_any_more() -> None:
    wanted = everything()
    for message in read(OURS / "nb.po"):
        if message.id:
            assert wanted.get(message.id, message.context), first(message)


def test_the_labels_of_the_policy_are_in_it() -> None:
    norwegian = read(OURS / "nb.po")
    for label in ("A child is shown naked or in a sexual way", "People decide"):
        assert norwegian.get(label), label


def test_one_thing_has_one_name() -> None:
    """A page is a «side» and a site is a «nettsted»: nobody asks a page to hide it."""
    site = re.compile(r"\b(?:a|the|this|that|each|no|which|different) sites?\b", re.I)
    told = [each for each in read(OURS / "nb.po") if site.search(first(each))]
    assert len(told) > 15
    for message in told:
        for text in texts(message.string):
            assert "nettsted" in text.lower(), text


CALQUES = (r"din feil\b", r"stopp\w* \w+ fra å", r"\bfor å \w+[^.,]*, (?:trykk|bruk)")
"""What is English in Norwegian words: «din skyld», «hindre noen i å», «vil du …?»."""


def test_it_is_not_english_in_norwegian_words() -> None:
    for message in read(OURS / "nb.po"):
        for text in texts(message.string):
            assert not any(re.search(each, text) for each in CALQUES), text
