"""Banks as files, in the formats of python-threatexchange. Pure.

Three forms, named after what reads or writes them in that library (1.2.17):

- **text**: one signal in hexadecimal digits a line, as ``exchanges/impl/file_api.py``
  takes with a ``signal_type``. PDQ's own tools write ``hash,quality,file name`` lines;
  they are read too.
- **typed**: ``pdq f8f8…``, the same file without a ``signal_type``, and what
  ``threatexchange dataset -P -S`` prints.
- **csv**: ``signal_type,signal_str,collab,category,tags``, as ``threatexchange dataset
  -P --csv`` writes it, and the columns ``indicator`` and ``type`` of ``threatexchange
  api fb_threatexchange query``.

A file is read line by line and never held. A line that cannot be used is told of with
its number and the reason, and the others are taken; one bad line never costs a bank.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, TextIO

from holdfast.signals.sign import MATCH_DISTANCE_BITS, MIN_QUALITY

MAX_LINE_BYTES = 4096
"""A line of a known form is under 200 bytes; only tags and file names are longer. What
is longer than this is skipped, so that a file without line ends cannot fill memory."""


class Kind(StrEnum):
    """What a signal is; the values are those that banks store."""

    PDQ = "pdq"
    MD5 = "md5"
    SHA256 = "sha256"


SIGNAL_BYTES: Mapping[Kind, int] = {Kind.PDQ: 32, Kind.MD5: 16, Kind.SHA256: 32}

LIBRARY_NAMES: Mapping[Kind, str] = {
    Kind.PDQ: "pdq",
    Kind.MD5: "video_md5",
    Kind.SHA256: "video_sha256",
}
"""``SignalType.get_name()`` of the library. It knows digests of videos alone; the same
digest of a picture goes under that name too, because it is the only one it reads."""

KINDS: Mapping[str, Kind] = {
    **{kind.value: kind for kind in Kind},
    **{name: kind for kind, name in LIBRARY_NAMES.items()},
    "hash_pdq": Kind.PDQ,
    "hash_md5": Kind.MD5,
    "hash_video_md5": Kind.MD5,
    "hash_sha256": Kind.SHA256,
    "hash_video_sha256": Kind.SHA256,
}
"""Every name that a signal's kind goes by, in lower case: ours, the library's, and the
indicator types of ThreatExchange."""

EMPTY_FILE = {
    "d41d8cd98f00b204e9800998ecf8427e",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}
"""MD5 and SHA-256 of no bytes at all. Lists hold them by accident."""

NONE_OF_IT = {"negative_class", "non_malicious"}
"""What the library and ThreatExchange call a signal that somebody says is harmless."""

COLUMNS = ("signal_type", "signal_str", "collab", "category", "tags")
"""The header that ``threatexchange dataset -P --csv`` writes."""

_HEADERS = {
    "signal_str": ("signal_type", "category"),
    "indicator": ("type", "status"),
    "raw_indicator": ("type", "status"),
}
"""The column of the signal, and with it those of its kind and of what is said of it."""

_HEX = re.compile(r"[0-9a-f]+", re.ASCII)


class Form(StrEnum):
    """How a bank is written."""

    TEXT = "text"
    TYPED = "typed"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: 32 bytes of PDQ or SHA-256, 16 of MD5; PDQ's quality, 0 to 100."""

    kind: Kind
    value: bytes
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A line (the first is 1) that was not taken, and why. Never what stands in it."""

    line: int
    why: str


class Malformed(ValueError):
    """This is no signal that can be looked for; the text says why."""


def parse(kind: Kind, text: str, quality: int | None = None) -> Signal:
    """A signal from its hexadecimal digits. Raises :class:`Malformed`."""
    digits = text.strip().lower()
    if not digits:
        raise Malformed("there is no signal")
    if not _HEX.fullmatch(digits):
        raise Malformed("there is something else than hexadecimal digits")
    if len(digits) != 2 * SIGNAL_BYTES[kind]:
        raise Malformed(
            f"{kind} has {2 * SIGNAL_BYTES[kind]} digits, and here are {len(digits)}"
        )
    if digits in EMPTY_FILE:
        raise Malformed("it is the digest of an empty file")
    value = bytes.fromhex(digits)
    if kind is Kind.PDQ:
        _check_picture(value, quality)
    return Signal(kind, value, quality if kind is Kind.PDQ else None)


def read(source: BinaryIO, kind: Kind | None = None) -> Iterator[Signal | Problem]:
    """What stands in a bank's file, in its order; the same signal may come twice.

    ``kind`` is what lines are that do not say it; without it, 64 digits alone could be
    PDQ or SHA-256 and are a problem. The form is recognised by the file's first line.
    """
    columns: dict[str, int] | None = None
    began = False
    for number, line in _lines(source):
        if isinstance(line, Problem):
            yield line
            continue
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if not began:
                began = True
                columns = _columns(line)
                if columns is not None:
                    continue
            yield (
                _from_line(line, kind)
                if columns is None
                else _from_row(line, columns, kind)
            )
        except Malformed as error:
            yield Problem(number, str(error))


def write(
    target: TextIO,
    signals: Iterable[Signal],
    form: Form,
    *,
    bank: str = "",
    tags: str = "",
) -> int:
    """Write signals as a bank's file that :func:`read` and the library read; how many.

    Raises :class:`Malformed` for signals of several kinds as ``Form.TEXT``, which
    cannot tell them apart.
    """
    table = csv.writer(target, lineterminator="\n")
    if form is Form.CSV:
        table.writerow(COLUMNS)
    count, first = 0, None
    for each in signals:
        count += 1
        first = first or each.kind
        digits, name = each.value.hex(), LIBRARY_NAMES[each.kind]
        if form is Form.CSV:
            table.writerow([name, digits, bank, "POSITIVE_CLASS", tags])
        elif form is Form.TYPED:
            target.write(f"{name} {digits}\n")
        elif each.kind is not first:
            raise Malformed("plain text holds one kind of signal: choose one, or csv")
        else:
            target.write(f"{digits}\n")
    return count


def _check_picture(value: bytes, quality: int | None) -> None:
    """Refuse what no picture with something in it has."""
    ones = int.from_bytes(value).bit_count()
    # Half of a picture's bits are set, by construction. Those near none or all of them
    # are of flat pictures, and would be near every other flat one.
    if not MATCH_DISTANCE_BITS < ones < 256 - MATCH_DISTANCE_BITS:
        raise Malformed("it is the PDQ of a picture with nothing in it")
    if quality is None:
        return
    if not 0 <= quality <= 100:
        raise Malformed("PDQ's quality is a number from 0 to 100")
    if quality < MIN_QUALITY:
        raise Malformed(
            f"its quality of {quality} is below {MIN_QUALITY}: too little to compare by"
        )


def _lines(source: BinaryIO) -> Iterator[tuple[int, str | Problem]]:
    """Each line with its number, bounded in length."""
    number = 0
    while raw := source.readline(MAX_LINE_BYTES):
        number += 1
        if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            while rest := source.readline(MAX_LINE_BYTES):
                if rest.endswith(b"\n"):
                    break
            yield number, Problem(number, f"it is longer than {MAX_LINE_BYTES} bytes")
            continue
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            yield number, raw.decode()
        except UnicodeDecodeError:
            yield number, Problem(number, "it is not text in UTF-8")


def _columns(line: str) -> dict[str, int] | None:
    """Where the columns are, if this is the header of a table."""
    names = [name.strip().lower() for name in _cells(line)]
    for signal, (kind, said) in _HEADERS.items():
        if signal in names and len(names) > 1:
            found = {"signal": signal, "kind": kind, "said": said}
            return {
                what: names.index(name) for what, name in found.items() if name in names
            }
    return None


def _from_row(line: str, columns: Mapping[str, int], kind: Kind | None) -> Signal:
    row = _cells(line)
    cells = {
        what: row[place].strip() for what, place in columns.items() if place < len(row)
    }
    if cells.get("said", "").lower() in NONE_OF_IT:
        raise Malformed("its source says that it shows nothing of the kind")
    name = cells.get("kind", "")
    digits = cells.get("signal", "")
    return parse(_kind(name) if name else _guess(digits, kind), digits)


def _from_line(line: str, kind: Kind | None) -> Signal:
    """``digits`` or ``kind digits``, either perhaps with ``,quality[,anything]``."""
    first, *more = (cell.strip() for cell in line.split(","))
    name, _, digits = first.partition(" ")
    if digits:
        # A kind that says it is better than what somebody says of the whole file.
        kind = _kind(name)
    else:
        digits = name
    if not more:
        return parse(_guess(digits, kind), digits)
    if kind not in (None, Kind.PDQ):
        raise Malformed(f"there is more than a signal, and {kind} has no quality")
    if not (more[0].isascii() and more[0].isdecimal()):
        raise Malformed("after the signal comes its quality, a number from 0 to 100")
    return parse(Kind.PDQ, digits, int(more[0][:9]))


def _kind(name: str) -> Kind:
    kind = KINDS.get(name.lower())
    if kind is None:
        raise Malformed("signals of this kind are not looked for: PDQ, MD5 and SHA-256")
    return kind


def _guess(digits: str, kind: Kind | None) -> Kind:
    if kind is not None:
        return kind
    if len(digits) == 2 * SIGNAL_BYTES[Kind.MD5]:
        return Kind.MD5
    if len(digits) == 2 * SIGNAL_BYTES[Kind.PDQ]:
        raise Malformed("64 digits can be PDQ or SHA-256: say which")
    raise Malformed(f"no kind of signal has {len(digits)} digits")


def _cells(line: str) -> list[str]:
    # Line by line: a stray quotation mark must not swallow the rest of the file.
    try:
        return next(csv.reader([line]), [])
    except csv.Error as error:
        raise Malformed("it is not a row of a table") from error
