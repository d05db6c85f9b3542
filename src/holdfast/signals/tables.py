"""Tables from the value of a word to the rows that have it; see ``multi_index``.

The 256 bits of a row are cut into words. For each word the rows stand in a list, sorted
by its value, and beside each row stands its *sign*: sixteen bits of the next word, by
which nearly every row of a list is told to be far without being read. Where the list of
a value begins is written in two steps, a number for every block of values and one byte
for each value in it: an eighth of the memory that a number for each would take, so that
most of it stays in the processor's cache.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.hamming import check_shape, read_only
from holdfast.signals.kernels import kernel

BITS = 256
WORDS_BY_SIZE = (
    (6_000_000, 11),
    (1_500_000, 12),
    (500_000, 13),
    (200_000, 14),
    (20_000, 16),
)
"""(rows, words): from so many rows on, cut into so many words. Fewer and longer words
mean more look-ups and shorter lists. Below the last size a scan is as quick as any
table. Measured with uniform rows and a radius of 31."""
SIGN_BITS = 16
BLOCK_ROWS = 100
"""How many rows the values of one block have on average, at most: with so many, one of
uniform rows never has more than :data:`FAR` tells."""
BLOCK_VALUES = 64
"""Values of a block at most: their bytes fill one line of the cache."""
FAR = 255
"""An offset that says: here or behind. A list whose end is not known ends where its
block does, and has rows of other values too."""


class Tables(NamedTuple):
    """n rows by the value of each of m words of b bits."""

    bases: NDArray[np.uint32]
    """(m, 2**b / values of a block + 1), ascending from 0 to n: where blocks begin."""
    offsets: NDArray[np.uint8]
    """(m, 2**b): how far behind the beginning of its block the list of a value begins;
    :data:`FAR` for so far or farther."""
    signs: NDArray[np.uint16]
    """(m, n): the lowest bits of each row's next word; the first follows the last."""
    lists: NDArray[np.uint32]
    """(m, n): the rows."""

    @property
    def words(self) -> int:
        """How many words there are."""
        return int(self.bases.shape[0])

    @property
    def word_bits(self) -> int:
        """Bits in each; what is left of the 256 is not looked at here."""
        return word_bits(self.words)


def word_bits(words: int) -> int:
    """Bits of each of ``words`` words: as many as all of them can have."""
    return BITS // words


def words_for(rows: int) -> int:
    """Into how many words to cut so many rows; 0 where tables do not pay."""
    return next((words for least, words in WORDS_BY_SIZE if rows >= least), 0)


def block_values(rows: int, words: int) -> int:
    """How many values a block has, a power of two."""
    values = BLOCK_VALUES
    while values > 1 and values * rows > BLOCK_ROWS << word_bits(words):
        values //= 2
    return values


def shapes(rows: int, words: int) -> dict[str, tuple[str, tuple[int, int]]]:
    """Type and shape of each array of :class:`Tables`, by its name."""
    values = 1 << word_bits(words)
    blocks = values // block_values(rows, words)
    return {
        "bases": ("<u4", (words, blocks + 1)),
        "offsets": ("|u1", (words, values)),
        "signs": ("<u2", (words, rows)),
        "lists": ("<u4", (words, rows)),
    }


def empty_tables(rows: int, words: int) -> Tables:
    """Room for tables of so many rows and words (8 to 16), in memory."""
    if not 8 <= words <= BITS // SIGN_BITS:
        raise ValueError("from 8 to 16 words, of 32 to 16 bits")
    return Tables(
        *(np.empty(shape, dtype) for dtype, shape in shapes(rows, words).values())
    )


