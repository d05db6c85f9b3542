"""The lowest frequencies of a JPEG, read by stepping over all the others.

A JPEG keeps for each block of 8 by 8 pixels a row of coded numbers, lowest frequency
first. A picture at k/8 of full size needs the k by k lowest of luma, yet every number
has to be read to know where the next block begins. Decoders read them one by one. This
one looks at the next bits, knows from a table how many whole numbers lie in them, and
steps over all of these at once: a large photograph takes half of libjpeg-turbo's time.

It reads what cameras, telephones and platforms write: baseline, one scan, no restarts
(:mod:`holdfast.signals.jpeg_baseline`). At the first thing that is not as it should be
it gives up, and libjpeg-turbo, which knows what to make of damage, reads the file.
The rule is ITU-T T.81, annex F.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.grid import EIGHTHS, dct
from holdfast.signals.instructions import load_word
from holdfast.signals.jpeg_baseline import Baseline, Huffman
from holdfast.signals.jpeg_codes import (
    BLOCK_ENDS,
    CODE_BITS,
    LAST,
    SEEN_BITS,
    STEPS,
    U,
    number_of,
    tables,
)
from holdfast.signals.jpeg_stream import Bytes, unstuff
from holdfast.signals.kernels import kernel

MOST = 2047
"""The largest that a number can be once it is multiplied, of any picture of 8 bits:
1,600 at the most, with what its rounding adds. Of larger ones decoders make different
things, and some of them wrap round to a picture."""
ROOM_BYTES = 512
"""Nothing, behind the stream: more than a block can take, which is 64 numbers of at
most 27 bits. Where the stream ended is looked at once for each block."""

Reader = tuple[int, np.uint64, int, int]
"""Where to read on (-1: it cannot), what was read and is not used yet and how many bits
of it, and the last block's first number."""

Ints = NDArray[np.int64]

ZIGZAG: Ints = np.array(
    sorted(
        np.ndindex(EIGHTHS, EIGHTHS),
        key=lambda at: (sum(at), at[1] if sum(at) % 2 == 0 else at[0]),
    )
)
"""(64, 2): row and column of each number of a block, T.81 figure A.6."""


