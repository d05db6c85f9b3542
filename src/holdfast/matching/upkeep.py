"""Building segments: what has been committed leaves the tails of all processes.

A segment is always built from PostgreSQL, in one transaction that sees one state, and
never from other segments: rows that were deleted drop out, and there is nothing to
merge. A new segment takes the place of those younger ones that are not much larger
than itself, so there are few of them and each row is read a few times in its life.
One process of a machine builds at a time; what it is killed over leaves no trace.

A row that was deleted is never found from then on. Its bytes leave the files when its
segment is next verified: ``check_after_s`` after the last time at most, and an hour
(``search.keep_up``). A machine without a worker does it at its next search, and there
too a process that has the old file mapped lets go of it. Until then nobody but the
folder's owner can read them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import time
from typing import Any

from django.db import connection, transaction

from holdfast.matching.segment_folder import SegmentFolder
from holdfast.matching.segments import Segment, UnusableSegment, new_segment
from holdfast.matching.table_rows import Range, TableRows

logger = logging.getLogger(__name__)

MERGE_RATIO = 4
"""A segment is built anew with the younger rows when it has less than so many times
their number: at most one segment for every power of it in the number of rows."""
WITNESSES = 64
"""Of so many rows, those written last, at least one is looked for when a segment is
opened. If all of them have been deleted it is built again."""


def trusted(
    table: TableRows, cursor: Any, segments: Sequence[Segment]
) -> tuple[tuple[Segment, ...], int]:
    """The segments that hold what this database holds, and below which transaction.

    It holds less where it was restored from a backup; see ``TableRows.trusted_below``.
    """
    if not segments:
        return (), 0
    below = table.trusted_below(
        cursor, [each for segment in segments for each in segment.witnesses]
    )
    return tuple(each for each in segments if each.start < below), below


def checked_at(segment: Segment) -> float:
    """When it was last verified, or written; seconds since 1970."""
    try:
        return segment.path.stat().st_mtime
    except FileNotFoundError:
        return time()  # Replaced meanwhile, and nobody's concern any more.


def keep_up(
    table: TableRows, folder: SegmentFolder, least_rows: int, check_after_s: float
) -> bool:
    """Build a segment if at least ``least_rows`` rows are in none.

    Segments not verified for ``check_after_s`` seconds are; what is not as it was
    written is built again. Returns False if another process is at it. To be called
    outside of any transaction.
    """
    with folder.lock() as is_ours, ExitStack() as unfinished:
        if not is_ours:
            return False
        with _reading() as cursor:
            identity = table.identity(cursor)
            shelf = folder.open(identity)
            sound, below = trusted(table, cursor, shelf.segments)
            segments = _kept(table, cursor, sound, check_after_s)
        writer = None
        with _reading() as cursor:
            span, count = _plan(table, cursor, segments, below, least_rows)
            if count:
                writer = unfinished.enter_context(new_segment(folder.path, count))
                for batch in table.copy(cursor, [span]):
                    writer.add(batch)
                witnesses = table.youngest(cursor, span, WITNESSES)
        if writer is not None:
            segments.append(writer.publish(identity, span.start, witnesses))
        if not shelf.is_whole or segments != list(shelf.segments):
            folder.publish(identity, segments)
    return True


def _kept(
    table: TableRows, cursor: Any, sound: Sequence[Segment], check_after_s: float
) -> list[Segment]:
    """The segments up to the first that is missing, damaged or holds a deleted row."""
    kept: list[Segment] = []
    for segment in sound:
        if segment.start > (kept[-1].end if kept else 0):
            break
        if time() - checked_at(segment) >= check_after_s:
            try:
                segment.verify()
            except UnusableSegment as error:
                logger.error("%s", error.diagnostics())
                break
            there = table.count(cursor, Range(segment.start, segment.end))
            if there < len(segment.ids):
                # Content that was deleted does not stay in a file.
                break
            os.utime(segment.path)
        kept.append(segment)
    return kept


def _plan(
    table: TableRows, cursor: Any, kept: list[Segment], below: int, least_rows: int
) -> tuple[Range, int]:
    """What the new segment is to hold, and how many rows that is; 0: build none.

    Takes those from ``kept`` whose place it takes. Only what is below the horizon is
    settled: every transaction there has ended.
    """
    horizon = table.horizon(cursor)
    start = min(kept[-1].end, below) if kept else 0
    count = table.count(cursor, Range(start, horizon))
    if count < max(least_rows, 1):
        return Range(start, horizon), 0
    while kept and len(kept[-1].ids) < MERGE_RATIO * count:
        replaced = kept.pop()
        start, count = replaced.start, count + len(replaced.ids)
    return Range(start, horizon), table.count(cursor, Range(start, horizon))


@contextmanager
def _reading() -> Iterator[Any]:
    """A cursor in a transaction of its own that sees one state throughout."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield cursor