def shuffled(fingerprints: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(N, 4) rows or queries with their bits in another order, always the same one.

    Neighbouring bits of pictures go together and would fill few lists. Distances
    between fingerprints shuffled alike stay as they are. Tables are made of shuffled
    rows, so this order can never change without making files anew.
    """
    check_shape(fingerprints)
    out = np.empty_like(fingerprints)
    _shuffle(read_only(fingerprints), _SHUFFLE, out)
    return out


def build(rows: NDArray[np.uint64], tables: Tables) -> None:
    """Fill ``tables`` (of :func:`empty_tables`, or a file) for shuffled rows (N, 4).

    Takes 4 bytes of memory for each value of a word meanwhile.
    """
    check_shape(rows)
    given, bits = read_only(rows), tables.word_bits
    heads = np.empty((1 << bits) + 1, np.uint32)
    for word in range(tables.words):
        following = (word + 1) % tables.words
        _fill(
            given, word, following, bits, heads, tables.signs[word], tables.lists[word]
        )
        _condense(heads, tables.bases[word], tables.offsets[word])


def _shuffle_table() -> NDArray[np.uint64]:
    """(32, 256, 4): where the bits of each value of each byte go."""
    order = sorted(range(BITS), key=lambda bit: sha256(b"%d" % bit).digest())
    values = np.arange(256)
    table = np.zeros((32, 256, 4), np.uint64)
    for place, bit in enumerate(order):
        word, shift = divmod(place, 64)
        has = (values >> (bit % 8)) & 1
        table[bit // 8, :, word] |= has.astype(np.uint64) << np.uint64(shift)
    return read_only(table)


_SHUFFLE = _shuffle_table()


@kernel
def _shuffle(
    given: NDArray[np.uint64], table: NDArray[np.uint64], out: NDArray[np.uint64]
) -> None:
    for row in range(len(given)):
        a = b = c = d = np.uint64(0)
        for word in range(4):
            bits = given[row, word]
            for byte in range(8):
                value = np.int64((bits >> np.uint64(8 * byte)) & np.uint64(255))
                a |= table[8 * word + byte, value, 0]
                b |= table[8 * word + byte, value, 1]
                c |= table[8 * word + byte, value, 2]
                d |= table[8 * word + byte, value, 3]
        out[row, 0], out[row, 1], out[row, 2], out[row, 3] = a, b, c, d


@kernel
def value_of(rows: NDArray[np.uint64], row: int, word: int, bits: int) -> np.int64:
    """Word ``word`` of row ``row``: bits ``word * bits`` and following."""
    place, shift = (word * bits) >> 6, (word * bits) & 63
    value = rows[row, place] >> np.uint64(shift)
    if shift + bits > 64:
        value |= rows[row, place + 1] << np.uint64(64 - shift)
    return np.int64(value & np.uint64((1 << bits) - 1))


@kernel
def _fill(
    rows: NDArray[np.uint64],
    word: int,
    following: int,
    bits: int,
    heads: NDArray[np.uint32],
    signs: NDArray[np.uint16],
    list_: NDArray[np.uint32],
) -> None:
    """The list of one word: rows sorted by its value, by counting."""
    heads[:] = 0
    for row in range(len(rows)):
        heads[value_of(rows, row, word, bits)] += np.uint32(1)
    # Each head becomes the end of its list; filling from the last row backwards
    # brings it down to the start.
    end = np.uint32(0)
    for head in range(len(heads)):
        end += heads[head]
        heads[head] = end
    for row in range(len(rows) - 1, -1, -1):
        value = value_of(rows, row, word, bits)
        heads[value] -= np.uint32(1)
        place = heads[value]
        list_[place] = row
        signs[place] = np.uint16(value_of(rows, row, following, bits) & 0xFFFF)


@kernel
def _condense(
    heads: NDArray[np.uint32], bases: NDArray[np.uint32], offsets: NDArray[np.uint8]
) -> None:
    """Where lists begin, in two steps."""
    values = len(offsets) // (len(bases) - 1)
    for block in range(len(bases)):
        bases[block] = heads[block * values]
    for value in range(len(offsets)):
        offset = np.int64(heads[value]) - np.int64(bases[value // values])
        offsets[value] = np.uint8(min(offset, np.int64(FAR)))
