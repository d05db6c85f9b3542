"""Exact search over the fingerprints in a table, kept fresh at every search.

PostgreSQL is the truth. What was committed long ago lies in segments: files that all
processes of this machine map. What was not is held by each process as its tail, and
every search first reads what has been committed since the last one. Rows are read by
the transaction that wrote them and not by their number, because a row with a smaller
number can commit later. At the end the rows found are looked up in the table, so that
what was rolled back or deleted is never found, whatever a file says. Building segments
happens in the background and never in the way of a search; see ``upkeep``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray

from holdfast.matching.segment_folder import SegmentFolder, Stamp
from holdfast.matching.segments import Segment, UnusableSegment
from holdfast.matching.table_rows import NO_ROWS, Range, Rows, Snapshot, TableRows
from holdfast.matching.upkeep import checked_at, keep_up, trusted
from holdfast.signals.hamming import Matches, search, to_words
from holdfast.signals.tables import shuffled

logger = logging.getLogger(__name__)

TAIL_ROWS = 50_000
"""From so many rows outside segments on, another segment is built. Comparing with all
of them takes about 0.1 ms a query; they take 2.4 MB of each process."""
RETRY_AFTER_S = 30.0
"""Building is not tried more often than this by one process, in seconds."""
CHECK_AFTER_S = 24 * 3600.0
"""Segments are read wholly this often, and held against their checksums and the table:
what was deleted is out of the files that much later at most, see ``upkeep``."""


class Hit(NamedTuple):
    """Row ``row_id`` is ``distance_bits`` from the fingerprint number ``query``."""

    query: int
    row_id: int
    distance_bits: int


class _Tail:
    """Rows in memory. It only grows; who has its arrays and a count may read on."""

    def __init__(self, rows: Rows = NO_ROWS) -> None:
        self.count = len(rows.ids)
        self.arrays = rows

    def append(self, rows: Rows) -> None:
        """Take in ``rows``, whose words are shuffled."""
        end = self.count + len(rows.ids)
        if end > len(self.arrays.ids):
            held, room = self.arrays, 2 * end
            self.arrays = Rows(
                _larger(held.ids, room),
                _larger(held.words, room),
                _larger(held.xids, room),
            )
        for array, more in zip(self.arrays, rows, strict=True):
            array[self.count : end] = more
        self.count = end

    def read(self) -> Rows:
        """All rows that there are now."""
        return self.arrays.at(slice(self.count))


@dataclass(eq=False)
class _View:
    """What a process knows of the table: segments, and in its tail all else.

    ``gaps``: the transactions of which no segment has the rows; the last one has no
    end. ``seen``: what the tail has taken in of them.
    """

    epoch: str
    stamp: Stamp | None
    segments: tuple[Segment, ...]
    gaps: tuple[Range, ...]
    is_whole: bool
    check_at: float
    seen: Snapshot
    tail: _Tail

    @property
    def horizon(self) -> int:
        return self.gaps[-1].start


class PdqIndex:
    """The fingerprints of one table: columns ``id`` (bigint), ``column``, ``xid``.

    ``column`` is bytea; rows where it is NULL are not there. A fingerprint is written
    once and never changed. ``folder``: where this machine keeps the segments; by
    default one of its own under ``settings.HOLDFAST_SEARCH_FOLDER``. Threads may share
    an index.
    """

    def __init__(
        self,
        table: str,
        column: str = "pdq",
        *,
        folder: Path | None = None,
        tail_rows: int = TAIL_ROWS,
    ) -> None:
        self._table = TableRows(table, column)
        self._given_folder = folder
        self._tail_rows = tail_rows
        self._view: _View | None = None
        self._opening = threading.Lock()
        self._growing = threading.Lock()
        self._upkeep: threading.Thread | None = None
        self._next_upkeep = 0.0

    def near(self, fingerprints: Sequence[bytes], radius_bits: int) -> list[Hit]:
        """Rows at most ``radius_bits`` (0 to 256) from each fingerprint of 32 bytes.

        The nearest first. Sees what the caller's transaction sees: all that was
        committed before, and what it wrote itself.
        """
        if not fingerprints:
            return []
        given = to_words(fingerprints)
        queries = shuffled(given)
        with connection.cursor() as cursor:
            found, tail, own = self._in_segments(cursor, queries, radius_bits)
            for rows in (tail, own):
                matches = search(queries, rows.words, radius_bits)
                found.append(_triples(matches, rows.ids))
            # Each once: a row may be in a segment and in the tail.
            hits = np.unique(np.concatenate(found), axis=0)
            there = self._table.among(cursor, sorted(set(hits[:, 2].tolist())))
        return [
            Hit(query, row_id, distance_bits)
            for distance_bits, query, row_id in hits.tolist()
            if there.get(row_id) is not None
            and _bits_apart(there[row_id], fingerprints[query]) == distance_bits
        ]

    def keep_up(self) -> bool:
        """Build what is to be built, now; outside of any transaction.

        Returns False where another process is about it. Searches do this in the
        background; a command that has added many rows may do it at its end.
        """
        return keep_up(self._table, self._folder, self._tail_rows, CHECK_AFTER_S)

    def start_upkeep(self) -> None:
        """Have :meth:`keep_up` done by a thread, unless one did it just now."""
        with self._growing:
            is_running = self._upkeep is not None and self._upkeep.is_alive()
            if is_running or time.monotonic() < self._next_upkeep:
                return
            self._next_upkeep = time.monotonic() + RETRY_AFTER_S
            self._upkeep = threading.Thread(
                target=self._keep_up_quietly, name="search-upkeep", daemon=True
            )
            self._upkeep.start()

    def forget(self) -> None:
        """Drop what this process holds; the next search begins anew."""
        self._view = None

    @property
    def _folder(self) -> SegmentFolder:
        name = f"{self._table.table}-{self._table.column}"
        return SegmentFolder(
            self._given_folder or settings.HOLDFAST_SEARCH_FOLDER / name
        )

    def _in_segments(
        self, cursor: Any, queries: NDArray[np.uint64], radius_bits: int
    ) -> tuple[list[NDArray[np.int64]], Rows, Rows]:
        """What is near in the segments; and the tail and the caller's own rows."""
        while True:
            view, tail, own = self._fresh(cursor)
            try:
                found = [
                    _triples(segment.near(queries, radius_bits), segment.ids)
                    for segment in view.segments
                ]
            except UnusableSegment as error:
                # Its rows are read from PostgreSQL until it is built again.
                logger.error("%s", error.diagnostics())
                self.forget()
                continue
            return found, tail, own

    def _fresh(self, cursor: Any) -> tuple[_View, Rows, Rows]:
        """A view, its tail with all that is committed, and the caller's own rows."""
        while True:
            view = self._view
            if view is None or view.stamp != self._folder.stamp():
                view = self._open(cursor, view)
            news = self._table.news(cursor, view.seen, view.horizon)
            if news.epoch == view.epoch:
                break
            self.forget()
        with self._growing:
            self._take_in(view, news.committed)
            if news.snapshot.is_after(view.seen):
                view.seen = news.snapshot
            tail = view.tail.read()
        is_due = len(tail.ids) >= self._tail_rows or time.time() >= view.check_at
        if is_due or not view.is_whole:
            self.start_upkeep()
        return view, tail, news.own._replace(words=shuffled(news.own.words))

    def _take_in(self, view: _View, rows: Rows) -> None:
        """Append what another thread has not taken in meanwhile."""
        if not len(rows.ids):
            return
        seen = view.seen
        is_new = np.array([not seen.sees(xid) for xid in rows.xids.tolist()])
        new = rows.at(is_new)
        view.tail.append(new._replace(words=shuffled(new.words)))

    def _open(self, cursor: Any, old: _View | None) -> _View:
        """Map the segments that count now, and read what they do not hold."""
        with self._opening:
            view = self._view
            if view is not None and view is not old:
                return view  # Another thread has just opened it.
            now = self._table.now(cursor)
            known = () if old is None else old.segments
            shelf = self._folder.open(self._table.identity(cursor), known)
            segments, below = trusted(self._table, cursor, shelf.segments)
            view = _View(
                epoch=now.epoch,
                stamp=shelf.stamp,
                segments=segments,
                gaps=_gaps(segments, below),
                is_whole=shelf.is_whole and len(segments) == len(shelf.segments),
                check_at=_check_at(segments),
                seen=now.snapshot,
                tail=_Tail(),
            )
            if old is not None and _has_all(old, view):
                with self._growing:
                    view.seen = old.seen
                    view.tail = _Tail(_only(old.tail.read(), view.gaps))
            else:
                for batch in self._table.copy(cursor, view.gaps):
                    # The caller's own rows are not committed.
                    rows = batch.at(batch.xids != now.own)
                    view.tail.append(rows._replace(words=shuffled(rows.words)))
            self._view = view
            _warm([each for each in segments if each not in known])
            return view

    def _keep_up_quietly(self) -> None:
        """In a thread with a connection of its own; a failure is tried again."""
        view = self._view
        try:
            if self.keep_up() and view is not None:
                view.check_at = _check_at(view.segments)
                if not view.is_whole:
                    # Either all is well now, or it was and only looked otherwise to
                    # a transaction that saw an older state.
                    self.forget()
        except Exception as error:
            # Whatever failed, searches go on as they are: with a longer tail. The
            # text of the error could hold a row's content.
            logger.error(
                "upkeep of %s failed: %s", self._table.table, type(error).__name__
            )
        finally:
            connection.close()


