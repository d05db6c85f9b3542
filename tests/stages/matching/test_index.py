"""The search misses nothing that was committed before it, and finds nothing else.

Against a table of its own in a real PostgreSQL, with segments built after a few rows.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from holdfast.flow import TICKS
from holdfast.items.models import Item
from holdfast.matching import index as index_module
from holdfast.matching import search
from holdfast.matching.index import Hit, PdqIndex
from holdfast.matching.segment_folder import SegmentFolder
from holdfast.matching.table_rows import Snapshot, TableRows
from holdfast.signals.hamming import to_words
from holdfast.signals.tables import shuffled
from tests.stages.matching.prints import (
    RADIUS,
    TABLE,
    TAIL_ROWS,
    add,
    create_table,
    made_index,
    near,
    random_prints,
    sql,
)
from tests.world import World, encoded, photograph

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def table() -> None:
    create_table()


@pytest.fixture
def index(table: None, tmp_path: Path) -> PdqIndex:
    return made_index(tmp_path / "search")


def elsewhere(act: Callable[[], object]) -> threading.Thread:
    """Run ``act`` on another connection."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def segment_files(folder: Path) -> list[Path]:
    return sorted((folder / "search").glob("*.segment"))


def segments_named(folder: Path) -> int:
    with connection.cursor() as cursor:
        identity = TableRows(TABLE, "pdq").identity(cursor)
    return len(SegmentFolder(folder / "search").open(identity).segments)


def test_each_row_is_found_once_and_distances_are_exact(index: PdqIndex) -> None:
    for bits in range(0, 40, 4):
        add(((1 << bits) - 1).to_bytes(32))
        index.near([bytes(32)], RADIUS)
    found = index.near([bytes(32), b"\xff" * 32], RADIUS)
    assert [(hit.query, hit.distance_bits) for hit in found] == [
        (0, bits) for bits in range(0, 32, 4)
    ]
    assert index.near([], RADIUS) == []


def test_what_another_connection_committed_is_found_at_once(index: PdqIndex) -> None:
    for number in range(20):
        value = bytes([number, 255 - number] * 16)
        elsewhere(partial(add, value)).join()
        assert len(near(index, value)) == 1


def test_a_row_that_commits_late_is_found(index: PdqIndex) -> None:
    late, early = b"\xff" * 32, bytes([0, 255] * 16)
    written, may_commit = threading.Event(), threading.Event()

    def commits_late() -> None:
        with transaction.atomic():
            add(late)
            written.set()
            may_commit.wait(60)

    thread = elsewhere(commits_late)
    assert written.wait(60)
    add(early)
    assert len(near(index, early)) == 1
    assert not near(index, late)
    # Neither does a segment built meanwhile close the door behind it.
    add(*random_prints(2 * TAIL_ROWS, 1))
    assert index.keep_up()
    assert len(near(index, early)) == 1
    may_commit.set()
    thread.join()
    assert len(near(index, late)) == 1
    assert len(near(index, early)) == 1
    assert index.keep_up()
    assert len(near(index, late)) == 1


def test_own_rows_are_found_and_vanish_when_rolled_back(index: PdqIndex) -> None:
    first, second = random_prints(2, 2)
    with transaction.atomic():
        add(first)
        assert len(near(index, first)) == 1
        add(second)
        assert len(near(index, second)) == 1
        elsewhere(lambda: near(index, first) == [] or pytest.fail("seen")).join()
        transaction.set_rollback(True)
    assert near(index, first) == []
    assert near(index, second) == []


def test_a_transaction_that_goes_on_writing_is_not_taken_for_seen(
    index: PdqIndex,
) -> None:
    """Its number is given out, it is searched, and only then does it write."""
    value = random_prints(1, 3)[0]
    with transaction.atomic():
        sql("SELECT pg_current_xact_id()")
        add(*random_prints(3, 4))
        near(index, value)
        elsewhere(partial(add, *random_prints(2, 5))).join()
        near(index, value)
        add(value)
        assert len(near(index, value)) == 1
    assert len(near(index, value)) == 1


def test_a_search_in_an_old_snapshot_does_not_hide_what_came_since(
    index: PdqIndex,
) -> None:
    value = random_prints(1, 6)[0]
    with transaction.atomic():
        sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        near(index, value)
        elsewhere(partial(add, value)).join()
        elsewhere(partial(near, index, value)).join()
        assert near(index, value) == []
    assert len(near(index, value)) == 1


def test_rows_without_a_fingerprint_are_not_there(index: PdqIndex) -> None:
    ids = add(None, bytes(32), None, b"short")
    assert near(index, bytes(32)) == [ids[1]]
    assert near(made_index(index._folder.path), bytes(32)) == [ids[1]]


