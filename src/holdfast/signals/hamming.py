"""Exact search by Hamming distance over 256-bit fingerprints.

Every row is compared with every query, so nothing within the radius is missed; an
index that prunes must give the same answer as this, and falls back on it where pruning
does not pay. It never approximates. A fingerprint of 32 bytes is held as four
``uint64`` words, the first word being the first eight bytes read big-endian; the order
of the bits does not change a distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.signals.instructions import popcount
from holdfast.signals.kernels import kernel

FINGERPRINT_BYTES = 32
"""Length of a fingerprint in bytes (256 bits, as PDQ and ORB have)."""
WORDS = 4
"""The same length in 64-bit words."""
BLOCK_ROWS = 1024
"""Rows (32 KiB of them, which stay in the first cache) that all queries are compared
with before the next ones are read: memory is read once a batch, not once a query."""
FIRST_ROOM = 256
"""Matches for which a kernel makes room at first; doubled whenever it is used up."""


class Matches(NamedTuple):
    """Parallel arrays, ordered by query and then by row."""

    query_index: NDArray[np.int64]
    row_index: NDArray[np.int64]
    distance_bits: NDArray[np.int64]


def to_words(fingerprints: Sequence[bytes]) -> NDArray[np.uint64]:
    """(N, 4) words from N fingerprints of 32 bytes each.

    Raises ValueError when one has another length.
    """
    if any(len(each) != FINGERPRINT_BYTES for each in fingerprints):
        raise ValueError(f"a fingerprint has {FINGERPRINT_BYTES} bytes")
    flat = np.frombuffer(b"".join(fingerprints), dtype=">u8")
    return flat.astype(np.uint64).reshape(-1, WORDS)


def to_fingerprints(words: NDArray[np.uint64]) -> list[bytes]:
    """N fingerprints of 32 bytes from (N, 4) words; undoes :func:`to_words`."""
    return [row.tobytes() for row in words.astype(">u8").reshape(-1, WORDS)]


def search(
    queries: NDArray[np.uint64], rows: NDArray[np.uint64], radius_bits: int
) -> Matches:
    """Every pair at most ``radius_bits`` apart (0 to 256, inclusive).

    ``queries`` is (Q, 4), ``rows`` is (N, 4); see :func:`to_words`. Memory: the
    matches themselves. Other threads run meanwhile.
    """
    check_shape(queries, rows)
    found, count = _scan(read_only(queries), read_only(rows), radius_bits)
    return in_order(found[:count])


def search_reference(
    queries: Sequence[bytes], rows: Sequence[bytes], radius_bits: int
) -> list[tuple[int, int, int]]:
    """What :func:`search` must find, said plainly: (query, row, distance in bits)."""
    found = []
    for query_index, query in enumerate(queries):
        for row_index, row in enumerate(rows):
            difference = int.from_bytes(query) ^ int.from_bytes(row)
            if difference.bit_count() <= radius_bits:
                found.append((query_index, row_index, difference.bit_count()))
    return found


def in_order(found: NDArray[np.int64]) -> Matches:
    """Matches from (n, 3) triples of query, row and distance in any order."""
    order = np.lexsort((found[:, 1], found[:, 0]))
    return Matches(*np.ascontiguousarray(found[order].T))


def read_only(table: NDArray[Any]) -> NDArray[Any]:
    """The same memory, contiguous and not to be written.

    Mapped files are read-only; with all else given as the same type, each kernel is
    compiled once.
    """
    view = np.ascontiguousarray(table).view()
    view.flags.writeable = False
    return view


def check_shape(*tables: NDArray[np.uint64]) -> None:
    """Raise ValueError unless each is uint64 (n, 4)."""
    for table in tables:
        if table.ndim != 2 or table.shape[1] != WORDS or table.dtype != np.uint64:
            raise ValueError(f"expected uint64 (n, {WORDS}), not {table.shape}")


@kernel
def distance(query: NDArray[np.uint64], rows: NDArray[np.uint64], row: int) -> np.int64:
    """Bits in which ``query`` (4,) and row ``row`` of ``rows`` (N, 4) differ."""
    return np.int64(
        popcount(query[0] ^ rows[row, 0])
        + popcount(query[1] ^ rows[row, 1])
        + popcount(query[2] ^ rows[row, 2])
        + popcount(query[3] ^ rows[row, 3])
    )


@kernel
def keep(
    found: NDArray[np.int64], count: int, query: int, row: int, near: np.int64
) -> NDArray[np.int64]:
    """Write one match to place ``count`` of ``found``; a larger array if it is full."""
    if count == len(found):
        larger = np.empty((2 * count, 3), np.int64)
        larger[:count] = found
        found = larger
    found[count, 0] = query
    found[count, 1] = row
    found[count, 2] = near
    return found


@kernel
def _scan(
    queries: NDArray[np.uint64], rows: NDArray[np.uint64], radius_bits: int
) -> tuple[NDArray[np.int64], int]:
    """(room, 3) of query, row, distance, of which the first ``count`` are filled."""
    found = np.empty((FIRST_ROOM, 3), np.int64)
    distances = np.empty(BLOCK_ROWS, np.int64)
    count = 0
    for first in range(0, len(rows), BLOCK_ROWS):
        size = min(BLOCK_ROWS, len(rows) - first)
        for query in range(len(queries)):
            # Without a branch inside, LLVM compares several rows at a time.
            nearest = 256
            for place in range(size):
                distances[place] = distance(queries[query], rows, first + place)
                nearest = min(nearest, distances[place])
            if nearest > radius_bits:
                continue
            for place in range(size):
                if distances[place] <= radius_bits:
                    row, near = first + place, distances[place]
                    found = keep(found, count, query, row, near)
                    count += 1
    return found, count
