"""Lines that a mail program broke, put together again. Pure. RFC 3676, section 4.

A line that ends in a space goes on in the next one of the same depth of quotation. With
``DelSp=Yes`` that space was put there by the program, within a word or an address if
need be, so that an address is whole again only without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

_SIGNATURE = "-- "
"""Ends in a space, and goes on nowhere."""
_QUOTED = re.compile(r">*")


def unflowed(text: str) -> str:
    """The text as it was written; what is quoted keeps its marks."""
    lines = (_stuffed(line) for line in text.replace("\r\n", "\n").split("\n"))
    whole: list[str] = []
    for marks, of_one_depth in groupby(lines, key=lambda line: line[0]):
        for line in _joined(said for _marks, said in of_one_depth):
            whole.append(f"{marks} {line}" if marks else line)
    return "\n".join(whole)


def _stuffed(line: str) -> tuple[str, str]:
    """The marks of quotation, and the line without a space put in front of it."""
    marks = _QUOTED.match(line)
    depth = marks.end() if marks else 0
    return line[:depth], line[depth:].removeprefix(" ")


def _joined(lines: Iterator[str]) -> Iterator[str]:
    open_line: list[str] = []
    for line in lines:
        goes_on = line.endswith(" ") and line != _SIGNATURE
        open_line.append(line[:-1] if goes_on else line)
        if not goes_on:
            yield "".join(open_line)
            open_line = []
    if open_line:
        yield "".join(open_line)