def read_lowest(data: bytes, picture: Baseline, eighths: int) -> Bytes | None:
    """(H, W) luma of ``data`` at ``eighths``/8, or None when it is not as it should be.

    A pixel differs from libjpeg-turbo's by at most one level, and by none at 1/8; but
    at 2/8 and 4/8, where that one gives means instead of the lowest frequencies.
    """
    stream = np.empty(len(data) - picture.begins + ROOM_BYTES, np.uint8)
    length = unstuff(np.frombuffer(data, np.uint8), picture.begins, stream)
    stream[length : length + ROOM_BYTES] = 0
    kept = _kept(eighths)
    across, down = picture.units
    quantizers = np.array([picture.quantizers[each] for each in kept])
    pixels = np.empty(
        (down * picture.down * eighths, across * picture.across * eighths), np.uint8
    )
    if not _read(
        stream,
        length,
        *tables(picture.codes),
        np.array(picture.blocks),
        picture.across,
        kept,
        (_weights(eighths) * quantizers).astype(np.float32),
        MOST // quantizers,
        pixels,
    ):
        return None
    height = -(-picture.height * eighths // EIGHTHS)
    width = -(-picture.width * eighths // EIGHTHS)
    return pixels[:height, :width]


# The plain reference ----------------------------------------------------------


def read_lowest_reference(data: bytes, picture: Baseline, eighths: int) -> Bytes:
    """The same as :func:`read_lowest`, number by number as the rule is written.

    Of a whole file only: it knows nothing of damage.
    """
    coded = re.sub(rb"\xff[^\0].*", b"", data[picture.begins :], flags=re.DOTALL)
    bits = iter("".join(f"{each:08b}" for each in coded.replace(b"\xff\0", b"\xff")))
    codes = [[_written_out(each) for each in pair] for pair in picture.codes]
    across, down = picture.units
    height, width = down * picture.down * eighths, across * picture.across * eighths
    pixels = np.empty((height, width), np.uint8)
    weights = _weights(eighths) * [picture.quantizers[at] for at in _kept(eighths)]
    mean = 0
    for unit in np.ndindex(down, across):
        for pair, row, column in picture.blocks:
            numbers = _block_reference(bits, *codes[pair])
            if row >= 0:
                numbers[0] = mean = mean + numbers[0]
                values = 128 + weights @ numbers[_kept(eighths)]
                top = (unit[0] * picture.down + row) * eighths
                left = (unit[1] * picture.across + column) * eighths
                pixels[top : top + eighths, left : left + eighths] = np.floor(
                    values + 0.5
                ).clip(0, 255)
    return pixels[
        : -(-picture.height * eighths // EIGHTHS),
        : -(-picture.width * eighths // EIGHTHS),
    ]


def _written_out(code: Huffman) -> dict[str, int]:
    """What each run of bits stands for (T.81, C.2)."""
    found, next_ = {}, 0
    for place, (length, symbol) in enumerate(zip(*code, strict=True)):
        if place:
            next_ = (next_ + 1) << (length - code[0][place - 1])
        found[f"{next_:0{length}b}"] = symbol
    return found


def _block_reference(
    bits: Iterator[str], first: dict[str, int], others: dict[str, int]
) -> Ints:
    """The 64 numbers of a block (T.81, F.2.2)."""
    numbers = np.zeros(LAST + 1, np.int64)
    numbers[0] = _number_reference(bits, _symbol_reference(bits, first))
    frequency = 1
    while frequency <= LAST and (symbol := _symbol_reference(bits, others)):
        frequency += symbol >> 4
        numbers[frequency] = _number_reference(bits, symbol & 15)
        frequency += 1
    return numbers


def _symbol_reference(bits: Iterator[str], code: dict[str, int]) -> int:
    seen = next(bits)
    while seen not in code:
        seen += next(bits)
    return code[seen]


def _number_reference(bits: Iterator[str], size: int) -> int:
    seen = "".join(islice(bits, size))
    value = int(seen or "0", 2)
    return value if seen.startswith("1") else value - (1 << size) + 1


# What both share -------------------------------------------------------------


@lru_cache(maxsize=EIGHTHS)
def _kept(eighths: int) -> Ints:
    """Which numbers of a block are kept at k/8: the k by k lowest frequencies."""
    return np.flatnonzero((eighths > ZIGZAG).all(axis=1))


@lru_cache(maxsize=EIGHTHS)
def _weights(eighths: int) -> NDArray[np.float64]:
    """(k, k, kept): what a kept number adds to each of a block's k by k pixels."""
    one_axis = np.sqrt(eighths / EIGHTHS) * dct(eighths)
    rows, columns = ZIGZAG[_kept(eighths)].T
    return np.asarray(np.einsum("nd,na->dan", one_axis[rows], one_axis[columns]))


# The fast way ----------------------------------------------------------------


@kernel
def _fill(
    stream: Bytes, at: int, word: np.uint64, bits: int
) -> tuple[int, np.uint64, int]:
    """At least 56 bits in ``word``, from its highest on: where to go on, and they."""
    word |= load_word(stream, at) >> U(bits)
    return at + ((63 - bits) >> 3), word, bits | 56


@kernel
def _read(
    stream: Bytes,
    length: int,
    coded: NDArray[np.uint16],
    one: NDArray[np.int32],
    many: NDArray[np.uint16],
    blocks: Ints,
    across: int,
    kept: Ints,
    weights: NDArray[np.float32],
    most: Ints,
    pixels: Bytes,
) -> bool:
    """Fill ``pixels``, row of units by row; False where something is not as it should.

    ``blocks``, (blocks of a unit, 3): which pair of codes, and the block's row and
    column in its unit, or -1 where it is colour. ``across``: a unit's luma columns.
    ``most``: how large each kept number can be.
    """
    eighths = len(weights)
    down = 1
    for block in range(len(blocks)):
        down = max(down, blocks[block, 1] + 1)
    columns = pixels.shape[1] // eighths
    # One plane for each number that is kept, and the last for all that are not.
    numbers = np.empty((len(kept) + 1, down, columns), np.int16)
    places = np.full(LAST + 1, len(kept) * down * columns)
    for plane in range(len(kept)):
        places[kept[plane]] = plane * down * columns
    line = np.empty((len(kept) + 1, columns), np.float32)
    reader = (0, U(0), 0, 0)
    for top in range(0, len(pixels), down * eighths):
        numbers[:] = 0
        reader = _read_row(
            stream, length, coded, one, many, blocks, across, kept[-1], places, numbers,
            reader,
        )  # fmt: skip
        if reader[0] < 0:
            return False
        for row in range(down):
            begin = top + row * eighths
            if not _to_pixels(
                numbers[:, row], weights, most, line, pixels[begin : begin + eighths]
            ):
                return False
    return True


@kernel
def _read_row(
    stream: Bytes,
    length: int,
    coded: NDArray[np.uint16],
    one: NDArray[np.int32],
    many: NDArray[np.uint16],
    blocks: Ints,
    across: int,
    last: int,
    places: Ints,
    numbers: NDArray[np.int16],
    reader: Reader,
) -> Reader:
    """Fill ``numbers`` from one row of units, with luma's up to the ``last`` kept.

    ``places``, (64,): where in ``numbers`` each begins. It is one long function, for
    calls would cost more than what they do.
    """
    at, word, bits, mean = reader
    wrong = (-1, word, bits, mean)
    columns = numbers.shape[2]
    flat = numbers.ravel()
    for unit in range(columns // across):
        for block in range(len(blocks)):
            pair = blocks[block, 0]
            luma = blocks[block, 1] >= 0
            keep = last if luma else 0
            cell = blocks[block, 1] * columns + unit * across + blocks[block, 2]
            # The first number is the difference from the last block's.
            at, word, bits = _fill(stream, at, word, bits)
            step = one[pair, 0, word >> U(64 - SEEN_BITS)]
            if step >> 8 & 255 == 1:
                number = step >> 16
                taken = step & 255
            else:
                code = coded[pair, 0, word >> U(64 - CODE_BITS)]
                number = number_of(word << U(code >> 8), code & 15)
                taken = (code >> 8) + (code & 15)
                if code == 0:
                    return wrong
            word <<= U(taken)
            bits -= taken
            if luma:
                mean += number
                if not -32768 <= mean <= 32767:
                    return wrong
                flat[cell] = mean
            frequency = 1
            while frequency <= LAST:
                at, word, bits = _fill(stream, at, word, bits)
                if frequency <= keep:
                    # Number by number, up to the last that is kept or a little beyond.
                    for _ in range(STEPS):
                        step = one[pair, 1, word >> U(64 - SEEN_BITS)]
                        goes = frequency + (step >> 8 & 255)
                        taken = step & 255
                        if goes > LAST:
                            break
                        flat[places[goes - 1] + cell] = step >> 16
                        frequency = goes
                        word <<= U(taken)
                        bits -= taken
                else:
                    # Over as many as are whole in what is seen.
                    for _ in range(STEPS):
                        step = many[pair, word >> U(64 - SEEN_BITS)]
                        goes = frequency + (step >> 8)
                        taken = step & 255
                        if goes > LAST:
                            break
                        frequency = goes
                        word <<= U(taken)
                        bits -= taken
                if goes <= LAST:
                    continue
                if BLOCK_ENDS <= goes <= BLOCK_ENDS + LAST:
                    word <<= U(taken)
                    bits -= taken
                    break
                # No step is known: a long code, or the last numbers of a full block.
                at, word, bits = _fill(stream, at, word, bits)
                code = coded[pair, 1, word >> U(64 - CODE_BITS)]
                number = number_of(word << U(code >> 8), code & 15)
                taken = (code >> 8) + (code & 15)
                word <<= U(taken)
                bits -= taken
                if code & 255 == 0:
                    if code == 0:
                        return wrong
                    break
                frequency += (code >> 4 & 15) + 1
                if frequency > LAST + 1:
                    return wrong
                if frequency - 1 <= keep:
                    flat[places[frequency - 1] + cell] = number
            if at - (bits >> 3) > length:
                return wrong
    return at, word, bits, mean


@kernel
def _to_pixels(
    numbers: NDArray[np.int16],
    weights: NDArray[np.float32],
    most: Ints,
    line: NDArray[np.float32],
    pixels: Bytes,
) -> bool:
    """Fill k rows of ``pixels`` from (kept + 1, columns) numbers: T.81 A.3.3 at k/8.

    ``weights``, (k, k, kept): how much each number adds to each pixel of its block.
    False where one is larger than it can be.
    """
    eighths, kept = len(weights), weights.shape[2]
    columns = numbers.shape[1]
    for number in range(kept):
        least = largest = np.int16(0)
        for column in range(columns):
            value = numbers[number, column]
            line[number, column] = value
            least = min(least, value)
            largest = max(largest, value)
        if least < -most[number] or largest > most[number]:
            return False
    for down in range(eighths):
        for across in range(eighths):
            for column in range(columns):
                # Half a level, for what is cut off behind the point.
                line[kept, column] = 128.5
            for number in range(kept):
                weight = weights[down, across, number]
                for column in range(columns):
                    line[kept, column] += weight * line[number, column]
            for column in range(columns):
                pixels[down, column * eighths + across] = min(
                    max(line[kept, column], np.float32(0)), np.float32(255)
                )
    return True
