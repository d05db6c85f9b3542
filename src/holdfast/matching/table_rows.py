"""How the search reads its table: each row once, as soon as it is committed.

A row carries the transaction that wrote it (``xid``). What a reader has taken in is
described by a snapshot of PostgreSQL's: every transaction below ``xmax`` that is not
in the list of those running. The next read asks for the rest, in one statement that
also tells its own snapshot, so a row that commits late is not skipped, whatever its
number. Nothing is written here. Rule: PostgreSQL, "Transaction ID and Snapshot
Information Functions". A row's fingerprint never changes after it was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.base.fields import HORIZON_SQL
from holdfast.signals.hamming import FINGERPRINT_BYTES, WORDS, to_words

BATCH_BYTES = 1 << 22
"""About so many bytes of rows are taken from a COPY before they are handed on."""
COPY_HEADER_BYTES = 19
"""Signature, flags and the length of an empty extension: PostgreSQL, COPY, "Binary
Format". The trailer is a field count of -1, two bytes."""
COPY_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("id_bytes", ">i4"),
        ("id", ">i8"),
        ("words_bytes", ">i4"),
        ("words", ">u8", (WORDS,)),
        ("xid_bytes", ">i4"),
        ("xid", ">i8"),
    ]
)


class Range(NamedTuple):
    """Transactions from ``start`` on and below ``end``; None: without end."""

    start: int
    end: int | None


class Rows(NamedTuple):
    """Parallel arrays; ``words`` is (n, 4), see :func:`signals.hamming.to_words`."""

    ids: NDArray[np.int64]
    words: NDArray[np.uint64]
    xids: NDArray[np.int64]

    def at(self, which: slice | NDArray[np.bool]) -> Rows:
        """Some of them."""
        return Rows(self.ids[which], self.words[which], self.xids[which])


