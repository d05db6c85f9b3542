"""The durable spool: what Holdfast has not accepted yet, on this disk.

Every write is in the spool, fsynced, before it is sent for the first time, and leaves
it when Holdfast has accepted it; so neither Holdfast being down nor this process being
killed loses one. Writes about the same subject go in the order in which they were
made; writes about others do not wait for them. A write that Holdfast refuses for good
is put aside with its reason (:meth:`Spool.problems`) and blocks nothing.

It never drops a write, never changes one (the same bytes go out under the same
``Idempotency-Key`` each time), and never logs what is in one. The file holds what the
writes hold, pictures and reporters' words included: it is readable by its owner alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_RECEIPTS_KEPT_S = 7 * 24 * 3600.0
"""How long an answer waits to be fetched by whoever was told ``Spooled``."""

_AGAIN_S = 2.0
"""How long the lines of a batch that met an error wait before they go again."""

UNREACHABLE = "unreachable"
"""Why a write waits when no connection could be made at all."""

_TABLES = """
create table if not exists entry (
  seq integer primary key autoincrement,
  key text not null unique,
  method text not null,
  path text not null,
  content_type text not null,
  body blob not null,
  is_report integer not null,
  is_count integer not null,
  kept_at real not null,
  attempts integer not null default 0,
  not_before real not null default 0,
  reason text not null default '',
  problem text
);
create table if not exists about (
  subject text not null,
  seq integer not null references entry (seq) on delete cascade,
  primary key (subject, seq)
) without rowid;
create table if not exists answer (
  key text primary key, body text not null, accepted_at real not null
);
create table if not exists remembered (name text primary key, body text not null);
"""

# An entry may go when nothing before it about the same subject still waits. Counts of
# views and the like hold nothing back. A report also passes what has been tried and
# got an error for an answer, or none: an item that cannot be registered must not hold
# back the report about it. It does not pass what merely found nobody at home.
_READY = """
select * from entry e
where problem is null and not_before <= :now and seq not in (select value from
  json_each(:busy))
  and not exists (
    select 1 from about mine
    join about earlier on earlier.subject = mine.subject and earlier.seq < mine.seq
    join entry w on w.seq = earlier.seq
    where mine.seq = e.seq and w.problem is null
      and not w.is_count
      and not (e.is_report and w.reason not in ('', :unreachable)
               and w.seq not in (select value from json_each(:busy))))