def test_segments_and_tail_together_find_each_row_once(
    index: PdqIndex, tmp_path: Path
) -> None:
    everything: dict[int, bytes] = {}
    for step in range(12):
        new = random_prints(40, 10 + step)
        everything.update(zip(add(*new), new, strict=True))
        index.keep_up()
        asked = list(everything.values())
        found = index.near(asked, RADIUS)
        assert [(hit.row_id, hit.distance_bits) for hit in found] == [
            (row_id, 0) for row_id in everything
        ]
    assert 1 <= segments_named(tmp_path) < 4
    assert len(segment_files(tmp_path)) == segments_named(tmp_path)
    # Files of content are their owner's alone.
    assert (tmp_path / "search").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "search").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    # A process that starts now finds the same.
    assert made_index(tmp_path / "search").near(asked, RADIUS) == found


def test_the_bytes_of_a_deleted_row_leave_the_files_within_a_day(
    index: PdqIndex, tmp_path: Path
) -> None:
    """Of one row among hundreds, too, and where nothing else happens."""
    prints = random_prints(3 * TAIL_ROWS, 30)
    ids = add(*prints)
    index.keep_up()
    assert near(index, prints[7]) == [ids[7]]
    sql(f"DELETE FROM {TABLE} WHERE id = {ids[7]}")
    assert near(index, prints[7]) == []
    index.keep_up()
    assert holds(tmp_path, prints[7], ids[7])
    [verified] = segment_files(tmp_path)
    long_ago = time.time() - index_module.CHECK_AFTER_S
    os.utime(verified, (long_ago, long_ago))
    index._next_upkeep = 0.0
    index.start_upkeep()
    assert index._upkeep is not None
    index._upkeep.join(30)
    assert not holds(tmp_path, prints[7], ids[7])
    assert holds(tmp_path, prints[8], ids[8])
    assert near(index, prints[7]) == []
    assert near(index, prints[8]) == [ids[8]]


def holds(tmp_path: Path, fingerprint: bytes, row_id: int) -> bool:
    """Whether the files have a row's bytes; both its fingerprint and its number."""
    held = b"".join(path.read_bytes() for path in segment_files(tmp_path))
    words = shuffled(to_words([fingerprint])).tobytes()
    both = [words in held, row_id.to_bytes(8, "little") in held]
    assert both[0] == both[1]
    return all(both)


def test_every_hour_the_files_of_both_indexes_are_looked_after() -> None:
    hourly = [each for each in TICKS if search.keep_up in each.steps]
    assert [each.seconds for each in hourly] == [3600]
    for one in (search.registered, search.banked):
        one._next_upkeep = 0.0
    search.keep_up()
    for one in (search.registered, search.banked):
        assert one._upkeep is not None
        one._upkeep.join(30)
        assert not one._upkeep.is_alive()


def test_a_process_follows_what_another_one_builds(
    index: PdqIndex, tmp_path: Path
) -> None:
    other = made_index(tmp_path / "search")
    prints = random_prints(2 * TAIL_ROWS, 31)
    ids = add(*prints)
    assert near(index, prints[0]) == [ids[0]]
    assert other.keep_up()
    assert near(index, prints[0]) == [ids[0]]
    assert index._view is not None
    assert len(index._view.segments) == 1
    assert index._view.tail.count == 0
    more = random_prints(1, 32)
    assert near(index, more[0]) == []
    new = add(*more)
    assert near(index, more[0]) == new
    assert near(other, more[0]) == new


def test_upkeep_runs_behind_the_searches_and_leaves_no_connection(
    table: None, tmp_path: Path
) -> None:
    index = PdqIndex(TABLE, folder=tmp_path / "search", tail_rows=TAIL_ROWS)
    prints = random_prints(2 * TAIL_ROWS, 33)
    ids = add(*prints)
    assert near(index, prints[3]) == [ids[3]]
    assert index._upkeep is not None
    index._upkeep.join(30)
    assert segments_named(tmp_path) == 1
    assert near(index, prints[3]) == [ids[3]]
    # The server's side of a closed connection ends a moment after it.
    until = time.monotonic() + 60
    while others_connected() and time.monotonic() < until:
        time.sleep(0.02)
    assert others_connected() == 0


