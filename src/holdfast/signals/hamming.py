"""Exact search by Hamming distance over 256-bit fingerprints.

Every row is compared with every query, so nothing within the radius is missed; an
index that prunes must give the same answer as this. It never approximates. A
fingerprint of 32 bytes is held as four ``uint64`` words, the first word being the
first eight bytes read big-endian; the order of the bits does not change a distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FINGERPRINT_BYTES = 32
"""Length of a fingerprint in bytes (256 bits, as PDQ and ORB have)."""
WORDS = 4
"""The same length in 64-bit words."""
BLOCK_ROWS = 8192
BLOCK_QUERIES = 32
"""One block is at most BLOCK_QUERIES x BLOCK_ROWS comparisons: about 5 MB of
intermediate arrays whatever the number of rows, which also fits the cache."""


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

    ``queries`` is (Q, 4), ``rows`` is (N, 4); see :func:`to_words`. Memory: one block
    and the matches themselves.
    """
    _check_shape(queries, rows)
    found: list[NDArray[np.int64]] = []
    for first_query in range(0, len(queries), BLOCK_QUERIES):
        few = queries[first_query : first_query + BLOCK_QUERIES]
        for first_row in range(0, len(rows), BLOCK_ROWS):
            distances = _distances(few, rows[first_row : first_row + BLOCK_ROWS])
            query, row = np.nonzero(distances <= radius_bits)
            if len(query):
                near = distances[query, row].astype(np.int64)
                found.append(np.stack((query + first_query, row + first_row, near)))
    if not found:
        return Matches(*np.empty((3, 0), dtype=np.int64))
    pairs = np.concatenate(found, axis=1)
    return Matches(*pairs[:, np.lexsort((pairs[1], pairs[0]))])


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


def _distances(
    queries: NDArray[np.uint64], rows: NDArray[np.uint64]
) -> NDArray[np.uint16]:
    """(Q, N) distances in bits, one word at a time to keep the block small."""
    total = np.zeros((len(queries), len(rows)), dtype=np.uint16)
    for word in range(WORDS):
        total += np.bitwise_count(queries[:, word, None] ^ rows[None, :, word])
    return total


def _check_shape(*tables: NDArray[np.uint64]) -> None:
    for table in tables:
        if table.ndim != 2 or table.shape[1] != WORDS or table.dtype != np.uint64:
            raise ValueError(f"expected uint64 (n, {WORDS}), not {table.shape}")
