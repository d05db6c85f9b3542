"""Search by tables finds what the scan of every row finds, whatever the rows."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from holdfast.signals import multi_index
from holdfast.signals.hamming import (
    BLOCK_ROWS,
    Matches,
    search,
    search_reference,
    to_fingerprints,
    to_words,
)
from holdfast.signals.multi_index import (
    limits_of,
    probes_needed,
    probes_of,
    search_tables,
)
from holdfast.signals.tables import (
    FAR,
    Tables,
    block_values,
    build,
    empty_tables,
    shuffled,
    word_bits,
    words_for,
)

Words = NDArray[np.uint64]
ALWAYS = {"probe_cost_rows": 0.0, "candidate_cost_rows": 0.0}
NEVER = {"probe_cost_rows": 1e9, "candidate_cost_rows": 1e9}
# Words of 16, 17, 18 and 19 bits: more bits only make the tables larger to test with.
CUTS = st.sampled_from([16, 15, 14, 13])


def made(kind: str, count: int, seed: int) -> Words:
    """Rows as unlike each other, or as alike, as ``kind`` says."""
    chance = np.random.default_rng(seed)
    rows = chance.integers(0, 2**64, (count, 4), dtype=np.uint64)
    if kind == "all equal":
        rows[:] = rows[:1]
    if kind == "skewed":
        # Three of four bits are set; and the same upper half for nine of ten rows.
        rows |= chance.integers(0, 2**64, (count, 4), dtype=np.uint64)
        rows[count // 10 :, :2] = rows[:1, :2]
    if kind == "clustered":
        middles = rows[: max(1, count // 50)]
        rows = middles[chance.integers(0, len(middles), count)]
        rows = turned(rows, chance.integers(0, 40, count), chance)
    return rows


def turned(rows: Words, bits: NDArray[np.int64], chance: np.random.Generator) -> Words:
    """Each row with so many of its bits turned."""
    out = rows.copy()
    for row, count in enumerate(bits):
        for bit in chance.choice(256, int(count), replace=False):
            out[row, bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return out


def tables_of(rows: Words, words: int) -> Tables:
    tables = empty_tables(len(rows), words)
    build(rows, tables)
    return tables


def same(one: Matches, other: Matches) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@settings(max_examples=60)
@given(
    kind=st.sampled_from(["uniform", "skewed", "clustered", "all equal"]),
    count=st.sampled_from([1, 2, 7, 60, 700, 3000]),
    words=CUTS,
    radius=st.sampled_from([0, 1, 12, 13, 15, 16, 31, 31, 31, 40]),
    cost=st.sampled_from([ALWAYS, {}, NEVER]),
    seed=st.integers(0, 2**32),
)
def test_tables_find_what_the_scan_finds(
    kind: str,
    count: int,
    words: int,
    radius: int,
    cost: dict[str, float],
    seed: int,
) -> None:
    chance = np.random.default_rng(seed + 1)
    rows = made(kind, count, seed)
    near = rows[chance.integers(0, count, 40)]
    queries = np.concatenate(
        (turned(near, np.arange(40), chance), made("uniform", 3, seed + 2))
    )
    given_rows, given_queries = shuffled(rows), shuffled(queries)
    found = search_tables(
        given_queries, given_rows, tables_of(given_rows, words), radius, **cost
    )
    assert same(found, search(queries, rows, radius))
    # Of the planted ones, each within the radius is there.
    within = set(range(min(40, radius + 1)))
    assert within <= set(found.query_index.tolist())


@pytest.mark.parametrize("words", [11, 12, 13, 14, 16])
def test_each_cut_in_use_finds_all_of_many_rows(words: int) -> None:
    chance = np.random.default_rng(words)
    rows = shuffled(made("clustered", 30_000, words))
    near = rows[chance.integers(0, len(rows), 320)]
    queries = turned(near, np.arange(320) % 32, chance)
    found = search_tables(queries, rows, tables_of(rows, words), 31, **ALWAYS)
    assert same(found, search(queries, rows, 31))
    assert set(found.query_index.tolist()) == set(range(320))


@given(words=st.integers(8, 32), radius=st.integers(0, 64))
def test_no_distance_within_the_radius_fits_between_the_limits(
    words: int, radius: int
) -> None:
    """The pigeonhole rule: to be missed, each word has to differ in one bit more."""
    limits = limits_of(words, radius)
    assert sum(limit + 1 for limit in limits) > radius
    assert sum(limit + 1 for limit in limits) == radius + 1
    assert words * word_bits(words) <= 256


@pytest.mark.parametrize(("words", "count"), [(16, 272), (12, 1944), (11, 2794)])
def test_a_query_looks_up_each_value_once(words: int, count: int) -> None:
    probes = probes_of(words, 31)
    pairs = set(zip(probes.words.tolist(), probes.masks.tolist(), strict=True))
    assert len(pairs) == len(probes.words) == probes_needed(words, 31) == count
    for word, first in enumerate(probes.firsts[:-1]):
        assert set(probes.words[first : probes.firsts[word + 1]].tolist()) <= {word}


def test_the_cut_follows_the_size() -> None:
    sizes = [0, 19_999, 20_000, 200_000, 500_000, 1_500_000, 5_999_999, 6_000_000]
    assert [words_for(rows) for rows in sizes] == [0, 0, 16, 14, 13, 12, 12, 11]


@pytest.mark.parametrize("rows", [20_000, 10**6, 10**7, 10**8, 10**9])
def test_a_byte_tells_where_lists_of_uniform_rows_begin(rows: int) -> None:
    words = words_for(rows)
    values = block_values(rows, words)
    in_block = values * rows / 2 ** word_bits(words)
    # Ten times the spread of such a number above it: that is never.
    assert in_block + 10 * in_block**0.5 < FAR or values == 1


@settings(max_examples=60)
@given(
    words=st.sampled_from([8, 11, 12, 13, 14, 16]),
    radius=st.integers(0, 40),
    seed=st.integers(0, 2**32),
)
def test_some_word_leads_to_every_row_within_the_radius(
    words: int, radius: int, seed: int
) -> None:
    """The ring's rule, said plainly: what a list lets pass is never too little."""
    chance = np.random.default_rng(seed)
    limits, bits = limits_of(words, radius), word_bits(words)
    differs = np.zeros(256, bool)
    # All in few words, where the rule is tightest, or anywhere.
    near = chance.permutation(256)[: 256 if seed % 2 else bits * 4]
    differs[chance.choice(near, min(radius, len(near)), replace=False)] = True
    turned = differs[: words * bits].reshape(words, bits).sum(axis=1)
    assert any(
        turned[word] <= limits[word]
        and turned[word] + turned[(word + 1) % words]
        <= limits[word] + limits[(word + 1) % words] + 1
        for word in range(words)
    )


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20))
def test_shuffling_keeps_distances(some: list[bytes]) -> None:
    words = shuffled(to_words(some))
    before = search_reference(some, some, 256)
    assert search_reference(to_fingerprints(words), to_fingerprints(words), 256) == (
        before
    )