def _check_at(segments: Sequence[Segment]) -> float:
    """When one of them is to be verified next; never, where there is none."""
    return min(map(checked_at, segments), default=float("inf")) + CHECK_AFTER_S


def _warm(segments: Sequence[Segment]) -> None:
    """Have them mapped, read from the disk where need be, while searches go on."""

    def warm() -> None:
        for segment in segments:
            # Whoever searches finds out, and does without it.
            with suppress(UnusableSegment):
                segment.warm()

    if segments:
        threading.Thread(target=warm, name="search-warm", daemon=True).start()


def _triples(matches: Matches, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 3) of distance, query and row id."""
    found = (matches.distance_bits, matches.query_index, ids[matches.row_index])
    return np.stack(found, axis=1)


def _bits_apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def _larger(array: NDArray[Any], room: int) -> NDArray[Any]:
    larger = np.empty((room, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def _gaps(segments: Sequence[Segment], below: int) -> tuple[Range, ...]:
    """The transactions that no segment has, of which those from ``below`` on."""
    gaps, end = [], 0
    for segment in segments:
        if segment.start > end:
            gaps.append(Range(end, segment.start))
        end = max(end, min(segment.end, below))
    return (*gaps, Range(end, None))


def _has_all(old: _View, new: _View) -> bool:
    """Whether the old tail has everything that the new one needs."""
    return old.epoch == new.epoch and all(
        any(
            gap.start >= held.start
            and (held.end is None or (gap.end is not None and gap.end <= held.end))
            for held in old.gaps
        )
        for gap in new.gaps
    )


def _only(rows: Rows, gaps: Sequence[Range]) -> Rows:
    """The rows whose transactions are in one of ``gaps``; a copy."""
    inside = np.zeros(len(rows.ids), bool)
    for start, end in gaps:
        inside |= (rows.xids >= start) & (end is None or rows.xids < end)
    return rows.at(inside)
