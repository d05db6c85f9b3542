"""Exact search by Hamming distance that looks at few rows: multi-index hashing.

The 256 bits are cut into words. Two fingerprints at most ``radius`` bits apart differ
little in at least one word, by the pigeonhole rule: where word ``i`` is looked up with
up to ``t[i]`` bits turned and the sum of ``t[i] + 1`` is more than ``radius``, no row
within the radius is missed. So each word has a table from its value to the rows that
have it, and a query looks up few values in each.

The rule says more when the words stand in a ring. Let a word's surplus be the bits in
which it differs, less ``t[i] + 1``. All together are below nought, so there is a word
from which on every sum of surpluses is below nought: its own, and that with the next
word's. A row is so only looked at where both words together differ in at most
``t[i] + t[i + 1] + 1`` bits, and sixteen bits of the next word, kept beside each row in
the table, tell that of ninety-nine rows in a hundred without reading one of them.

It never approximates, and never costs much more than comparing every row: the sizes of
the lists that a query would walk are summed first, and where they are long (many rows
are alike) that query is answered by :func:`holdfast.signals.hamming.search`, which
finds the same. Rules: Norouzi, Punjani and Fleet, "Fast exact search in Hamming space
with multi-index hashing" (2014), with the general bound of Qin et al., "GPH" (2018),
and the ring of Qin and Xiao, "Pigeonring" (2018), of which two words are used.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.hamming import (
    FIRST_ROOM,
    Matches,
    check_shape,
    distance,
    in_order,
    keep,
    read_only,
    search,
)
from holdfast.signals.instructions import popcount, prefetch
from holdfast.signals.kernels import kernel
from holdfast.signals.tables import (
    FAR,
    SIGN_BITS,
    Tables,
    build,
    empty_tables,
    shuffled,
    value_of,
    word_bits,
)

PROBE_COST_ROWS = 6.0
CANDIDATE_COST_ROWS = 8.0
"""What one look-up, and one row of a list, cost: as many rows of a scan. The first is a
place in memory that is not in the cache, fetched ahead, where a scan streams."""
AHEAD = 24
"""How many places ahead memory is asked for: about as many fetches as a core has under
way. Of 8 to 48, the quickest with 10 million rows."""


class Probes(NamedTuple):
    """What a query looks up: of each word the bits to turn in it."""

    limits: NDArray[np.int64]
    """(m,): up to how many bits are turned in each word; -1: not looked at."""
    firsts: NDArray[np.int64]
    """(m + 1,): where the probes of each word begin in the arrays below."""
    masks: NDArray[np.int64]
    """(p,): the bits that are turned."""
    most_next: NDArray[np.int64]
    """(p,): in up to how many bits the next word may then differ."""
    words: NDArray[np.int64]
    """(p,): the word."""


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
    bases, offsets, signs, lists = (read_only(each.reshape(-1)) for each in tables)
    found, size, unanswered = _probe(
        read_only(queries), read_only(rows), bases, offsets, signs, lists, *probes,
        tables.word_bits, radius_bits, room,
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
    each = [_masks(word_bits(words), limit) for limit in limits]
    masks = np.concatenate(each)
    word = np.repeat(np.arange(words), [len(some) for some in each])
    firsts = np.searchsorted(word, np.arange(words + 1))
    both = np.array(limits) + np.roll(limits, -1) + 1
    most_next = both[word] - np.bitwise_count(masks)
    probes = (limits, firsts, masks, most_next, word)
    return Probes(*(read_only(np.asarray(array, np.int64)) for array in probes))


def _masks(bits: int, limit: int) -> NDArray[np.int64]:
    turned = (
        sum(1 << bit for bit in some)
        for count in range(limit + 1)
        for some in combinations(range(bits), count)
    )
    return np.array(sorted(turned), np.int64)


@kernel
def _probe(
    queries: NDArray[np.uint64],
    rows: NDArray[np.uint64],
    bases: NDArray[np.uint32],
    offsets: NDArray[np.uint8],
    signs: NDArray[np.uint16],
    lists: NDArray[np.uint32],
    limits: NDArray[np.int64],
    firsts: NDArray[np.int64],
    masks: NDArray[np.int64],
    most_next: NDArray[np.int64],
    words: NDArray[np.int64],
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
    probes = len(masks)
    values = np.empty(len(limits), np.int64)
    starts = np.empty(probes, np.int64)
    ends = np.empty(probes, np.int64)
    near_probe = np.empty(FIRST_ROOM, np.int64)
    near_row = np.empty(FIRST_ROOM, np.int64)
    flat_rows = rows.reshape(rows.size)
    for query in range(len(queries)):
        for word in range(len(limits)):
            values[word] = value_of(queries, query, word, bits)
        total = _look_up(
            values, firsts, masks, bases, offsets, signs, len(rows), bits, room,
            starts, ends,
        )  # fmt: skip
        if total > room:
            unanswered[left] = query
            left += 1
            continue
        near_probe, near_row, size = _sift(
            values, firsts, most_next, signs, starts, ends, near_probe, near_row
        )
        # In three waves: a place of a list, the row that stands there, its bits.
        for place in range(size + 2 * AHEAD):
            if place < size:
                prefetch(lists, near_row[place])
            second = place - AHEAD
            if 0 <= second < size:
                row = min(np.int64(lists[near_row[second]]), np.int64(len(rows) - 1))
                near_row[second] = row
                prefetch(flat_rows, 4 * row)
            third = second - AHEAD
            if third < 0 or third >= size:
                continue
            row, probe = near_row[third], near_probe[third]
            near = distance(queries[query], rows, row)
            if near <= radius_bits and _is_first(
                rows, row, values, limits, words[probe], masks[probe], bits
            ):
                found = keep(found, count, query, row, near)
                count += 1
    return found, count, unanswered[:left]


@kernel
def _look_up(
    values: NDArray[np.int64],
    firsts: NDArray[np.int64],
    masks: NDArray[np.int64],
    bases: NDArray[np.uint32],
    offsets: NDArray[np.uint8],
    signs: NDArray[np.uint16],
    rows: int,
    bits: int,
    room: int,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> np.int64:
    """Where in ``signs`` the list of each probe starts and ends; all sizes together.

    Stops where that passes ``room``.
    """
    blocks = len(bases) // len(values) - 1
    in_block = (1 << bits) // blocks
    shift = np.int64(popcount(np.uint64(in_block - 1)))
    total = np.int64(0)
    for word in range(len(values)):
        first, last = firsts[word], firsts[word + 1]
        base = bases[word * (blocks + 1) : (word + 1) * (blocks + 1)]
        offset = offsets[word << bits : (word + 1) << bits]
        value, list_ = values[word], word * rows
        for probe in range(first, min(first + AHEAD, last)):
            prefetch(offset, value ^ masks[probe])
            prefetch(base, (value ^ masks[probe]) >> shift)
        for probe in range(first, last):
            ahead = value ^ masks[min(probe + AHEAD, last - 1)]
            prefetch(offset, ahead)
            prefetch(base, ahead >> shift)
            here = np.uint64(value ^ masks[probe])
            block = here >> np.uint64(shift)
            start = np.int64(base[block])
            # Where the next list is in another block, or too far for a byte to say.
            end = np.int64(base[block + np.uint64(1)])
            behind = (here + np.uint64(1)) & np.uint64(in_block - 1)
            to = np.int64(offset[(block << np.uint64(shift)) + behind])
            if (behind != 0) & (to < FAR):
                end = start + to
            start += np.int64(offset[here])
            end = min(end, np.int64(rows))
            start = min(start, end)
            total += end - start
            starts[probe], ends[probe] = list_ + start, list_ + end
            prefetch(signs, list_ + start)
        if total > room:
            break
    return total


@kernel
def _sift(
    values: NDArray[np.int64],
    firsts: NDArray[np.int64],
    most_next: NDArray[np.int64],
    signs: NDArray[np.uint16],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    near_probe: NDArray[np.int64],
    near_row: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The places of lists whose sign allows a match, each with its probe."""
    size = 0
    for word in range(len(values)):
        following = word + 1 if word + 1 < len(values) else 0
        sign = np.uint16(values[following] & ((1 << SIGN_BITS) - 1))
        for probe in range(firsts[word], firsts[word + 1]):
            most = np.uint64(most_next[probe])
            start, end = starts[probe], ends[probe]
            # Most lists have few rows and nearly none is near: without a branch for
            # each the processor need not guess how many there are.
            walks = (end - start > 4) | (start + 4 > len(signs))
            if not walks:
                for more in range(4):
                    bits = popcount(np.uint64(signs[np.uint64(start + more)] ^ sign))
                    walks |= (bits <= most) & (start + more < end)
            if not walks:
                continue
            for place in range(start, end):
                if popcount(np.uint64(signs[place] ^ sign)) <= most:
                    if size == len(near_row):
                        near_probe, near_row = _twice(near_probe), _twice(near_row)
                    near_probe[size] = probe
                    near_row[size] = place
                    size += 1
    return near_probe, near_row, size


@kernel
def _twice(array: NDArray[np.int64]) -> NDArray[np.int64]:
    larger = np.empty(2 * len(array), np.int64)
    larger[: len(array)] = array
    return larger


@kernel
def _is_first(
    rows: NDArray[np.uint64],
    row: int,
    values: NDArray[np.int64],
    limits: NDArray[np.int64],
    word: int,
    mask: int,
    bits: int,
) -> bool:
    """Whether it is this probe that a row is reported by: each is, once.

    It is the one of the first word that leads to the row. A list can hold rows of other
    values than the one that was looked up; those are reported by their own.
    """
    if value_of(rows, row, word, bits) ^ values[word] != mask:
        return False
    low = np.uint64((1 << SIGN_BITS) - 1)
    for earlier in range(word):
        differs = value_of(rows, row, earlier, bits) ^ values[earlier]
        turned = np.int64(popcount(np.uint64(differs)))
        if turned > limits[earlier]:
            continue
        after = earlier + 1
        sign = np.uint64(value_of(rows, row, after, bits) ^ values[after]) & low
        most = limits[earlier] + limits[after] + 1 - turned
        if np.int64(popcount(sign)) <= most:
            return False
    return True
