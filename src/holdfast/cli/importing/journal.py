"""What an import has done so far: one SQLite file, which makes it resumable.

Every file of the collection has a row from the listing on, so that the listing, however
long, is not held in memory and nothing can be forgotten. A row is changed only after
Holdfast has answered; what was under way when the program was killed is sent again,
the same bytes under the same ``Idempotency-Key``. It holds names and, for a run with
``--platform``, that run's API key: it is readable by its owner alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote_to_bytes

from holdfast.base.errors import InvalidInput, Refused

_TABLES = """
create table if not exists about (name text primary key, value text not null);
create table if not exists told (
  path blob primary key, number integer not null, item text not null,
  facts text not null
) without rowid;
create table if not exists file (
  path blob primary key,
  item text not null,
  position integer not null,
  facts text not null,
  version text not null,
  size_bytes integer not null,
  modified_at real not null,
  listing integer not null,
  state text not null,
  reason text not null,
  hold text not null default '',
  pending integer not null default 0
) without rowid;
create index if not exists file_of_item on file (item, position, path);
create index if not exists file_waiting on file (item) where state = 'waiting';
"""
_SAME = (
    "version = excluded.version and item = excluded.item and facts = excluded.facts"
    " and (reason = 'not_in_manifest') = (excluded.reason = 'not_in_manifest')"
)
"""A file that is as it was when its row was written; ``excluded`` is the new row."""
_MAX_ID = 200  # characters
ESCAPED, HASHED = "path-escaped:", "path-sha256:"
"""How the ids of paths begin that cannot be ids as they are."""
_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, line ends, what turns the direction of writing, and the bytes
that are no UTF-8 (as surrogates, see ``os.fsdecode``)."""
_PAGE = 500
"""Items read from the journal at a time."""


class State(StrEnum):
    """How far a file has come; the values are stored."""

    WAITING = "waiting"
    REGISTERED = "registered"
    LEFT_OUT = "left_out"
    """No picture and no video, or not named by the manifest."""
    REFUSED = "refused"
    """It should have been registered and could not; the next run tries again."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as the collection lists it.

    ``path`` is relative to the collection, ``version`` changes when the file does.
    """

    path: bytes
    version: str
    size_bytes: int
    modified_at: float