def test_the_order_of_shuffled_bits_never_changes() -> None:
    """Files made with another order would find nothing: that takes a new format."""
    one = to_words([bytes(range(32))])
    assert to_fingerprints(shuffled(one))[0].hex() == (
        "90980210d20b13808409e21a1023a10a874115012012030030c702e2f1495865"
    )


def test_full_lists_cost_no_more_than_a_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all rows are alike their lists are not walked: the query is scanned for."""
    rows = shuffled(made("all equal", 60_000, 1))
    tables = tables_of(rows, 16)
    scanned: list[int] = []

    def counting(queries: Words, *rest: object) -> Matches:
        scanned.append(len(queries))
        return search(queries, *rest)  # type: ignore[arg-type]  # As it was given.

    monkeypatch.setattr(multi_index, "search", counting)
    other = made("uniform", 5, 2)
    queries = np.concatenate((rows[:2], other, rows[:1]))
    found = search_tables(queries, rows, tables, 31)
    assert scanned == [3]
    assert same(found, search(queries, rows, 31))
    assert len(found.row_index) == 3 * 60_000


def test_damaged_tables_never_read_outside_the_arrays() -> None:
    rows = shuffled(made("uniform", 3_000, 3))
    tables = tables_of(rows, 16)
    chance = np.random.default_rng(4)
    for array in tables:
        flat = array.reshape(-1)
        places = chance.integers(0, len(flat), len(flat) // 3)
        highest = int(np.iinfo(array.dtype).max)
        flat[places] = chance.integers(0, highest, len(places), array.dtype, True)
    found = search_tables(rows[:200], rows, tables, 31, **ALWAYS)
    assert found.row_index.max(initial=0) < 3_000


def test_nothing_is_found_in_nothing() -> None:
    none = np.empty((0, 4), np.uint64)
    tables = tables_of(none, 16)
    assert len(search_tables(made("uniform", 3, 1), none, tables, 31).row_index) == 0
    rows = shuffled(made("uniform", BLOCK_ROWS, 1))
    found = search_tables(none, rows, tables_of(rows, 16), 31, **ALWAYS)
    assert len(found.row_index) == 0
    with pytest.raises(ValueError, match="8 to 16 words"):
        empty_tables(1, 33)


def test_other_threads_run_while_a_search_does() -> None:
    """Kernels let the interpreter go, so that searches run side by side."""
    rows = made("uniform", 400_000, 5)
    queries = made("uniform", 64, 6)
    search(queries[:1], rows[:1], 31)
    with ThreadPoolExecutor(1) as pool:
        searching = pool.submit(search, queries, rows, 31)
        turns = 0
        while not searching.done():
            time.sleep(0)
            turns += 1
        searching.result()
    # Held by the kernel, this thread would have had a turn before and one after it.
    assert turns > 10
