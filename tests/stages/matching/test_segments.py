"""Whatever happens to the search's files, what is in PostgreSQL is found."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from django.db import connection

from holdfast.matching import index as index_module
from holdfast.matching import segments as segments_module
from holdfast.matching import upkeep
from holdfast.matching.index import PdqIndex
from holdfast.matching.segment_folder import SegmentFolder
from holdfast.matching.segments import (
    HEADER_BYTES,
    MAGIC,
    Segment,
    UnusableSegment,
    new_segment,
    open_segment,
)
from holdfast.matching.table_rows import Rows, TableRows, Witness
from holdfast.signals.hamming import search, to_words
from holdfast.signals.tables import shuffled
from tests.stages.matching.prints import (
    TABLE,
    TAIL_ROWS,
    add,
    create_table,
    finds_each,
    made_index,
    random_prints,
    sql,
)

pytestmark = pytest.mark.django_db(transaction=True)

PRINTS = random_prints(5 * TAIL_ROWS, 50)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_table()
    return tmp_path / "search"


def two_segments(folder: Path) -> list[int]:
    """An older segment of 400 rows and a younger one of 100; the ids of them all."""
    index = made_index(folder)
    ids = add(*PRINTS[: 4 * TAIL_ROWS])
    index.keep_up()
    ids += add(*PRINTS[4 * TAIL_ROWS :])
    index.keep_up()
    assert [len(segment.ids) for segment in in_use(folder)] == [400, 100]
    return ids


def in_use(folder: Path) -> tuple[Segment, ...]:
    with connection.cursor() as cursor:
        identity = TableRows(TABLE, "pdq").identity(cursor)
    return SegmentFolder(folder).open(identity).segments


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "cut short": cut_off,
    "cut to nothing": lambda path: os.truncate(path, 0),
    "cut within the header": lambda path: os.truncate(path, HEADER_BYTES // 2),
    "gone": lambda path: path.unlink(),
    "its trailer torn": lambda path: overwrite(path, path.stat().st_size - 9, b"torn"),
    "its header torn": lambda path: overwrite(path, 200, b"torn"),
    "of another version": lambda path: overwrite(path, 0, b"holdfast segment 9"),
}


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_segment_is_noticed_and_built_again(
    folder: Path, which: int, damage: str
) -> None:
    ids = two_segments(folder)
    running = made_index(folder)
    assert finds_each(running, ids, PRINTS)
    harmed = in_use(folder)[which].path
    DAMAGE[damage](harmed)
    started = made_index(folder)
    assert finds_each(started, ids, PRINTS)
    assert started._view is not None
    assert not started._view.is_whole
    assert len(started._view.segments) == 1
    assert started.keep_up()
    assert harmed not in [segment.path for segment in in_use(folder)]
    assert sum(len(segment.ids) for segment in in_use(folder)) == len(PRINTS)
    for index in (started, made_index(folder)):
        assert finds_each(index, ids, PRINTS)
        assert index._view is not None
        assert index._view.is_whole
        assert index._view.tail.count == 0


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("left_bytes", [0, HEADER_BYTES, HEADER_BYTES + 4096])
def test_a_segment_that_is_cut_short_while_it_is_mapped_kills_nobody(
    folder: Path, which: int, left_bytes: int
) -> None:
    """To read behind its end would be SIGBUS, and the end of the test run."""
    ids = two_segments(folder)
    running = made_index(folder)
    assert finds_each(running, ids, PRINTS)
    harmed = in_use(folder)[which]
    os.truncate(harmed.path, left_bytes)
    with pytest.raises(UnusableSegment):
        harmed.verify()
    with pytest.raises(UnusableSegment):
        harmed.warm()
    assert finds_each(running, ids, PRINTS)
    assert running.keep_up()
    assert sum(len(segment.ids) for segment in in_use(folder)) == len(PRINTS)
    assert finds_each(running, ids, PRINTS)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: overwrite(path, 90, b"?"),
        lambda path: path.write_text(""),
    ],
)
def test_without_its_manifest_everything_is_built_again(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    ids = two_segments(folder)
    damage(folder / "manifest.json")
    index = made_index(folder)
    assert finds_each(index, ids, PRINTS)
    assert index.keep_up()
    assert [len(segment.ids) for segment in in_use(folder)] == [500]
    assert len(list(folder.glob("*.segment"))) == 1
    assert finds_each(index, ids, PRINTS)


def test_another_tables_segments_are_not_used(folder: Path) -> None:
    two_segments(folder)
    create_table()
    others = random_prints(2 * TAIL_ROWS, 51)
    ids = add(*others)
    index = made_index(folder)
    assert finds_each(index, ids, others)
    assert index.keep_up()
    assert finds_each(index, ids, others)
    path = in_use(folder)[0].path
    with pytest.raises(UnusableSegment) as refused:
        open_segment(path, {"server": "another"})
    assert "wrong=identity" in refused.value.diagnostics()


@pytest.mark.parametrize(
    "section", ["rows", "ids", "bases", "offsets", "signs", "lists"]
)
def test_flipped_bits_are_found_out_and_never_found(
    folder: Path,
    section: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bit that flips on the disk is no match, and is found when all is verified."""
    monkeypatch.setattr(segments_module, "words_for", lambda rows: 16)
    ids = two_segments(folder)
    segment = in_use(folder)[0]
    data, _digest = segment.sections[section]
    offset = data.ctypes.data - segment.sections["rows"][0].ctypes.data + HEADER_BYTES
    overwrite(segment.path, offset, bytes(~data[: 40 * 32]))
    index = made_index(folder)
    wanted = dict(enumerate(ids))
    for hit in index.near(PRINTS, 31):
        assert wanted[hit.query] == hit.row_id
    assert index.keep_up()
    assert in_use(folder)[0].path == segment.path
    monkeypatch.setattr(index_module, "CHECK_AFTER_S", 0.0)
    assert index.keep_up()
    assert segment.path.name in caplog.text
    assert not segment.path.exists()
    assert finds_each(index, ids, PRINTS)


