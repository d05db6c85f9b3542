"""A GIF with as much of every frame as browsers show.

A decoder stops at the first frame that is damaged or ends too early, and browsers show
what there is of it and go on to the next: so one such frame would be a way round the
fingerprint for all that follow. Here each frame that is not whole is filled up. It
never decodes. The rules are those of GIF89a, sections 15 to 27.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from holdfast.signals import lzw
from holdfast.signals.luma import check_size
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.there import Part

MAX_BLOCKS = 1_000_000
"""Read before a GIF is called broken: more of them only burn time."""
_HEADER_BYTES, _IMAGE_BYTES = 13, 10
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_BLOCK_BYTES = 255
_PASSES = ((0, 8), (4, 8), (2, 4), (1, 2))
"""First row and step of each pass of an interlaced frame."""
_STEPS = (8, 4, 2, 1)
"""After each pass: every which row is there."""


class _Frame(NamedTuple):
    """Where a frame's descriptor begins and its codes do; these, and where it ends."""

    begin: int
    codes_begin: int
    codes: bytes
    end: int


def made_whole(
    data: bytes, most_pixels: int, most_frames: int, most_pixels_read: int
) -> tuple[bytes, list[Part]]:
    """The GIF with each frame filled up, and what of each is there.

    ``data`` itself where nothing is missing. ``most_pixels`` of one frame,
    ``most_frames`` and ``most_pixels_read`` of all: what comes after these is not
    looked at, and not in the file that was filled. Raises :class:`MediaRefused` where
    there is no frame, or too large a one.
    """
    pieces, parts = list[bytes](), list[Part]()
    copied = end = pixels = 0
    for frame in _frames(data):
        left, top, width, height = _sides(data, frame.begin)
        check_size(width, height, most_pixels)
        pixels += width * height
        if parts and (len(parts) == most_frames or pixels > most_pixels_read):
            break
        end = frame.end
        first_bits = data[frame.codes_begin - 1]
        if first_bits not in lzw.FIRST_BITS:
            # Left to the decoder.
            parts.append(Part(left, top, width, height, height))
            continue
        found = lzw.reach(frame.codes, first_bits, width * height)
        missing = width * height - found.pixels
        if missing:
            filled = lzw.filled(frame.codes, first_bits, found, missing)
            pieces += [data[copied : frame.codes_begin], _in_blocks(filled)]
            copied = frame.end
        is_interlaced = bool(data[frame.begin + _IMAGE_BYTES - 1] & 0x40)
        rows = found.pixels // width
        part = Part(left, top, width, height, rows)
        parts.append(_passes(part) if is_interlaced and missing else part)
    if not parts:
        raise MediaRefused(RefusalReason.TRUNCATED)
    if not pieces:
        return data, parts
    return b"".join([*pieces, data[copied:end], bytes([_TRAILER])]), parts


def _passes(part: Part) -> Part:
    """Of an interlaced frame, of which ``rows`` are there, those of whole passes."""
    there, whole = part.rows, 0
    for first, step in _PASSES:
        there -= len(range(first, part.height, step))
        if there < 0:
            break
        whole += 1
    if not whole:
        return part._replace(rows=0)
    return part._replace(rows=part.height, steps=(_STEPS[whole - 1], 1))


def _frames(data: bytes) -> Iterator[_Frame]:
    """Each frame of which anything is there."""
    at, read = _HEADER_BYTES, 0
    if len(data) > at:
        at += _table_bytes(data[10])
    while at + _IMAGE_BYTES < len(data) and read < MAX_BLOCKS:
        kind, begin = data[at], at
        if kind == _IMAGE:
            # The length of a colour comes first, then blocks of codes.
            at += _IMAGE_BYTES + _table_bytes(data[at + _IMAGE_BYTES - 1]) + 1
        elif kind == _EXTENSION:
            at += 2
        else:
            return
        codes_begin, parts = at, []
        while at < len(data) and data[at] and read < MAX_BLOCKS:
            parts.append(data[at + 1 : at + 1 + data[at]])
            at += 1 + data[at]
            read += 1
        at += 1
        read += 1
        if kind == _IMAGE and codes_begin <= len(data):
            yield _Frame(begin, codes_begin, b"".join(parts), at)
    if read >= MAX_BLOCKS:
        raise MediaRefused(RefusalReason.BROKEN, blocks=MAX_BLOCKS)


def _sides(data: bytes, begin: int) -> list[int]:
    """Left, top, width and height, from a descriptor."""
    return [
        int.from_bytes(data[at : at + 2], "little")
        for at in range(begin + 1, begin + 9, 2)
    ]


def _in_blocks(codes: bytes) -> bytes:
    parts = (codes[at : at + _BLOCK_BYTES] for at in range(0, len(codes), _BLOCK_BYTES))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _table_bytes(flags: int) -> int:
    """How long the table of colours is that a descriptor's flags tell of."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
