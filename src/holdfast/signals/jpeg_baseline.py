"""What a baseline JPEG of one scan says before its coded numbers begin.

Only what cameras, telephones and platforms commonly write is understood here. Of
everything else nothing is said, and libjpeg-turbo reads the file. The rule is ITU-T
T.81, annex B.2, and for colours what libjpeg makes of the markers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from holdfast.signals.jpeg_header import (
    ADOBE_BYTES,
    APP14,
    BESIDE,
    SOI,
    SOS,
    Segment,
    segments,
)

Huffman = tuple[tuple[int, ...], bytes]
"""The length of each code in bits, in order, and what each stands for."""

MAX_SEGMENTS = 1_000
"""Read before the coded numbers begin; a file with more is read another way."""
CACHED_SEGMENTS = 64
"""Tables that are kept as they were understood; most programs write the same."""
MAX_UNIT_BLOCKS = 10
"""T.81, B.2.3: the most blocks of all colours in one unit of the scan."""
LUMA_LAST = 63
"""The highest frequency of a block."""

_SOF0, _DHT, _DQT, _DRI = 0xC0, 0xC4, 0xDB, 0xDD
_YCC = 1
"""Adobe's word for luma and two colours."""
_RGB = b"RGB"
"""What the components are called where the first is not luma."""
_CODE_SPACE = 1 << 16


@dataclass(frozen=True, slots=True)
class Baseline:
    """Where the coded numbers begin, and how they are coded.

    ``width`` and ``height`` in pixels as stored. A unit of the scan has ``across`` by
    ``down`` blocks of luma and some of colour; ``blocks`` gives for each which pair of
    ``codes`` (first number, others) it has, and its row and column, or -1 for colour.
    ``quantizers``: luma's 64, lowest frequency first.
    """

    width: int
    height: int
    across: int
    down: int
    blocks: tuple[tuple[int, int, int], ...]
    codes: tuple[tuple[Huffman, Huffman], ...]
    quantizers: tuple[int, ...]
    begins: int

    @property
    def units(self) -> tuple[int, int]:
        """Units of the scan, across and down; the last may reach over the edge."""
        return -(-self.width // (8 * self.across)), -(-self.height // (8 * self.down))


class _Uncommon(Exception):
    """Something that is read another way."""


def read_baseline(data: bytes) -> Baseline | None:
    """None where ``data``, bytes that begin as a JPEG, is anything but common."""
    try:
        return _read(data)
    # A segment that ends too early is uncommon, too.
    except (_Uncommon, IndexError, KeyError):
        return None


def _read(data: bytes) -> Baseline:
    quantizers: dict[int, tuple[int, ...]] = {}
    codes: dict[int, Huffman] = {}
    frame = b""
    for segment in islice(segments(data), MAX_SEGMENTS):
        marker, body = segment.marker, segment.body
        if marker == _DQT:
            quantizers.update(_quantizers(body))
        elif marker == _DHT:
            codes.update(_codes(body))
        elif marker == _SOF0 and not frame:
            frame = body
        elif marker == SOS:
            return _scan(frame, segment, quantizers, codes)
        elif marker == APP14 and body.startswith(b"Adobe"):
            if len(body) < ADOBE_BYTES or body[ADOBE_BYTES - 1] != _YCC:
                raise _Uncommon
        elif (marker == _DRI and any(body)) or marker not in {*BESIDE, SOI, _DRI}:
            raise _Uncommon
    raise _Uncommon


def _scan(
    frame: bytes,
    scan: Segment,
    quantizers: dict[int, tuple[int, ...]],
    codes: dict[int, Huffman],
) -> Baseline:
    count = frame[5]
    parts = [frame[6 + 3 * part : 9 + 3 * part] for part in range(count)]
    named = [scan.body[1 + 2 * part : 3 + 2 * part] for part in range(count)]
    names = bytes(part[0] for part in parts)
    if (
        frame[0] != 8
        or count not in (1, 3)
        or len(frame) != 6 + 3 * count
        or names == _RGB
        or scan.body[0] != count
        or bytes(name[0] for name in named) != names
        or scan.body[1 + 2 * count :] != bytes((0, LUMA_LAST, 0))
    ):
        raise _Uncommon
    # The only part of a scan stands block by block, whatever it says of its sampling.
    sides = [(1, 1)] if count == 1 else [(each[1] >> 4, each[1] & 15) for each in parts]
    across, down = sides[0]
    if (
        min(min(each) for each in sides) < 1
        or any(wide > across or high > down for wide, high in sides)
        or sum(wide * high for wide, high in sides) > MAX_UNIT_BLOCKS
    ):
        raise _Uncommon
    wanted = [(codes[name[1] >> 4], codes[16 + (name[1] & 15)]) for name in named]
    pairs = tuple(dict.fromkeys(wanted))
    blocks = [(pairs.index(wanted[0]), *divmod(each, across))
              for each in range(across * down)]  # fmt: skip
    for (wide, high), pair in zip(sides[1:], wanted[1:], strict=True):
        blocks += [(pairs.index(pair), -1, -1)] * (wide * high)
    return Baseline(
        width=int.from_bytes(frame[3:5]),
        height=int.from_bytes(frame[1:3]),
        across=across,
        down=down,
        blocks=tuple(blocks),
        codes=pairs,
        quantizers=quantizers[parts[0][2]],
        begins=scan.end,
    )


@lru_cache(maxsize=CACHED_SEGMENTS)
def _quantizers(body: bytes) -> dict[int, tuple[int, ...]]:
    """Each by its name."""
    found = {}
    while body:
        # One byte each, of a table that a picture of 8 bits may name (T.81, B.2.4.1).
        if len(body) < 65 or body[0] > 3 or not all(body[1:65]):
            raise _Uncommon
        found[body[0]] = tuple(body[1:65])
        body = body[65:]
    return found


@lru_cache(maxsize=CACHED_SEGMENTS)
def _codes(body: bytes) -> dict[int, Huffman]:
    """Each by its name: 0 to 15 for first numbers, from 16 on for the others."""
    found = {}
    while body:
        name, counts = body[0], body[1:17]
        lengths = tuple(
            length for length, many in enumerate(counts, 1) for _ in range(many)
        )
        symbols = body[17 : 17 + len(lengths)]
        known = all(map(_is_first if name < 16 else _is_other, symbols))
        room = sum(_CODE_SPACE >> length for length in lengths)
        if len(symbols) < len(lengths) or room > _CODE_SPACE or not known:
            raise _Uncommon
        found[name] = lengths, symbols
        body = body[17 + len(lengths) :]
    return found


def _is_first(symbol: int) -> bool:
    """How many bits a block's first number has (T.81, table F.1)."""
    return symbol <= 11


def _is_other(symbol: int) -> bool:
    """Zeros before a number, and its bits; the end; sixteen zeros (T.81, F.1.2.2)."""
    return symbol in (0x00, 0xF0) or 1 <= symbol & 15 <= 10
