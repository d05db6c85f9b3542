"""Norwegian is whole: nothing that people outside read is left in English."""

from __future__ import annotations

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