NO_ROWS = Rows(
    np.empty(0, np.int64), np.empty((0, WORDS), np.uint64), np.empty(0, np.int64)
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a statement saw: all below ``xmax``, without ``running``."""

    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str, own: str | None) -> Snapshot:
        """From ``pg_current_snapshot()`` and the reader's own transaction, if any.

        That transaction sees itself, but it may go on writing: it counts as running.
        """
        _xmin, xmax, listed = text.split(":")
        running = {int(each) for each in listed.split(",") if each}
        if own is not None and int(own) < int(xmax):
            running.add(int(own))
        return cls(int(xmax), frozenset(running))

    def sees(self, xid: int) -> bool:
        """Whether what transaction ``xid`` committed was visible."""
        return xid < self.xmax and xid not in self.running

    def is_after(self, other: Snapshot) -> bool:
        """Whether this is the later one: it sees all that ``other`` sees."""
        return (self.xmax, -len(self.running)) > (other.xmax, -len(other.running))


class Now(NamedTuple):
    """One moment: what can be seen, in which life of the table, by which transaction.

    ``epoch`` changes when the server was started anew or the table was emptied: what
    was read before then need not be true any more. ``own`` is the number of the
    reader's own transaction, or 0.
    """

    snapshot: Snapshot
    epoch: str
    own: int


class News(NamedTuple):
    """What one read found.

    ``committed`` is every row that the snapshot given did not see. ``own`` are those
    that the reader's own transaction wrote, which may yet be rolled back. For the
    epoch see :class:`Now`.
    """

    snapshot: Snapshot
    epoch: str
    committed: Rows
    own: Rows


class Witness(NamedTuple):
    """A row known to have been in the table."""

    xid: int
    row_id: int
    fingerprint: bytes


class TableRows:
    """The rows of one table with columns ``id`` (bigint), ``xid`` and a fingerprint.

    Each method takes a cursor, so that the caller says in which transaction to read.
    Rows without a fingerprint of 32 bytes do not exist here.
    """

    def __init__(self, table: str, column: str) -> None:
        self.table = table
        self.column = column
        self._rows = f"octet_length({column}) = {FINGERPRINT_BYTES}"
        read = f"SELECT id, {column} AS pdq, xid FROM {table} WHERE {self._rows}"
        self._now = (
            "pg_current_snapshot()::text AS snapshot,"
            " pg_current_xact_id_if_assigned()::text AS own,"
            " concat_ws(' ', pg_postmaster_start_time(),"
            " pg_relation_filenode(to_regclass(%s))) AS epoch"
        )
        # Two reads under one snapshot, because each of them can use the index.
        self._news = f"""
            SELECT now.snapshot, now.own, now.epoch, r.id, r.pdq, r.xid::text
            FROM (SELECT {self._now}) AS now
            LEFT JOIN ({read} AND xid >= %s::xid8 UNION ALL
                {read} AND xid >= %s::xid8 AND xid < %s::xid8
                AND xid = ANY(%s::xid8[])) AS r ON true"""

    def news(self, cursor: Any, seen: Snapshot, horizon: int) -> News:
        """Rows at or above ``horizon`` that ``seen`` did not see."""
        running = "{" + ",".join(str(xid) for xid in sorted(seen.running)) + "}"
        above = str(max(horizon, seen.xmax))
        cursor.execute(self._news, [self.table, above, str(horizon), above, running])
        found = cursor.fetchall()
        snapshot, own, epoch = found[0][:3]
        rows = [row[3:] for row in found if row[3] is not None]
        return News(
            Snapshot.parse(snapshot, own),
            epoch,
            _rows_of([row for row in rows if row[2] != own]),
            _rows_of([row for row in rows if row[2] == own]),
        )

    def now(self, cursor: Any) -> Now:
        """What can be seen at this moment; reads no rows."""
        cursor.execute(f"SELECT {self._now}", [self.table])
        snapshot, own, epoch = cursor.fetchone()
        return Now(Snapshot.parse(snapshot, own), epoch, int(own or 0))

    def among(self, cursor: Any, ids: Sequence[int]) -> dict[int, bytes]:
        """The fingerprints of those rows of ``ids`` that are there."""
        if not ids:
            return {}
        cursor.execute(
            f"SELECT id, {self.column} FROM {self.table}"
            f" WHERE id = ANY(%s) AND {self._rows}",
            [list(ids)],
        )
        return {row_id: bytes(fingerprint) for row_id, fingerprint in cursor}

    def identity(self, cursor: Any) -> dict[str, str]:
        """Which table of which database of which server this is."""
        # A hosted server may forbid the question; an error would end the caller's
        # transaction.
        cursor.execute(
            "SELECT has_function_privilege('pg_control_system()', 'execute')"
        )
        allowed = cursor.fetchone()[0]
        system = "(SELECT system_identifier FROM pg_control_system())"
        cursor.execute(
            f"SELECT {system if allowed else 0}::text, d.oid::text,"
            " to_regclass(%s)::oid::text FROM pg_database d"
            " WHERE d.datname = current_database()",
            [self.table],
        )
        server, database, table = cursor.fetchone()
        return {
            "server": server,
            "database": database,
            "table": table,
            "column": self.column,
        }

    def horizon(self, cursor: Any) -> int:
        """Below it every transaction has ended."""
        cursor.execute(HORIZON_SQL)
        return int(cursor.fetchone()[0])

    def count(self, cursor: Any, span: Range) -> int:
        """How many rows there are in ``span``."""
        cursor.execute(
            f"SELECT count(*) FROM {self.table}"
            f" WHERE {self._rows} AND {_within([span])}"
        )
        return int(cursor.fetchone()[0])

    def copy(self, cursor: Any, spans: Sequence[Range]) -> Iterator[Rows]:
        """All rows in ``spans``, in batches and in any order."""
        if not spans:
            return
        statement = (
            f"COPY (SELECT id, {self.column}, xid FROM {self.table} WHERE {self._rows}"
            f" AND ({_within(spans)})) TO STDOUT (FORMAT binary)"
        )
        waiting, skip = bytearray(), COPY_HEADER_BYTES
        with cursor.copy(statement) as stream:
            for data in stream:
                waiting += data
                if len(waiting) >= BATCH_BYTES:
                    size = (len(waiting) - skip) // COPY_ROW.itemsize
                    size *= COPY_ROW.itemsize
                    yield _batch(bytes(waiting[skip : skip + size]))
                    waiting, skip = waiting[skip + size :], 0
        yield _batch(bytes(waiting[skip:-2]))

    def youngest(self, cursor: Any, span: Range, count: int) -> list[Witness]:
        """The ``count`` rows of ``span`` that were written last, the last one first."""
        cursor.execute(
            f"SELECT xid::text, id, {self.column} FROM {self.table} WHERE {self._rows}"
            f" AND {_within([span])} ORDER BY xid DESC LIMIT {int(count)}"
        )
        return [Witness(int(row[0]), row[1], bytes(row[2])) for row in cursor]

    def trusted_below(self, cursor: Any, witnesses: Sequence[Witness]) -> int:
        """Below which transaction this table still is the one of ``witnesses``.

        A database restored from a backup gives the same numbers out anew: to other
        rows. But where a row is still there, everything below its transaction had
        ended before the backup, and no new row can come with such a number. Zero
        where none of them is there.
        """
        cursor.execute(
            f"SELECT xid::text, id, {self.column} FROM {self.table}"
            f" WHERE id = ANY(%s) AND {self._rows}",
            [[witness.row_id for witness in witnesses]],
        )
        there = {Witness(int(row[0]), row[1], bytes(row[2])) for row in cursor}
        return max((each.xid + 1 for each in there.intersection(witnesses)), default=0)


def _within(spans: Sequence[Range]) -> str:
    return " OR ".join(
        f"(xid >= '{int(start)}'::xid8"
        + ("" if end is None else f" AND xid < '{int(end)}'::xid8")
        + ")"
        for start, end in spans
    )


def _rows_of(found: Sequence[tuple[int, bytes, str]]) -> Rows:
    if not found:
        return NO_ROWS
    return Rows(
        np.array([row[0] for row in found], np.int64),
        to_words([bytes(row[1]) for row in found]),
        np.array([int(row[2]) for row in found], np.int64),
    )


def _batch(data: bytes) -> Rows:
    rows = np.frombuffer(data, COPY_ROW)
    return Rows(
        rows["id"].astype(np.int64),
        np.ascontiguousarray(rows["words"].astype(np.uint64)),
        rows["xid"].astype(np.int64),
    )