def others_connected() -> int:
    """Connections to this database beside the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        found: int = cursor.fetchone()[0]
    return found


def test_an_old_snapshot_that_misses_a_segment_does_not_stay(
    table: None, tmp_path: Path
) -> None:
    """To an old transaction, rows of a new segment look as if they had never been."""
    index = PdqIndex(TABLE, folder=tmp_path / "search", tail_rows=TAIL_ROWS)
    prints = random_prints(2 * TAIL_ROWS, 41)
    ids: list[int] = []

    def add_and_build() -> None:
        ids.extend(add(*prints))
        made_index(tmp_path / "search").keep_up()

    with transaction.atomic():
        sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        sql("SELECT 1")
        elsewhere(add_and_build).join()
        assert near(index, prints[0]) == []
        assert index._upkeep is not None
        index._upkeep.join(30)
    assert near(index, prints[0]) == [ids[0]]
    assert index._view is not None
    assert index._view.is_whole
    assert len(index._view.segments) == 1


def test_segments_are_verified_once_a_day_and_not_at_every_search(
    table: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = PdqIndex(TABLE, folder=tmp_path / "search", tail_rows=TAIL_ROWS)
    prints = random_prints(2 * TAIL_ROWS, 42)
    add(*prints)
    index.keep_up()
    (path,) = segment_files(tmp_path)
    assert near(index, prints[0])
    assert index._upkeep is None
    two_days_ago = time.time() - 2 * index_module.CHECK_AFTER_S
    os.utime(path, (two_days_ago, two_days_ago))
    index.forget()
    assert near(index, prints[0])
    assert index._upkeep is not None
    index._upkeep.join(30)  # type: ignore[unreachable]  # Set by the search.
    assert path.stat().st_mtime > two_days_ago + 1
    assert index._view is not None
    assert index._view.check_at > time.time()


def test_upkeep_that_fails_is_no_matter_to_a_search(
    table: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "search").write_text("not a folder")
    index = PdqIndex(TABLE, folder=tmp_path / "search", tail_rows=TAIL_ROWS)
    prints = random_prints(2 * TAIL_ROWS, 34)
    ids = add(*prints)
    assert near(index, prints[3]) == [ids[3]]
    assert index._upkeep is not None
    index._upkeep.join(30)
    assert near(index, prints[3]) == [ids[3]]
    assert [record.getMessage() for record in caplog.records] == [
        f"upkeep of {TABLE} failed: FileExistsError"
    ]


def test_an_emptied_table_is_forgotten(index: PdqIndex) -> None:
    """As tests do between each other; numbers begin anew and mean other rows."""
    prints = random_prints(2 * TAIL_ROWS, 35)
    add(*prints)
    index.keep_up()
    assert near(index, prints[0])
    sql(f"TRUNCATE {TABLE} RESTART IDENTITY")
    assert near(index, prints[0]) == []
    others = random_prints(2 * TAIL_ROWS, 36)
    ids = add(*others)
    assert near(index, others[5]) == [ids[5]]
    assert near(index, prints[5]) == []


def test_a_table_restored_to_an_earlier_state_is_noticed(
    index: PdqIndex, tmp_path: Path
) -> None:
    """After a restore the same numbers are given out anew, transactions' too."""
    kept, lost = random_prints(TAIL_ROWS, 37), random_prints(TAIL_ROWS + 50, 38)
    add(*kept)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        then = int(cursor.fetchone()[0])
    lost_ids = add(*lost)
    add(*lost)
    index.keep_up()
    assert near(index, lost[0])
    sql(f"DELETE FROM {TABLE} WHERE xid >= '{then}'::xid8")
    new = random_prints(1, 39)[0]
    sql(
        f"INSERT INTO {TABLE} (id, pdq, xid)"
        f" VALUES ({lost_ids[0]}, '\\x{new.hex()}', '{then + 1}')"
    )
    restarted = made_index(tmp_path / "search")
    assert near(restarted, new) == [lost_ids[0]]
    assert near(restarted, lost[0]) == []
    assert len(near(restarted, kept[4])) == 1
    assert restarted.keep_up()
    assert near(made_index(tmp_path / "search"), new) == [lost_ids[0]]


def test_threads_search_and_write_side_by_side(index: PdqIndex) -> None:
    """Each finds what it wrote, while segments are built beneath it."""
    prints = random_prints(240, 40)

    def write_and_look(number: int) -> list[Hit]:
        try:
            add(prints[number])
            if number % 40 == 0:
                index.keep_up()
            return index.near([prints[number]], RADIUS)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(write_and_look, range(len(prints))))
    assert [len(hits) for hits in found] == [1] * len(prints)
    assert len(index.near(prints, RADIUS)) == len(prints)


@given(
    done=st.lists(st.integers(1, 30), max_size=6, unique=True),
    more=st.lists(st.integers(1, 30), max_size=6, unique=True),
)
def test_of_two_snapshots_the_later_one_sees_more(
    done: list[int], more: list[int]
) -> None:
    """Of one history: what has ended at one moment has ended at a later one."""
    before = _snapshot_of(set(done))
    after = _snapshot_of(set(done) | set(more))
    for xid in range(40):
        assert after.sees(xid) or not before.sees(xid)
    if set(done) | set(more) != set(done):
        assert after.is_after(before)
        assert not before.is_after(after)
    else:
        assert not after.is_after(before)


def _snapshot_of(ended: set[int]) -> Snapshot:
    """Transactions 1 to 30 have begun; these have ended."""
    xmax = max(ended, default=0) + 1
    running = ",".join(str(xid) for xid in range(1, xmax) if xid not in ended)
    return Snapshot.parse(f"1:{xmax}:{running}", None)


def test_a_row_that_was_rolled_back_is_not_acted_on(world: World) -> None:
    picture = photograph()
    reported = world.post("1", encoded(picture))
    with transaction.atomic():
        ghost = world.post("2", encoded(picture))
        world.report("https://plaza.example/p/1")
        assert Item.objects.get(id=ghost.id).state == "frozen"
        transaction.set_rollback(True)
    world.report("https://plaza.example/p/1")
    assert Item.objects.get(id=reported.id).state == "frozen"
    assert Item.objects.count() == 1