@dataclass(frozen=True, slots=True)
class Unit:
    """One item with its files, in order: what is registered as one.

    ``facts``: what the manifest says of it. ``check`` false: send it undecoded.
    """

    item: str
    facts: dict[str, str]
    files: tuple[Listed, ...]
    is_named: bool
    check: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a unit.

    ``reasons``: for each file, why it cannot be compared; blank where it can. ``why``:
    what stood in the way of the whole. ``hold``: visible, frozen or removed.
    """

    item: str
    state: State
    reasons: tuple[str, ...] = ()
    why: str = ""
    hold: str = ""
    pending: bool = False


class Journal:
    """The file. One import at a time may have it open."""

    def __init__(self, path: Path, about: Mapping[str, str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        try:
            self._open(about)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        failure: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def remember(self, name: str, value: str) -> None:
        """Keep a word for the next run."""
        self._db.execute("insert or replace into about values (?, ?)", (name, value))

    def recall(self, name: str) -> str:
        """That word; blank if there is none."""
        row = self._db.execute(
            "select value from about where name = ?", (name,)
        ).fetchone()
        return str(row[0]) if row else ""

    def take_manifest(
        self, lines: Iterable[tuple[bytes, str, Mapping[str, str]]]
    ) -> None:
        """Take in the manifest: for each path its item and facts, in order."""
        with self._all_or_nothing():
            self._db.execute("delete from told")
            for number, (path, item, facts) in enumerate(lines):
                said = json.dumps(dict(facts), sort_keys=True)
                try:
                    self._db.execute(
                        "insert into told values (?, ?, ?, ?)",
                        (path, number, item, said),
                    )
                except sqlite3.IntegrityError:
                    name = os.fsdecode(path)
                    raise InvalidInput(
                        f"The manifest names this file twice: {name}"
                    ) from None
        self.remember("manifest", "yes")

    def take_listing(self, files: Iterable[Listed]) -> int:
        """Take in what the collection holds now; returns how many files.

        What was registered before and has not changed stays so. What was refused
        waits again.
        """
        with self._all_or_nothing():
            listing = int(self.recall("listing") or 0) + 1
            self.remember("listing", str(listing))
            self._db.execute(
                "update file set state = 'waiting', reason = '' where state = 'refused'"
            )
            count, only_named = 0, bool(self.recall("manifest"))
            for file in files:
                self._take(file, listing, only_named)
                count += 1
            self._db.execute(
                "delete from file where listing < ? and state <> 'registered'",
                (listing,),
            )
        return count

    def missing(self) -> list[str]:
        """Files that the manifest names and the collection does not hold."""
        rows = self._db.execute(
            "select path from told where path not in"
            " (select path from file where listing = ?) order by path",
            (int(self.recall("listing") or 0),),
        )
        return [os.fsdecode(path) for (path,) in rows]

    def waiting(self) -> Iterator[Unit]:
        """The items that still have to be registered, in the order of their ids."""
        last = ""
        while True:
            rows = self._db.execute(
                "select item, path, version, size_bytes, modified_at, facts from file"
                " where listing = ? and state <> 'left_out' and item in (select"
                " distinct item from file where state = 'waiting' and item > ?"
                " order by item limit ?) order by item, position, path",
                (int(self.recall("listing")), last, _PAGE),
            ).fetchall()
            if not rows:
                return
            for item, files in groupby(rows, key=lambda row: row[0]):
                found = list(files)
                yield Unit(
                    item=item,
                    facts=json.loads(found[0][5] or "{}"),
                    files=tuple(Listed(*row[1:5]) for row in found),
                    is_named=bool(found[0][5]),
                )
                last = item

    def settle(self, unit: Unit, outcome: Outcome) -> None:
        """Write down what became of an item."""
        reasons = outcome.reasons or ("",) * len(unit.files)
        with self._all_or_nothing():
            self._db.executemany(
                "update file set state = ?, reason = ?, hold = ?, pending = ?"
                " where path = ?",
                [
                    (outcome.state, reason or outcome.why, outcome.hold,
                     outcome.pending, file.path)
                    for file, reason in zip(unit.files, reasons, strict=True)
                ],
            )  # fmt: skip

    def counts(self) -> dict[str, int]:
        """How many items stand where, and how many files cannot be compared."""
        one = self._db.execute(
            "select"
            " count(distinct item) filter (where state = 'registered'),"
            " count(distinct item) filter (where state = 'registered'"
            "   and hold not in ('', 'visible')),"
            " count(distinct item) filter (where state = 'registered' and pending),"
            " count(*) filter (where state = 'registered' and reason <> ''),"
            " count(*) filter (where state = 'left_out'),"
            " count(distinct item) filter (where state = 'refused'),"
            " count(distinct item) filter (where state = 'waiting')"
            " from file"
        ).fetchone()
        names = (
            "registered",
            "held",
            "pending",
            "not_comparable",
            "left_out",
            "refused",
            "waiting",
        )
        return dict(zip(names, one, strict=True))

    def pending(self) -> list[str]:
        """The items that Holdfast had not compared yet when it was last asked."""
        rows = self._db.execute(
            "select distinct item from file where state = 'registered' and pending"
        )
        return [item for (item,) in rows]

    def hear(self, item: str, *, hold: str, pending: bool) -> None:
        """Write down what Holdfast says of a registered item now."""
        self._db.execute(
            "update file set hold = ?, pending = ?"
            " where item = ? and state = 'registered'",
            (hold, pending, item),
        )

    def problems(self) -> Iterator[tuple[str, str, str]]:
        """(path, state, reason) of all that is not as it should be, by path."""
        with closing(
            self._db.execute(
                "select path, state, reason from file where reason <> '' order by path"
            )
        ) as rows:
            for path, state, reason in rows:
                yield os.fsdecode(path), state, reason

    def _open(self, about: Mapping[str, str]) -> None:
        try:
            # The lock ends with the process, however that ends.
            self._db.execute("pragma locking_mode = exclusive")
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = normal")
            self._db.executescript(_TABLES)
            self._check(about)
        except sqlite3.OperationalError as error:
            raise Refused("Another import has this journal open.") from error
        except sqlite3.DatabaseError as error:
            raise InvalidInput("This file is no journal of an import.") from error

    def _check(self, about: Mapping[str, str]) -> None:
        for name, value in about.items():
            known = self.recall(name)
            if known and known != value:
                raise Refused(
                    f"This journal is of another import: its {name} is {known}. Name"
                    " another file with --journal."
                )
            self.remember(name, value)

    def _take(self, file: Listed, listing: int, only_named: bool) -> None:
        told = self._db.execute(
            "select number, item, facts from told where path = ?", (file.path,)
        ).fetchone()
        state, reason, facts, number = State.WAITING, "", "", 0
        item = item_of(file.path)
        if told is not None:
            number, item, facts = told
        elif only_named:
            state, reason = State.LEFT_OUT, "not_in_manifest"
        self._db.execute(
            "insert into file (path, item, position, facts, version, size_bytes,"
            " modified_at, listing, state, reason)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict (path) do update set item = excluded.item, position ="
            " excluded.position, facts = excluded.facts, version = excluded.version,"
            " size_bytes = excluded.size_bytes, modified_at = excluded.modified_at,"
            " listing = excluded.listing,"
            f" state = iif({_SAME}, state, excluded.state),"
            f" reason = iif({_SAME}, reason, excluded.reason)",
            (file.path, item, number, facts, file.version, file.size_bytes,
             file.modified_at, listing, state, reason),
        )  # fmt: skip

    def _all_or_nothing(self) -> _Transaction:
        return _Transaction(self._db)


def item_of(path: bytes) -> str:
    """The id of a file that no manifest names: its path, where that can be an id.

    An id has up to 200 characters and is text (web/api/schemas.py). Control characters
    and what is no UTF-8 are written as %0A, behind ESCAPED, so that no two paths have
    one id and the path can be read back: :func:`path_of`. What is too long is hashed.
    """
    text = os.fsdecode(path)
    if _UNFIT.search(text) or text.startswith((ESCAPED, HASHED)):
        text = ESCAPED + shown(text.replace("%", "%25"))
    if len(text) <= _MAX_ID:
        return text
    return HASHED + hashlib.sha256(path).hexdigest()


def path_of(item: str) -> bytes | None:
    """The path that :func:`item_of` made an id of; None where it was too long."""
    if item.startswith(HASHED):
        return None
    if item.startswith(ESCAPED):
        return unquote_to_bytes(item.removeprefix(ESCAPED))
    return item.encode()


def shown(path: str) -> str:
    """A path as people can be shown it: what is no plain text as %0A."""

    def escaped(odd: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in os.fsencode(odd[0]))

    return _UNFIT.sub(escaped, path)


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("begin immediate")

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._db.execute("commit" if failure is None else "rollback")
