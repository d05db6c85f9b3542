"""Files of reports, as hotlines send them: CSV or NDJSON, a report in each line.

Pure. A line that cannot be read is an error in its place and stops nothing: not even a
quotation mark that is never closed takes the lines after it along.

CSV has a heading with these columns, in any order: ``reference``, ``category``,
``urls`` (with spaces between them), ``words``, ``language``; comma or semicolon; UTF-8,
or the letters that a spreadsheet of Windows writes.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any

COLUMNS = ("reference", "category", "urls", "words", "language")
NEEDED = ("reference", "category")
WESTERN = "holdfast-western"
"""How a file is decoded where it is no UTF-8: ``open(…, errors=WESTERN)``."""
LONGEST_RECORD = 512 * 1024
"""Characters of one report: what its addresses and words may have, and more."""
_BETWEEN = re.compile(r"\s+|[,;]+(?=https?://)", re.IGNORECASE)
_WHOLE = re.compile(r"https?://.|@|[a-z0-9-]+(\.[a-z0-9-]+)+/", re.IGNORECASE)
"""How an address begins, or the name of an account."""


class Fault(StrEnum):
    """Why a line is not read, or an address of one not taken."""

    NO_OBJECT = "no_object"
    """A line of NDJSON that is no JSON object."""
    QUOTE = "quote"
    """A quotation mark is not closed, or something stands behind the closing one."""
    LONG = "long"
    SPACE = "space"
    """An address with a space in it, which would be read as two. It takes neither its
    line nor the other addresses along, and stands among them as the list of its
    parts."""
    UNFIT = "unfit"
    """An address that cannot be stored."""
    MANY = "many"
    """An address beyond those that one report holds."""


@dataclass(frozen=True)
class FileLine:
    """One report of a file, or what is wrong with it."""

    number: int
    """The line of the file on which it begins, from 1; the heading is one."""
    record: dict[str, Any] | None
    """As the object that NDJSON would have; None when it cannot be read. Among its
    ``urls`` an address that broke apart at a space is the list of its parts."""
    fault: Fault | None = None


def _western(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    broken = error.object[error.start : error.end]
    return broken.decode("cp1252", errors="replace"), error.end


codecs.register_error(WESTERN, _western)


def csv_lines(text: Iterable[str]) -> Iterator[FileLine]:
    """Each record of CSV. Raises ``ValueError`` for a heading that is none.

    The heading is read when the first record is asked for.
    """
    lines = iter(text)
    heading = next(lines, "").lstrip("\ufeff")
    mark = ";" if heading.count(";") > heading.count(",") else ","
    found = next(csv.reader([heading], delimiter=mark), [])
    names = [each.strip().lower() for each in found]
    if not set(NEEDED) <= set(names) or set(names) - set(COLUMNS):
        raise ValueError(f"The first line names the columns: {', '.join(COLUMNS)}.")
    csv.field_size_limit(LONGEST_RECORD)
    for number, record in _records(lines, mark):
        if record is None or len(record) > LONGEST_RECORD:
            yield FileLine(number, None, Fault.LONG if record else Fault.QUOTE)
            continue
        values = next(csv.reader([record], delimiter=mark))
        if any(each.strip() for each in values):
            yield _line(number, names, values)


def ndjson_lines(text: Iterable[str]) -> Iterator[FileLine]:
    """Each line that is not blank."""
    for number, line in enumerate(text, start=1):
        if line.strip():
            try:
                value = json.loads(line.lstrip("\ufeff"))
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, dict):
                yield FileLine(number, value)
            else:
                yield FileLine(number, None, Fault.NO_OBJECT)


def _records(lines: Iterator[str], mark: str) -> Iterator[tuple[int, str | None]]:
    """Each record with the line it begins on; None for one whose quoting is broken.

    Of a broken one the first line alone is given up, and what follows is read anew: it
    may be all the other reports of the file.
    """
    again: deque[str] = deque()
    number = 2
    while first := again.popleft() if again else next(lines, ""):
        taken = [first]
        state = _read_over(first, mark, open_before=False)
        size = len(first)
        while state and size < LONGEST_RECORD:
            following = again.popleft() if again else next(lines, "")
            if not following:
                break
            taken.append(following)
            size += len(following)
            state = _read_over(following, mark, open_before=True)
        if state is False:
            yield number, "".join(taken)
            number += len(taken)
        else:
            yield number, None
            again = deque(chain(taken[1:], again))
            number += 1


def _read_over(line: str, mark: str, *, open_before: bool) -> bool | None:
    """Whether a quotation mark is open at a line's end; None where it is broken."""
    at, is_open = 0, open_before
    while True:
        if is_open:
            closing = line.find('"', at)
            if closing < 0:
                return True
            at = closing + 1
            if line[at : at + 1] == '"':
                at += 1
                continue
            if line[at : at + 1] not in ("", mark, "\r", "\n"):
                return None
            is_open = False
        elif line[at : at + 1] == '"':
            at, is_open = at + 1, True
            continue
        after = line.find(mark, at)
        if after < 0:
            return False
        at = after + 1


def _line(number: int, names: list[str], values: list[str]) -> FileLine:
    record: dict[str, Any] = dict(zip(names, values, strict=False))
    if len(values) > len(names):
        # Shown as a fault of this line: an unknown field.
        record["more than the heading names"] = values[len(names) :]
    pieces = (each.strip(",;") for each in _BETWEEN.split(record.pop("urls", "")))
    urls = [each for each in pieces if each]
    kept = {name: value for name, value in record.items() if value}
    return FileLine(number, {**kept, "urls": _addresses(urls)})


def _addresses(pieces: list[str]) -> list[str | list[str]]:
    """Each address; of one that broke apart its parts."""
    if not any(_WHOLE.match(each) for each in pieces):
        return [*pieces]
    found: list[str | list[str]] = []
    for piece in pieces:
        before = found[-1] if found else []
        if _WHOLE.match(piece):
            found.append(piece)
        elif isinstance(before, list) and found:
            before.append(piece)
        else:
            found[-1:] = [[before, piece] if isinstance(before, str) else [piece]]
    return found
