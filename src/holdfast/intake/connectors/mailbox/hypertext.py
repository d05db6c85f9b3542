"""What a page of HTML says, and where its links lead. Pure; nothing is fetched.

A mail comes from anybody, so that reading it takes time that grows with its length and
no faster, whatever is in it: one look at each character, from mark to mark. Python's
own parser goes back to the beginning of what is never closed, and 600 kB of ``<a`` keep
it for minutes, in which no other mail is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

_BLOCKS = frozenset(["p", "div", "br", "li", "tr", "blockquote", "h1", "h2", "h3"])
_SILENT = frozenset({"script", "style", "title"})
_QUOTE = "blockquote"
_DEEPEST_QUOTE = 3
_NAME = re.compile(r"/?[A-Za-z][A-Za-z0-9]*")
_HREF = re.compile(
    r"""(?<![^\s"'/])href\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""",
    re.IGNORECASE,
)
_CLOSED_BY = (("<!--", "-->"), ("<![", "]>"), ("<", ">"))
"""How a mark begins and how it ends, the longest beginning first."""
_NO_MARK = frozenset(" \t\n\r0123456789<=")
"""What follows a ``<`` that is only a sign of the words, as in ``<3``."""


@dataclass(frozen=True)
class Hypertext:
    """A page, read."""

    text: str
    """Its words, with a line for each block; ``> `` before what is quoted."""
    links: tuple[str, ...]
    """What ``href`` holds, in order."""


def read_hypertext(html: str) -> Hypertext:
    """Read a page, however broken."""
    reader = _Reader()
    endless: set[str] = set()
    at = 0
    while (mark := html.find("<", at)) >= 0:
        reader.say(html[at:mark])
        begins, ends = next(
            each for each in _CLOSED_BY if html.startswith(each[0], mark)
        )
        end = html.find(ends, mark + len(begins))
        if end < 0:
            # What is never closed is read as words, so that none of them is lost.
            at = mark
            break
        at = end + len(ends)
        if begins != "<":
            continue
        if html[mark + 1] in _NO_MARK:
            reader.say("<")
            at = mark + 1
            continue
        name = reader.mark(html[mark + 1 : end])
        if name in _SILENT - endless:
            closing = re.compile(f"</{name}", re.IGNORECASE).search(html, at)
            at = closing.start() if closing else at
            if closing is None:
                endless.add(name)
    reader.say(html[at:])
    return Hypertext(reader.text(), tuple(reader.links))


class _Reader:
    """Words and links so far."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._quoted = 0
        self.links: list[str] = []

    def say(self, words: str) -> None:
        """Words between two marks; a new line in them is a space."""
        if words:
            self._said.append(" ".join(_plain(words).splitlines()) or " ")

    def mark(self, inside: str) -> str:
        """What stands between ``<`` and ``>``; returns the name of what it opens."""
        found = _NAME.match(inside)
        name = found[0].lower() if found else ""
        if name.strip("/") == _QUOTE:
            self._quoted = max(0, self._quoted + (-1 if name[0] == "/" else 1))
        if name.strip("/") in _BLOCKS:
            self._said.append("\n" + "> " * min(self._quoted, _DEEPEST_QUOTE))
        self.links += [
            _plain(next(filter(None, each)))
            for each in _HREF.findall(inside)
            if any(each)
        ]
        return name

    def text(self) -> str:
        """All of it, without lines of nothing."""
        lines = [" ".join(line.split()) for line in "".join(self._said).split("\n")]
        return "\n".join(line for line in lines if line.strip("> "))


def _plain(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:
        # A number of thousands of digits is no character.
        return text
