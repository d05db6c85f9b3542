"""How far an import is, which item each file is, and what the manifest says of it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import binary, sampled_from

from holdfast.base.errors import InvalidInput, Refused
from holdfast.cli.importing.journal import (
    ESCAPED,
    HASHED,
    Journal,
    Listed,
    Outcome,
    State,
    item_of,
    path_of,
)
from holdfast.cli.importing.manifest import read_manifest
from tests.cli.importer import small


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("m.csv", "path,id\na.jpg,\n", "Line 2 of the manifest needs a path"),
        ("m.csv", "path,id,who\na,b,c\n", "something unknown: who"),
        ("m.csv", "path,id,posted_at\na,b,2020-01-01T00:00:00\n", "with its zone"),
        ("m.csv", "path,id,kind\na,b,film\n", "a kind is one of"),
        ("m.csv", f"path,id\na,{'x' * 201}\n", "up to 200"),
        ("m.ndjson", '{"path": "a", "id": "b"}\n[]\n', "Line 2"),
        ("m.ndjson", '{"path": "a", "id": 7}\n', "id is not text"),
        ("m.txt", "", ".csv, .ndjson"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInput, match=why):
        list(read_manifest(tmp_path / name))


def test_a_journal_belongs_to_one_import_and_one_process(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path, {"source": "a"}):
        assert path.stat().st_mode & 0o077 == 0
        with pytest.raises(Refused, match="Another import"):
            Journal(path, {"source": "a"})
    with pytest.raises(Refused, match="its source is a"):
        Journal(path, {"source": "b"})
    (tmp_path / "picture").write_bytes(small(1))
    with pytest.raises(InvalidInput, match="no journal"):
        Journal(tmp_path / "picture", {})
    with Journal(path, {}) as journal, pytest.raises(InvalidInput, match="twice"):
        journal.take_manifest([(b"x", "1", {}), (b"x", "2", {})])


def test_refused_files_wait_again_and_vanished_ones_are_forgotten(
    tmp_path: Path,
) -> None:
    def file(name: bytes) -> Listed:
        return Listed(name, "1", 1, 0.0)

    with Journal(tmp_path / "journal", {}) as journal:
        journal.take_listing([file(b"a"), file(b"b"), file(b"c")])
        states = {"a": State.REGISTERED, "b": State.REFUSED, "c": State.REFUSED}
        for unit in journal.waiting():
            journal.settle(unit, Outcome(unit.item, states[unit.item], why="no"))
        journal.take_listing([file(b"a"), file(b"b")])
        assert [unit.item for unit in journal.waiting()] == ["b"]
        assert journal.counts()["registered"] == 1


def test_every_path_has_an_id_that_can_be_one() -> None:
    assert item_of("year/ü 100%.jpg".encode()) == "year/ü 100%.jpg"
    assert item_of(b"a\n\xff%0A") == "path-escaped:a%0A%FF%250A"
    for long in (b"x" * 201, b"\n" * 100):
        assert item_of(long).startswith("path-sha256:")
        assert path_of(item_of(long)) is None


@given(binary(min_size=1, max_size=60), sampled_from(["", ESCAPED, HASHED]))
def test_the_path_can_be_read_back_from_its_id(path: bytes, before: str) -> None:
    item = item_of(before.encode() + path)
    assert path_of(item) == before.encode() + path
    assert not any(unicodedata.category(each) in ("Cc", "Cs") for each in item)
