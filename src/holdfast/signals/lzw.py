"""The codes of a GIF's pixels: how far they go, and others put in place of the rest.

A decoder that meets an early end, or a code that cannot be, gives nothing at all, and
browsers show what came before it. Nothing is decoded here: of a code it is enough to
know of how many pixels it is. The rule is GIF89a, appendix F.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.kernels import kernel

MOST_BITS = 12
"""Of a code."""
FIRST_BITS = range(2, 12)
"""Of a colour. The rule says at least 2; with more there is no room for a code."""
_CODES = 1 << MOST_BITS


class Reach(NamedTuple):
    """How far the codes of a frame are good.

    ``pixels`` that they are of; ``end``, in bits, behind the last of them; and of how
    many bits the next code would be.
    """

    pixels: int
    end: int
    code_bits: int


def reach(data: bytes, first_bits: int, most_pixels: int) -> Reach:
    """Up to ``most_pixels``, the end code, one that cannot be, or the last byte.

    ``first_bits``: of a colour, one of :data:`FIRST_BITS`.
    """
    return Reach(*_reach(np.frombuffer(data, np.uint8), first_bits, most_pixels))


def reach_reference(data: bytes, first_bits: int, most_pixels: int) -> Reach:
    """The same, by decoding it."""
    bits = "".join(f"{byte:08b}"[::-1] for byte in data)
    colours = 1 << first_bits
    known: list[list[int]] = []
    size, end, before = first_bits + 1, 0, list[int]()
    pixels: list[int] = []
    while len(pixels) < most_pixels and end + size <= len(bits):
        code = int(bits[end : end + size][::-1], 2)
        if code == colours + 1:
            break
        if code == colours:
            end += size
            known, size, before = [], first_bits + 1, []
            continue
        at = code - colours - 2
        if code < colours:
            word = [code]
        elif at < len(known):
            word = known[at]
        elif at == len(known) and before:
            word = [*before, before[0]]
        else:
            break
        end += size
        if before and colours + 2 + len(known) < _CODES:
            known.append([*before, word[0]])
            if colours + 2 + len(known) == 1 << size and size < MOST_BITS:
                size += 1
        pixels += word
        before = word
    return Reach(min(len(pixels), most_pixels), end, size)


@kernel
def _reach(
    data: NDArray[np.uint8], first_bits: int, most_pixels: int
) -> tuple[int, int, int]:
    clear, last = 1 << first_bits, 8 * len(data)
    lengths = np.ones(1 << 12, np.int64)
    following, size, before = clear + 2, first_bits + 1, 0
    pixels = at = 0
    while pixels < most_pixels and at + size <= last:
        code = np.int64(0)
        for byte in range(min(3, len(data) - (at >> 3))):
            code |= np.int64(data[(at >> 3) + byte]) << (8 * byte)
        code = (code >> (at & 7)) & ((1 << size) - 1)
        if code == clear + 1:
            break
        if code == clear:
            at += size
            following, size, before = clear + 2, first_bits + 1, 0
            continue
        if code < clear:
            length = 1
        elif code < following:
            length = lengths[code]
        elif code == following and before:
            length = before + 1
        else:
            break
        at += size
        if before and following < (1 << 12):
            lengths[following] = before + 1
            following += 1
            if following == 1 << size and size < 12:
                size += 1
        pixels += length
        before = length
    return min(pixels, most_pixels), at, size


def filled(data: bytes, first_bits: int, found: Reach, missing: int) -> bytes:
    """The codes as far as they are good, and then of so many pixels of colour 0."""
    whole, rest = divmod(found.end, 8)
    held = data[whole] & ((1 << rest) - 1) if rest else 0
    codes = bytearray(data[:whole])
    for code, size in [
        (1 << first_bits, found.code_bits),
        *_of_one_colour(first_bits, missing),
    ]:
        held |= code << rest
        rest += size
        while rest >= 8:
            codes.append(held & 0xFF)
            held >>= 8
            rest -= 8
    codes.append(held)
    return bytes(codes)


def _of_one_colour(first_bits: int, pixels: int) -> Iterator[tuple[int, int]]:
    """(code, bits) of each code, the end among them: each is one pixel longer than the
    one before, until there is room for no more of them."""
    clear, size = 1 << first_bits, first_bits + 1
    following, length = clear + 2, 0
    while pixels:
        if following < _CODES or not length:
            length += 1
        run = min(length, pixels)
        yield 0 if run == 1 else clear + run, size
        pixels -= run
        if length > 1 and following < _CODES:
            following += 1
            if following == 1 << size and size < MOST_BITS:
                size += 1
    yield clear + 1, size
