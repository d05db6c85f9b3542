"""How old somebody must be to read a page, measured by two published formulas.

English: the Flesch-Kincaid grade (Kincaid et al., 1975, Research Branch Report 8-75);
age is grade plus 5. Norwegian: LIX (Björnsson, 1968), turned into a grade by Anderson's
table ("Lix and Rix: Variations on a Little-known Readability Index", Journal of
Reading, 1983). Both count lengths only; they do not know whether a text is kind.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

AGE_OF_GRADE = 5
"""Years: the first grade is read at six."""
LIX_GRADES: Final = (
    (56, 13), (52, 12), (48, 11), (44, 10), (40, 9), (36, 8), (32, 7), (28, 6),
    (24, 5), (20, 4), (15, 3), (10, 2), (0, 1),
)  # fmt: skip
"""From which LIX on a text is of which grade, by Anderson's table."""
LONG_CHARS = 6
"""A word with more characters is long, for LIX."""
_BLOCKS = frozenset(
    (
        *("h1", "h2", "h3", "p", "li", "dt", "dd", "div"),
        *("label", "legend", "summary", "a", "button"),
    )
)
_SILENT = frozenset(["script", "style", "head", "dialog", "nav", "header", "footer"])


class _Blocks(HTMLParser):
    """The text of a page's main part, block by block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = [""]
        self._silent = 0
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if tag in _BLOCKS:
            self.blocks.append("")
        # Names and code words are not ours to make simpler.
        if ("translate", "no") in attrs or tag == "time":
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent -= 1
        if tag in _BLOCKS:
            self.blocks.append("")
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent and not self._hidden:
            self.blocks[-1] += data


def sentences(page: str) -> list[list[str]]:
    """The sentences of a page, each as its words. A heading or a button is one, too."""
    parser = _Blocks()
    parser.feed(page)
    found = []
    for block in parser.blocks:
        for part in re.split(r"[.!?:]+(?:\s|$)", block):
            words = re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?", part)
            if words:
                found.append(words)
    return found


def age_english(page: str) -> float:
    """Years, by the Flesch-Kincaid grade."""
    told = sentences(page)
    words = [word for each in told for word in each]
    per_sentence = len(words) / len(told)
    per_word = sum(map(syllables, words)) / len(words)
    return 0.39 * per_sentence + 11.8 * per_word - 15.59 + AGE_OF_GRADE


def age_norwegian(page: str) -> float:
    """Years, by LIX."""
    return _grade(lix(page)) + AGE_OF_GRADE


def lix(page: str) -> float:
    """Words a sentence, plus the share of long words in percent."""
    told = sentences(page)
    words = [word for each in told for word in each]
    long = sum(len(word) > LONG_CHARS for word in words)
    return len(words) / len(told) + 100 * long / len(words)


def _grade(index: float) -> int:
    return next(grade for least, grade in LIX_GRADES if index >= least)


def syllables(word: str) -> int:
    """Groups of vowels in an English word, but for a silent e at its end."""
    word = word.lower()
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = re.search(
        r"(?:[^aeiouyl]|[aeiouy]l)e$|[^aeiouydt]ed$|[^aeioulsxz]es$", word
    )
    return max(1, groups - bool(silent))
