"""Exact search by Hamming distance that looks at few rows: multi-index hashing.

The 256 bits are cut into words. Two fingerprints at most ``radius`` bits apart differ
little in at least one word, by the pigeonhole rule: where word ``i`` is looked up with
up to ``t[i]`` bits turned and the sum of ``t[i] + 1`` is more than ``radius``, no row
within the radius is missed. So each word has a table from its value to the rows that
have it, and a query looks up few values in each. Rows found are then compared whole.

It never approximates, and never costs much more than comparing every row: the sizes of
the lists that a query would walk are summed first, and where they are long (many rows
are alike) that query is answered by :func:`holdfast.signals.hamming.search`, which
finds the same. Rule: Norouzi, Punjani and Fleet, "Fast exact search in Hamming space
with multi-index hashing" (2014), with the general bound of Qin et al., "GPH" (2018).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from holdfast.signals.hamming import (
    FIRST_ROOM,
    Matches,
    check_shape,
    distance,
    in_order,
    keep,
    popcount,
    read_only,
    search,
)
from holdfast.signals.kernels import kernel

BITS = 256
WORDS_BY_SIZE = ((5_000_000, 11), (300_000, 12), (20_000, 16))
"""(rows, words): from so many rows on, cut into so many words. Fewer and longer words
mean more look-ups and shorter lists. Below the last size a scan is as quick as any
table. Measured with uniform rows and a radius of 31."""
PROBE_COST_ROWS = 6.0
CANDIDATE_COST_ROWS = 8.0
"""What one look-up, and one row from a list, cost: as many rows of a scan. Either is a
place in memory that is not in the cache, fetched ahead, where a scan streams."""
AHEAD = 24
"""How many places ahead memory is asked for: about as many fetches as a core has under
way. Of 8 to 48, the quickest with 10 million rows."""


class Tables(NamedTuple):
    """From the value of a word to the rows that have it.

    With n rows, m words of b bits: rows of word ``i`` that have value ``v`` are
    ``lists[i, heads[i, v]:heads[i, v + 1]]``.
    """

    heads: NDArray[np.uint32]
    """(m, 2**b + 1), ascending along each word, from 0 to n."""
    lists: NDArray[np.uint32]
    """(m, n)."""

    @property
    def words(self) -> int:
        """How many words there are."""
        return int(self.heads.shape[0])

    @property
    def word_bits(self) -> int:
        """Bits in each; what is left of the 256 is not looked at here."""
        return word_bits(self.words)


class Probes(NamedTuple):
    """What a query looks up: parallel arrays of word and of bits to turn in it."""

    limits: NDArray[np.int64]
    """(m,): up to how many bits are turned in each word; -1: not looked at."""
    word: NDArray[np.int64]
    mask: NDArray[np.int64]


def word_bits(words: int) -> int:
    """Bits of each of ``words`` words: as many as all of them can have."""
    return BITS // words


def words_for(rows: int) -> int:
    """Into how many words to cut so many rows; 0 where tables do not pay."""
    return next((words for least, words in WORDS_BY_SIZE if rows >= least), 0)


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
    """Fill ``tables`` (of :func:`empty_tables`, or a file) for shuffled rows (N, 4)."""
    check_shape(rows)
    given = read_only(rows)
    for word in range(tables.words):
        _fill(given, word, tables.word_bits, tables.heads[word], tables.lists[word])


def empty_tables(rows: int, words: int) -> Tables:
    """Room for tables of so many rows and words (1 to 32), in memory."""
    if not BITS // 32 <= words <= 32:
        raise ValueError("words of at most 32 bits, at most 32 of them")
    heads = np.empty((words, 2 ** word_bits(words) + 1), np.uint32)
    return Tables(heads, np.empty((words, rows), np.uint32))


def search_tables(
    queries: NDArray[np.uint64],
    rows: NDArray[np.uint64],
    tables: Tables,
    radius_bits: int,
    *,
    probe_cost_rows: float = PROBE_COST_ROWS,
    candidate_cost_rows: float = CANDIDATE_COST_ROWS,
) -> Matches:
    """What :func:`holdfast.signals.hamming.search` finds, with ``tables`` of ``rows``.

    ``queries`` (Q, 4) and ``rows`` (N, 4) are shuffled. Tables that a fault has
    changed give wrong answers and nothing worse: no index in them is trusted.
    """
    check_shape(queries, rows)
    count = probes_needed(tables.words, radius_bits)
    left = len(rows) - probe_cost_rows * count
    if left < 0:
        return search(queries, rows, radius_bits)
    probes = probes_of(tables.words, radius_bits)
    room = min(len(rows) * tables.words, int(left / max(candidate_cost_rows, 1e-9)))
    found, size, unanswered = _probe(
        read_only(queries), read_only(rows), read_only(tables.heads.reshape(-1)),
        read_only(tables.lists.reshape(-1)), *probes, tables.word_bits, radius_bits,
        room,
    )  # fmt: skip
    if not len(unanswered):
        return in_order(found[:size])
    scanned = search(queries[unanswered], rows, radius_bits)
    others = np.stack((unanswered[scanned.query_index], *scanned[1:]), axis=1)
    return in_order(np.concatenate((found[:size], others)))


def load_kernels() -> None:
    """Compile what a search calls, or load it from where compiled kernels are kept.

    It takes up to a second once for each process, which a server spends before it
    answers.
    """
    few = shuffled(np.zeros((4, 4), np.uint64))
    tables = empty_tables(len(few), 16)
    build(few, tables)
    search(few, few, 0)
    search_tables(few, few, tables, 0, probe_cost_rows=0.0, candidate_cost_rows=0.0)


def limits_of(words: int, radius_bits: int) -> list[int]:
    """Up to how many bits are turned in each word: one more of each make radius + 1.

    Spread evenly; -1 is a word that need not be looked at.
    """
    each, more = divmod(radius_bits + 1, words)
    return [each - (word >= more) for word in range(words)]


def probes_needed(words: int, radius_bits: int) -> int:
    """How many values a query looks up in all."""
    bits = word_bits(words)
    return sum(
        comb(bits, turned)
        for limit in limits_of(words, radius_bits)
        for turned in range(limit + 1)
    )


@lru_cache(maxsize=16)
def probes_of(words: int, radius_bits: int) -> Probes:
    """The values to look up, neighbours in memory after each other."""
    limits = limits_of(words, radius_bits)
    masks = {limit: _masks(word_bits(words), limit) for limit in set(limits)}
    return Probes(
        read_only(np.array(limits, np.int64)),
        read_only(np.repeat(np.arange(words), [len(masks[limit]) for limit in limits])),
        read_only(np.concatenate([masks[limit] for limit in limits])),
    )


def _masks(bits: int, limit: int) -> NDArray[np.int64]:
    turned = (
        sum(1 << bit for bit in some)
        for count in range(limit + 1)
        for some in combinations(range(bits), count)
    )
    return np.array(sorted(turned), np.int64)


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


def _ask(_typing: Any, array: Any, _index: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, index = signature.args[0], args[1]
        data = context.make_array(kind)(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [index]), cgutils.voidptr_t)
        flag = ir.IntType(32)
        takes = [cgutils.voidptr_t, flag, flag, flag]
        llvm = builder.module.declare_intrinsic(
            "llvm.prefetch.p0", (), ir.FunctionType(ir.VoidType(), takes)
        )
        # To read (0), wanted soon (3), data (1): https://llvm.org/docs/LangRef.html
        builder.call(llvm, [place, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


_prefetch: Any = intrinsic(_ask)
"""Ask for ``array[index]`` (flat, contiguous) to be read into the cache; in kernels
only. It never faults, whatever the index."""


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
def _value(rows: NDArray[np.uint64], row: int, word: int, bits: int) -> np.int64:
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
    bits: int,
    heads: NDArray[np.uint32],
    list_: NDArray[np.uint32],
) -> None:
    """The table of one word: rows sorted by its value, by counting."""
    heads[:] = 0
    for row in range(len(rows)):
        heads[_value(rows, row, word, bits)] += np.uint32(1)
    # Each head becomes the end of its list; filling from the last row backwards
    # brings it down to the start.
    end = np.uint32(0)
    for value in range(len(heads)):
        end += heads[value]
        heads[value] = end
    for row in range(len(rows) - 1, -1, -1):
        head = _value(rows, row, word, bits)
        heads[head] -= np.uint32(1)
        list_[heads[head]] = row


@kernel
def _probe(
    queries: NDArray[np.uint64],
    rows: NDArray[np.uint64],
    heads: NDArray[np.uint32],
    lists: NDArray[np.uint32],
    limits: NDArray[np.int64],
    probe_word: NDArray[np.int64],
    probe_mask: NDArray[np.int64],
    bits: int,
    radius_bits: int,
    room: int,
) -> tuple[NDArray[np.int64], int, NDArray[np.int64]]:
    """Matches (room, 3), how many there are, and the queries that were too costly.

    A query is too costly when its lists have more than ``room`` rows in all.
    """
    found = np.empty((FIRST_ROOM, 3), np.int64)
    unanswered = np.empty(len(queries), np.int64)
    count = left = 0
    values = np.empty(len(limits), np.int64)
    probes = len(probe_word)
    places = np.empty(probes + AHEAD, np.int64)
    starts = np.empty(probes, np.int64)
    sizes = np.empty(probes, np.int64)
    upto = np.empty(len(limits), np.int64)
    candidates = np.empty(FIRST_ROOM + AHEAD, np.int64)
    flat_rows = rows.reshape(rows.size)
    for query in range(len(queries)):
        for word in range(len(limits)):
            values[word] = _value(queries, query, word, bits)
        for probe in range(probes):
            word = probe_word[probe]
            value = values[word] ^ probe_mask[probe]
            places[probe] = word * ((1 << bits) + 1) + value
        places[probes:] = places[probes - 1]
        total = _look_up(
            places, probe_word, heads, lists, len(rows), room, starts, sizes
        )
        if total > room:
            unanswered[left] = query
            left += 1
            continue
        if total + AHEAD > len(candidates):
            candidates = np.empty(2 * total + AHEAD, np.int64)
        _gather(probe_word, starts, sizes, lists, len(rows), candidates, upto)
        candidates[total : total + AHEAD] = 0
        first = 0
        for word in range(len(limits)):
            for place in range(first, upto[word]):
                _prefetch(flat_rows, 4 * candidates[place + AHEAD])
                row = candidates[place]
                near = distance(queries[query], rows, row)
                if near <= radius_bits and _is_first(
                    rows, row, values, limits, word, bits
                ):
                    found = keep(found, count, query, row, near)
                    count += 1
            first = upto[word]
    return found, count, unanswered[:left]


@kernel
def _look_up(
    places: NDArray[np.int64],
    probe_word: NDArray[np.int64],
    heads: NDArray[np.uint32],
    lists: NDArray[np.uint32],
    rows: int,
    room: int,
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> np.int64:
    """Where the list of each probe starts and its size; all sizes together.

    Stops where that passes ``room``.
    """
    total = np.int64(0)
    for probe in range(AHEAD):
        _prefetch(heads, places[min(probe, len(starts) - 1)])
    for probe in range(len(starts)):
        _prefetch(heads, places[probe + AHEAD])
        start = np.int64(heads[places[probe]])
        end = min(np.int64(heads[places[probe] + 1]), np.int64(rows))
        size = max(end - start, np.int64(0))
        start += probe_word[probe] * rows
        starts[probe], sizes[probe] = start, size
        if size:
            _prefetch(lists, start)
        total += size
        if total > room:
            break
    return total


@kernel
def _gather(
    probe_word: NDArray[np.int64],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    lists: NDArray[np.uint32],
    rows: int,
    candidates: NDArray[np.int64],
    upto: NDArray[np.int64],
) -> None:
    """The rows of all lists, one after the other; where those of each word end."""
    count = 0
    upto[:] = 0
    for probe in range(len(starts)):
        for place in range(starts[probe], starts[probe] + sizes[probe]):
            candidates[count] = min(np.int64(lists[place]), np.int64(rows - 1))
            count += 1
        upto[probe_word[probe]] = count
    # A word that was not looked at ends where the one before it does.
    for word in range(1, len(upto)):
        upto[word] = max(upto[word], upto[word - 1])


@kernel
def _is_first(
    rows: NDArray[np.uint64],
    row: int,
    values: NDArray[np.int64],
    limits: NDArray[np.int64],
    word: int,
    bits: int,
) -> bool:
    """Whether no word before ``word`` has led to this row: each is reported once."""
    for earlier in range(word):
        turned = np.uint64(_value(rows, row, earlier, bits) ^ values[earlier])
        if np.int64(popcount(turned)) <= limits[earlier]:
            return False
    return True