def forked(act: Callable[[], object]) -> int:
    """Run ``act`` in a process of its own; how that ended, as ``waitpid`` says."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    # The parent's connection must neither be used nor be closed here.
    inherited, connection.connection = connection.connection, None
    try:
        act()
    finally:
        os._exit(0 if inherited is not connection.connection else 1)


STEPS = [
    (name, call, when)
    for name, calls in (("posix_fallocate", 1), ("fsync", 4), ("rename", 2))
    for call in range(1, calls + 1)
    for when in ("before", "after")
]
"""Killed at each of these calls: the segment is written and renamed, then the
manifest; each file and each renaming is flushed."""


@pytest.mark.parametrize(("name", "call", "when"), STEPS)
def test_a_builder_that_is_killed_leaves_nothing_wrong(
    folder: Path, name: str, call: int, when: str
) -> None:
    index = made_index(folder)
    old, new = PRINTS[: 2 * TAIL_ROWS], PRINTS[2 * TAIL_ROWS :]
    ids = add(*old)
    index.keep_up()
    ids += add(*new)

    def build_and_die() -> None:
        original, calls = getattr(os, name), [0]

        def deadly(*args: object, **named: object) -> object:
            calls[0] += 1
            if calls[0] == call and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*args, **named)
            if calls[0] == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(os, name, deadly)
        index.keep_up()

    assert forked(build_and_die) == signal.SIGKILL
    assert finds_each(index, ids, PRINTS)
    assert finds_each(made_index(folder), ids, PRINTS)
    assert index.keep_up()
    assert finds_each(index, ids, PRINTS)
    ids += add(*random_prints(2 * TAIL_ROWS, 52))
    assert index.keep_up()
    assert [len(segment.ids) for segment in in_use(folder)] == [7 * TAIL_ROWS]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["lock", "manifest.json", in_use(folder)[0].path.name]
    )


def test_two_processes_build_at_once(folder: Path) -> None:
    index = made_index(folder)
    ids: list[int] = []
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            inherited, connection.connection = connection.connection, None
            for _turn in range(25):
                index.keep_up()
                index.near(PRINTS[:1], 31)
            os._exit(0 if inherited is not connection.connection else 1)
        children.append(child)
    for start in range(0, len(PRINTS), 25):
        ids += add(*PRINTS[start : start + 25])
        assert finds_each(index, ids, PRINTS[: start + 25])
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    index.keep_up()
    assert finds_each(made_index(folder), ids, PRINTS)
    named = [segment.path for segment in in_use(folder)]
    assert sorted(folder.glob("*.segment")) == sorted(named)


def test_only_one_builds_while_another_one_does(folder: Path) -> None:
    index = made_index(folder)
    add(*PRINTS)
    with SegmentFolder(folder).lock() as is_ours:
        assert is_ours
        assert not index.keep_up()
    assert index.keep_up()


def test_a_full_disk_is_an_error_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = made_index(folder)
    ids = add(*PRINTS)

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        index.keep_up()
    assert [path.name for path in folder.iterdir()] == ["lock"]
    assert finds_each(index, ids, PRINTS)


@pytest.mark.parametrize("words", [0, 11, 12, 16])
def test_a_segment_finds_what_was_put_in(tmp_path: Path, words: int) -> None:
    """Each cut, without a database."""
    table = to_words(PRINTS)
    ids = range(1_000, 1_000 + len(PRINTS))
    numbers = np.array(ids, np.int64)
    with new_segment(tmp_path, len(PRINTS), words) as writer:
        for part in (slice(0, 7), slice(7, None)):
            writer.add(Rows(numbers[part], table[part], numbers[part]))
        segment = writer.publish({"of": "a test"}, 0, [Witness(9, 1, PRINTS[0])])
    assert (segment.start, segment.end) == (0, 10)
    assert (segment.tables.words if segment.tables else 0) == words
    found = segment.near(shuffled(table[:50]), 31)
    expected = search(table[:50], table, 31)
    assert found.row_index.tolist() == expected.row_index.tolist()
    assert segment.ids.tolist() == list(ids)
    assert segment.size_bytes == segment.path.stat().st_size
    segment.verify()
    segment.warm()
    assert segment.path.read_bytes().startswith(MAGIC)
    assert [path.name for path in tmp_path.iterdir()] == [segment.path.name]


def test_few_segments_however_many_batches(folder: Path) -> None:
    """Each row is rewritten a few times only, and few files have to be searched."""
    index = made_index(folder)
    written: list[int] = []
    publish = segments_module.SegmentWriter.publish
    with pytest.MonkeyPatch.context() as patch:

        def counted(writer: segments_module.SegmentWriter, *rest: object) -> Segment:
            segment = publish(writer, *rest)  # type: ignore[arg-type]
            written.append(len(segment.ids))
            return segment

        patch.setattr(segments_module.SegmentWriter, "publish", counted)
        for turn in range(40):
            add(*random_prints(TAIL_ROWS, 60 + turn))
            index.keep_up()
    sizes = [len(segment.ids) for segment in in_use(folder)]
    assert sum(sizes) == 40 * TAIL_ROWS
    assert len(sizes) <= 4
    for older, younger in pairwise(sizes):
        assert older >= upkeep.MERGE_RATIO * younger
    assert sum(written) <= 12 * 40 * TAIL_ROWS


def test_nothing_is_written_for_a_few_rows(folder: Path) -> None:
    index: PdqIndex = made_index(folder)
    ids = add(*PRINTS[:5])
    assert index.keep_up()
    assert [path.name for path in folder.iterdir()] == ["lock"]
    assert finds_each(index, ids, PRINTS[:5])
    sql(f"DELETE FROM {TABLE}")
    assert index.near(PRINTS[:5], 31) == []