order by is_report desc, seq limit 1
"""


class SpoolInUse(RuntimeError):
    """Another process has this spool open; give each process a file of its own."""


@dataclass(frozen=True)
class Write:
    """One request, complete, in the bytes that go out. ``path`` is below the base."""

    key: str
    method: str
    path: str
    content_type: str
    body: bytes
    subjects: tuple[str, ...] = ()
    is_report: bool = False
    is_count: bool = False


@dataclass(frozen=True)
class Entry:
    """A write that waits. ``attempts`` counts the tries that failed so far."""

    seq: int
    write: Write
    attempts: int
    reason: str


@dataclass(frozen=True)
class Problem:
    """A write that was refused for good, and why (an RFC 9457 problem document)."""

    seq: int
    key: str
    method: str
    path: str
    kept_at: float
    problem: dict[str, Any]


class Spool:
    """The file. One process at a time may open it; its threads may share it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = _lock(path.with_name(path.name + ".lock"))
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._turn = threading.RLock()
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")  # A commit is an fsync.
        self._db.execute("pragma foreign_keys = on")
        self._db.executescript(_TABLES)

    def keep(self, write: Write) -> int:
        """Make ``write`` durable; a key that is kept already is kept once."""
        with self._turn, self._transaction():
            return self._insert(write)

    def _insert(self, write: Write, *, not_before: float = 0.0) -> int:
        self._db.execute(
            "insert into entry (key, method, path, content_type, body, is_report,"
            " is_count, kept_at, not_before) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " on conflict (key) do nothing",
            (write.key, write.method, write.path, write.content_type, write.body,
             write.is_report, write.is_count, time.time(), not_before),
        )  # fmt: skip
        seq = int(self._one("select seq from entry where key = ?", write.key))
        self._db.executemany(
            "insert or ignore into about values (?, ?)",
            [(subject, seq) for subject in write.subjects],
        )
        return seq

    def next(self, busy: Collection[int]) -> Entry | None:
        """The write to send now, reports first; ``busy`` are on their way already."""
        facts = {
            "now": time.time(),
            "busy": json.dumps(list(busy)),
            "unreachable": UNREACHABLE,
        }
        with self._turn:
            row = self._db.execute(_READY, facts).fetchone()
        return None if row is None else _entry(row)

    def next_due_at(self) -> float | None:
        """When the next put-off write wants to be tried (Unix seconds), or None."""
        with self._turn:
            due_at = self._one(
                "select min(not_before) from entry"
                " where problem is null and not_before > ?",
                time.time(),
            )
        return None if due_at is None else float(due_at)

    def accepted(
        self,
        seq: int,
        *,
        answer: bytes | None = None,
        left: Sequence[tuple[Write, Mapping[str, Any] | None]] = (),
    ) -> None:
        """Forget a write that Holdfast has; keep its answer for who asks later.

        ``left`` are the lines of a batch that were not accepted: with their problem
        they are put aside, without one they are sent again.
        """
        with self._turn, self._transaction():
            for write, problem in left:
                seq_left = self._insert(write, not_before=time.time() + _AGAIN_S)
                if problem is not None:
                    self.put_aside(seq_left, problem)
            if answer is not None:
                self._db.execute(
                    "insert or replace into answer select key, ?, ? from entry"
                    " where seq = ?",
                    (answer.decode(), time.time(), seq),
                )
                self._db.execute(
                    "delete from answer where accepted_at < ?",
                    (time.time() - _RECEIPTS_KEPT_S,),
                )
            self._db.execute("delete from entry where seq = ?", (seq,))

    def failed(self, seq: int, *, reason: str, not_before: float) -> None:
        """Keep a write that could not be delivered, and when to try again."""
        with self._turn:
            self._db.execute(
                "update entry set attempts = attempts + 1, reason = ?, not_before = ?"
                " where seq = ?",
                (reason, not_before, seq),
            )

    def put_aside(self, seq: int, problem: Mapping[str, Any]) -> None:
        """Keep a refused write with its reason; it blocks nothing any more."""
        with self._turn:
            self._db.execute(
                "update entry set problem = ? where seq = ?", (json.dumps(problem), seq)
            )

    def problems(self) -> list[Problem]:
        """Everything that was refused for good, oldest first. Look at it daily."""
        with self._turn:
            rows = self._db.execute(
                "select seq, key, method, path, kept_at, problem from entry"
                " where problem is not null order by seq"
            ).fetchall()
        return [
            Problem(**{**dict(row), "problem": json.loads(row["problem"])})
            for row in rows
        ]

    def retry(self, seq: int) -> None:
        """Let a write that was put aside wait again; see ``Holdfast.retry``."""
        with self._turn:
            self._db.execute(
                "update entry set problem = null, not_before = 0 where seq = ?", (seq,)
            )

    def waiting(self) -> int:
        """How many writes are not accepted yet and not put aside."""
        with self._turn:
            return int(self._one("select count(*) from entry where problem is null"))

    def answer(self, key: str) -> dict[str, Any] | None:
        """What Holdfast said to an accepted report, for a week; None before that."""
        with self._turn:
            found = self._one("select body from answer where key = ?", key)
        return None if found is None else dict(json.loads(found))

    def remember(self, name: str, body: str) -> None:
        """Keep something that was read, for when Holdfast cannot be asked."""
        with self._turn:
            self._db.execute(
                "insert or replace into remembered values (?, ?)", (name, body)
            )

    def recall(self, name: str) -> str | None:
        """What was kept under this name, or None."""
        with self._turn:
            found = self._one("select body from remembered where name = ?", name)
        return None if found is None else str(found)

    def close(self) -> None:
        """Let go of the file; what waits in it is sent by whoever opens it next."""
        with self._turn:
            self._db.close()
            self._lock_file.close()

    def _one(self, sql: str, *values: object) -> Any:
        row = self._db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("begin immediate")

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._db.execute("commit" if failure is None else "rollback")


def _lock(path: Path) -> IO[str]:
    """Hold the lock file; the kernel lets go of it when the process dies."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise SpoolInUse(f"Another process has {path.name} open.") from None
    with suppress(OSError):
        os.chmod(path, 0o600)
    return file


def _entry(row: sqlite3.Row) -> Entry:
    write = Write(
        key=row["key"],
        method=row["method"],
        path=row["path"],
        content_type=row["content_type"],
        body=row["body"],
        is_report=bool(row["is_report"]),
        is_count=bool(row["is_count"]),
    )
    return Entry(row["seq"], write, row["attempts"], row["reason"])
