"""Exact search over the fingerprints in a table, held in memory and kept fresh.

PostgreSQL is the truth; this is a copy of two columns. Each search first takes in what
has been committed since the last one. Rows are read by the transaction that wrote them
and not by their number, because a row with a smaller number can commit later: rows at
or above the oldest running transaction are read again until it has ended, so none is
skipped. A hit is looked up in the table before anybody acts on it, so a row that was
rolled back or deleted is never found.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from holdfast.base.fields import HORIZON_SQL
from holdfast.signals.hamming import WORDS, search, to_words

FIRST_ROOM = 1024
"""Rows for which room is made at first; doubled whenever it is used up."""


RowId = TypeVar("RowId", int, UUID)


@dataclass(frozen=True)
class Hit(Generic[RowId]):
    """A row of the table within the radius of a query."""

    row_id: RowId
    distance_bits: int


class PdqIndex(Generic[RowId]):
    """The fingerprints of one table (columns ``id``, ``pdq``, ``xid``)."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._words: NDArray[np.uint64] = np.empty((FIRST_ROOM, WORDS), np.uint64)
        self._ids: list[RowId] = []
        self._horizon = 0
        self._above_horizon: set[RowId] = set()

    def near(self, pdq: bytes, radius_bits: int) -> list[Hit[RowId]]:
        """Rows at most ``radius_bits`` from ``pdq`` (32 bytes), the nearest first."""
        with self._lock:
            self._refresh()
            rows = self._words[: len(self._ids)]
            found = search(to_words([pdq]), rows, radius_bits)
            hits = [
                Hit(self._ids[row], int(distance))
                for row, distance in zip(
                    found.row_index, found.distance_bits, strict=True
                )
            ]
        return sorted(hits, key=lambda hit: hit.distance_bits)

    def _refresh(self) -> None:
        with connection.cursor() as cursor:
            # The horizon is read first: what commits between the two statements is
            # read now and, being above the horizon, once more the next time.
            cursor.execute(HORIZON_SQL)
            row = cursor.fetchone()
            horizon = int(row[0]) if row else 0
            cursor.execute(
                f"SELECT id, pdq, xid::text FROM {self._table}"
                " WHERE pdq IS NOT NULL AND xid >= %s::xid8",
                [str(self._horizon)],
            )
            rows = cursor.fetchall()
        new = [row for row in rows if row[0] not in self._above_horizon]
        self._append([row[0] for row in new], [bytes(row[1]) for row in new])
        self._above_horizon = {row[0] for row in rows if int(row[2]) >= horizon}
        self._horizon = horizon

    def _append(self, ids: list[RowId], fingerprints: list[bytes]) -> None:
        if not ids:
            return
        size = len(self._ids) + len(ids)
        if size > len(self._words):
            larger = np.empty((max(size, 2 * len(self._words)), WORDS), np.uint64)
            larger[: len(self._ids)] = self._words[: len(self._ids)]
            self._words = larger
        self._words[len(self._ids) : size] = to_words(fingerprints)
        self._ids.extend(ids)
