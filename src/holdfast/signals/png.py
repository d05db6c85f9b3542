"""What of a PNG is the picture, and as much of it as there is.

A decoder that believes in every chunk can be made to fail by any of them: one wrong bit
in the checksum of a comment, a colour profile that unpacks to a bomb. Browsers step
over such chunks and show the picture, so that would be a way round the fingerprint.
Here only the chunks that make up the picture are kept. Where the pixels of a frame end
too early, or their checksum is wrong, what there is of them is written anew. The rules
are those of the PNG specification (W3C, third edition), section 5 and 7. It never
decodes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from holdfast.signals.luma import check_size
from holdfast.signals.refusal import MediaRefused, RefusalReason
from holdfast.signals.there import Part

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIECE_BYTES = 1 << 20
"""Of unpacked pixels in memory at once, while they are written anew."""
STEP_BYTES = 512
"""Of packed pixels unpacked at once: what is damaged costs no more of what is before
it."""
MAX_CHUNKS = 1_000_000
"""Read before the file is called broken: more of them only burn time (these take about
a second). Browsers step over thousands of empty ones, so a few are no way round."""
MAX_MOVING_CHUNKS = 100_000
"""Of an animation's frames kept; what comes after them is not seen."""
_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT"})
_MOVING = frozenset({b"acTL", b"fcTL", b"fdAT"})
_CONTROL_BYTES = 26
_PACKED = frozenset(window << 4 | 8 for window in range(8))
"""The byte that pixels begin with, packed by zlib (RFC 1950, section 2.2)."""
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of each pixel, by the type of colour."""
_DEPTHS = frozenset({1, 2, 4, 8, 16})
"""Bits of a sample."""
_CLEAR_BYTES = {0: {2}, 2: {6}, 3: set(range(1, 257))}
"""How long ``tRNS`` may be, by the type of colour."""
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
          (1, 0, 2, 2), (0, 1, 1, 2))  # fmt: skip
"""Of each pass: its first column and row, and the steps between them."""

_ADAM7_STEPS = ((8, 8), (8, 4), (4, 4), (4, 2), (2, 2), (2, 1), (1, 1))
"""After each pass: every which row and column of the picture is there."""

Chunk = tuple[bytes, bytes | bytearray]


def is_moving(data: bytes) -> bool:
    """Whether what :func:`picture_alone` gave is an animation."""
    return any(name == b"acTL" for name, _body in chunks_of(data))


def picture_alone(data: bytes) -> bytes:
    """The same PNG without anything that a picture can be seen without.

    Raises :class:`MediaRefused` where it has no header.
    """
    chunks: list[Chunk] = []
    pixels: bytearray | None = None
    for name, body in _kept(data):
        if name != b"IDAT":
            chunks.append((name, body))
        elif pixels is None:
            # All in one: there may be a million of them, each of nothing.
            pixels = bytearray(body)
            chunks.append((name, pixels))
        else:
            pixels += body
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise MediaRefused(RefusalReason.BROKEN)
    return _written(chunks)


def made_whole(data: bytes, most_pixels: int) -> tuple[bytes, list[Part]]:
    """A PNG with as many of its pixels as can be unpacked, and what of each frame is
    there; the rest is filled in black. Frames that are whole are left as they are.

    ``data`` is what :func:`picture_alone` gave. Raises :class:`MediaRefused`.
    """
    (_name, header), *chunks = chunks_of(data)
    width, height = struct.unpack(">II", header[:8])
    check_size(width, height, most_pixels)
    written = [(b"IHDR", header)]
    written += [each for each in chunks if each[0] not in _MOVING | {b"IDAT"}]
    frames = list(_frames(chunks, width, height))
    if not frames:
        raise MediaRefused(RefusalReason.TRUNCATED)
    moving = sum(frame.control is not None for frame in frames)
    written += [(b"acTL", struct.pack(">II", moving, 0))] if moving else []
    number, parts = 0, list[Part]()
    for frame in frames:
        packed, part = _filled(header, frame)
        parts.append(part)
        # Each of these chunks has its number, and none may be missing.
        if frame.control is not None:
            written.append((b"fcTL", struct.pack(">I", number) + frame.control[4:]))
            number += 1
        if frame.name == b"IDAT":
            written.append((b"IDAT", packed))
        else:
            written.append((b"fdAT", struct.pack(">I", number) + packed))
            number += 1
    return _written([*written, (b"IEND", b"")]), parts


@dataclass
class _Frame:
    """``control``: where it stands, and when; None for a still."""

    control: bytes | bytearray | None
    name: bytes
    packed: bytearray
    at: Part


def _frames(chunks: list[Chunk], width: int, height: int) -> Iterator[_Frame]:
    """Each of which there are pixels, up to one that cannot be."""
    control, whole = None, Part(0, 0, width, height, height)
    frame: _Frame | None = None
    for name, body in chunks:
        if name == b"fcTL":
            control = body
            continue
        if name == b"fdAT" and control is None and frame and frame.name == name:
            frame.packed += body[4:]
        elif name == b"IDAT" or (name == b"fdAT" and control is not None):
            if frame:
                yield frame
            at = whole if control is None else _place(control, whole)
            if at is None:
                return
            packed = bytearray(body if name == b"IDAT" else body[4:])
            frame, control = _Frame(control, name, packed, at), None
    if frame:
        yield frame


def _place(control: bytes | bytearray, canvas: Part) -> Part | None:
    """Where a frame stands; None for where no browser shows one."""
    if len(control) != _CONTROL_BYTES:
        return None
    width, height, left, top = struct.unpack(">IIII", control[4:20])
    is_within = left + width <= canvas.width and top + height <= canvas.height
    if not width or not height or not is_within:
        return None
    return Part(left, top, width, height, height)


def _filled(header: bytes | bytearray, frame: _Frame) -> tuple[bytes | bytearray, Part]:
    """A frame's pixels, packed, as many as there should be; and what is there."""
    at = frame.at
    header = struct.pack(">II", at.width, at.height) + header[8:]
    expected, there, sum_ = sum(_pass_bytes(header)), 0, 1
    for piece in _unpacked(frame.packed):
        sum_ = zlib.adler32(piece, sum_)
        there += len(piece)
        if there >= expected:
            break
    begin, end = frame.packed[:2], frame.packed[-4:]
    is_sound = (
        len(begin) == 2
        and begin[0] in _PACKED
        and int.from_bytes(begin) % 31 == 0
        and int.from_bytes(end) == sum_
    )
    if there == expected and is_sound:
        return frame.packed, at
    packer, packed, written = zlib.compressobj(1), list[bytes](), 0
    for piece in _unpacked(frame.packed):
        packed.append(packer.compress(piece[: expected - written]))
        written += len(piece)
        if written >= expected:
            break
    packed += [packer.compress(bytes(max(0, expected - there))), packer.flush()]
    if there < expected and header[12]:
        at = _passes(header, there, at)
    elif there < expected:
        at = at._replace(rows=there * at.height // expected)
    return b"".join(packed), at


def _kept(data: bytes) -> Iterator[Chunk]:
    colour, moving, is_moving, is_turned = -1, 0, False, False
    for name, body in chunks_of(data):
        if name == b"IHDR" and len(body) == 13:
            colour = body[9]
        elif name == b"acTL":
            # One, and of some frames: else it is a still to browsers, too.
            is_moving = not is_moving and len(body) == 8 and any(body[:4])
        moving += name in _MOVING
        if (
            name in _PIXELS
            or (name in _MOVING and is_moving and moving <= MAX_MOVING_CHUNKS)
            or (name == b"tRNS" and len(body) in _CLEAR_BYTES.get(colour, ()))
            or (name == b"eXIf" and not is_turned)
        ):
            yield name, body
        is_turned |= name == b"eXIf"
    yield b"IEND", b""


def chunks_of(data: bytes) -> Iterator[Chunk]:
    """Each chunk up to the end, without those besides the picture that are damaged.

    A chunk of pixels counts whatever its checksum says, and as far as it goes.
    """
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data):
            return
        length = int.from_bytes(data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if name == b"IEND":
            return
        end = at + 8 + length
        checksum = int.from_bytes(data[end : end + 4])
        is_pixels = name in _PIXELS or name == b"fdAT"
        if is_pixels or zlib.crc32(name + body) == checksum:
            yield name, body
        at = end + 4
    raise MediaRefused(RefusalReason.BROKEN, chunks=MAX_CHUNKS)


def _written(chunks: list[Chunk]) -> bytes:
    parts: list[bytes | bytearray] = [SIGNATURE]
    for name, body in chunks:
        checksum = zlib.crc32(body, zlib.crc32(name))
        parts += [struct.pack(">I", len(body)), name, body, struct.pack(">I", checksum)]
    return b"".join(parts)


def _unpacked(packed: bytes | bytearray) -> Iterator[bytes]:
    """What can be unpacked, in pieces, up to the first error.

    Without zlib's own checksum at the end, which nobody needs to see the picture.
    """
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for at in range(2, len(packed), STEP_BYTES):
            rest = packed[at : at + STEP_BYTES]
            while piece := unpacker.decompress(rest, PIECE_BYTES):
                yield piece
                rest = unpacker.unconsumed_tail
            # What follows the end would be copied, all of it, for each further piece.
            if unpacker.eof:
                return
    except zlib.error:
        return


def _pass_bytes(header: bytes | bytearray) -> Iterator[int]:
    """How many bytes each pass is, with one for the filter of each row."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if colour not in _SAMPLES or depth not in _DEPTHS:
        raise MediaRefused(RefusalReason.BROKEN, colour=colour, depth=depth)
    bits = depth * _SAMPLES[colour]
    for left, top, across, down in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        is_empty = columns <= 0 or rows <= 0
        yield 0 if is_empty else rows * (1 + -(-columns * bits // 8))


def _passes(header: bytes | bytearray, there: int, part: Part) -> Part:
    """Of an interlaced frame, what stands in the passes that are whole."""
    ends = accumulate(_pass_bytes(header))
    whole = sum(end <= there for end in ends)
    if not whole:
        return part._replace(rows=0)
    return part._replace(steps=_ADAM7_STEPS[whole - 1])
