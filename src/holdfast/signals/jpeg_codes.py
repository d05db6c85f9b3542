"""What the next bits of a JPEG's coded numbers are, known before they are read.

A number is written as a code, which says how many zeros (frequencies with nothing in
them) come before it and how many bits it has, and then those bits. A step takes in
what lies in the next SEEN_BITS bits: one number where it is wanted, and else as many
as are whole. The rule is ITU-T T.81, annexes C and F.2.2.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.jpeg_baseline import Huffman
from holdfast.signals.kernels import kernel

SEEN_BITS = 12
"""How many bits are looked at in one step: with more, the tables leave the cache."""
STEPS, STEP_BITS = 3, 18
"""Steps that are taken from what one load leaves (56 bits), and most bits of one."""
CODE_BITS = 16
"""The longest code."""
LAST = 63
"""The highest frequency of a block; the numbers are counted from 0 (T.81, A.6)."""
BLOCK_ENDS = 128
"""Added to how far a step goes when the block ends with it."""
UNKNOWN = 64
"""How far a step goes that has to be taken by its code."""
CACHED_TABLES = 16
"""Sets of tables that are kept, 0.7 MB each: most programs write the same codes."""

U = np.uint64


@lru_cache(maxsize=CACHED_TABLES)
def tables(
    codes: tuple[tuple[Huffman, Huffman], ...],
) -> tuple[NDArray[np.uint16], NDArray[np.int32], NDArray[np.uint16]]:
    """What is known of the next bits, for each pair of codes (first number, others).

    The code: (pairs, 2, 2^16), its length times 256 plus its symbol, or 0 for none. The
    step over one number, (pairs, 2, 2^12), and over all that are whole, (pairs, 2^12):
    the lowest byte is how many bits it takes, the next how far it goes, and above these
    stands the one number.
    """
    coded = np.zeros((len(codes), 2, 1 << CODE_BITS), np.uint16)
    one = np.zeros((len(codes), 2, 1 << SEEN_BITS), np.int32)
    many = np.zeros((len(codes), 1 << SEEN_BITS), np.uint16)
    for pair, both in enumerate(codes):
        for kind, (lengths, symbols) in enumerate(both):
            begin = 0
            for length, symbol in zip(lengths, symbols, strict=True):
                end = begin + (1 << (CODE_BITS - length))
                coded[pair, kind, begin:end] = length << 8 | symbol
                begin = end
        _fill_steps(coded[pair], one[pair], many[pair])
    return coded, one, many


@kernel
def _fill_steps(
    coded: NDArray[np.uint16], one: NDArray[np.int32], many: NDArray[np.uint16]
) -> None:
    for seen in range(1 << SEEN_BITS):
        word = U(seen) << U(64 - SEEN_BITS)
        for kind in range(2):
            code = coded[kind, word >> U(64 - CODE_BITS)]
            one[kind, seen] = _one(code, word, kind == 0)
        taken = goes = 0
        while goes <= LAST:
            code = coded[1, (word << U(taken)) >> U(64 - CODE_BITS)]
            length, symbol = code >> 8, code & 255
            if length == 0 or taken + length > SEEN_BITS:
                break
            if taken + length + (symbol & 15) > STEP_BITS:
                break
            taken += length + (symbol & 15)
            goes += BLOCK_ENDS if symbol == 0 else (symbol >> 4) + 1
        if taken == 0 or LAST < goes < BLOCK_ENDS:
            goes = UNKNOWN
        many[seen] = goes << 8 | taken


@kernel
def _one(code: int, word: np.uint64, first: bool) -> np.int64:
    """The step over the number that begins with ``code``, if all of it is seen."""
    length, symbol = code >> 8, code & 255
    size = symbol & 15
    if length == 0 or length + size > SEEN_BITS:
        return np.int64(UNKNOWN << 8)
    goes = 1 if first else (symbol >> 4) + 1
    if symbol == 0 and not first:
        goes = BLOCK_ENDS
    return number_of(word << U(length), size) << 16 | goes << 8 | (length + size)


@kernel
def number_of(word: np.uint64, size: int) -> np.int64:
    """The number whose ``size`` bits come first in ``word`` (T.81, F.2.2.1)."""
    if size == 0:
        return np.int64(0)
    value = np.int64(word >> U(64 - size))
    if value < (1 << (size - 1)):
        value -= (1 << size) - 1
    return value
