"""Exact search finds what the plain double loop finds, in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.signals.hamming import (
    BLOCK_ROWS,
    search,
    search_reference,
    to_fingerprints,
    to_words,
)

fingerprints = st.lists(st.binary(min_size=32, max_size=32), max_size=20)


@given(fingerprints)
def test_words_and_back(some: list[bytes]) -> None:
    assert to_fingerprints(to_words(some)) == some


@given(
    queries=fingerprints,
    rows=fingerprints,
    flips=st.lists(st.integers(0, 255), max_size=40),
    radius=st.integers(0, 256),
)
def test_search_equals_reference(
    queries: list[bytes], rows: list[bytes], flips: list[int], radius: int
) -> None:
    for query in queries[:3]:
        near = int.from_bytes(query)
        for bit in flips:
            near ^= 1 << bit
        rows = [*rows, near.to_bytes(32)]
    found = search(to_words(queries), to_words(rows), radius)
    assert [
        (int(q), int(r), int(d)) for q, r, d in zip(*found, strict=True)
    ] == search_reference(queries, rows, radius)


def test_the_radius_is_inclusive() -> None:
    row = to_words([bytes(32)])
    for bits, expected in ((31, 1), (32, 0)):
        query = to_words([((1 << bits) - 1).to_bytes(32)])
        assert len(search(query, row, 31).row_index) == expected


def test_matches_across_blocks_are_found_and_ordered() -> None:
    random = np.random.default_rng(7)
    rows = random.integers(0, 2**64, (2 * BLOCK_ROWS + 5, 4), dtype=np.uint64)
    planted = [0, BLOCK_ROWS - 1, BLOCK_ROWS, 2 * BLOCK_ROWS + 4]
    queries = rows[random.permutation(planted * 12)] ^ np.uint64(0b111)
    found = search(queries, rows, 31)
    assert found.query_index.tolist() == list(range(len(queries)))
    assert (rows[found.row_index] == queries ^ np.uint64(0b111)).all()
    assert set(found.distance_bits.tolist()) == {12}


def test_nothing_in_nothing_is_nothing() -> None:
    none, one = to_words([]), to_words([bytes(32)])
    assert [len(array) for array in search(none, one, 256)] == [0, 0, 0]
    assert [len(array) for array in search(one, none, 256)] == [0, 0, 0]


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        to_words([bytes(31)])
    with pytest.raises(ValueError, match="uint64"):
        search(np.zeros((1, 3), np.uint64), to_words([]), 31)
