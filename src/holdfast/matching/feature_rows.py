"""The features of many pictures in memory, kept as fresh as their table.

PostgreSQL is the truth; each process that looks closer has a copy, made at its first
look: about half a millisecond and 7 kB a picture. Rows are read by the transaction that
wrote them and not by their number, because a row with a smaller number can commit
later: those at or above the oldest running transaction are asked for again until it has
ended. What is deleted stays until the process ends; whoever searches looks each
candidate up in the table.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from holdfast.base.fields import HORIZON_SQL
from holdfast.fingerprints.features import opened
from holdfast.fingerprints.models import PictureFeatures
from holdfast.signals.votes import FeatureIndex

BATCH_ROWS = 500
"""So many are opened at a time: 10 MB."""

REGISTERED = (
    "SELECT f.id, f.xid::text FROM hf_features f"
    " WHERE f.platform_id = %(platform)s::uuid AND f.xid >= %(since)s::xid8"
)
"""Every picture of a platform."""
_ENTRIES = (
    " FROM hf_bank_entry e JOIN hf_features f ON f.media_id = e.media_id"
    " WHERE f.platform_id = %(platform)s::uuid AND e.kind = 'sha256'"
)
BANKED = (
    f"SELECT f.id, GREATEST(e.xid, f.xid)::text{_ENTRIES} AND e.xid >= %(since)s::xid8"
    f" UNION SELECT f.id, GREATEST(e.xid, f.xid)::text{_ENTRIES}"
    " AND f.xid >= %(since)s::xid8"
)
"""Those that were ever reported or decided, by the later of the two rows: mostly it is
the entry, but a picture may be described long after it was banked. Two questions, so
that an index answers each."""


class FreshFeatures:
    """An index for each platform of what ``rows`` selects. Threads may share it."""

    def __init__(self, rows: str) -> None:
        self._rows = rows
        self._lock = threading.Lock()
        self._platforms: dict[UUID, _Platform] = {}

    def of(self, platform: UUID) -> FeatureIndex:
        """All that was committed before, under the ids of ``hf_features``.

        A moment of it: nothing is added to what is returned.
        """
        with self._lock:
            known = self._platforms.setdefault(platform, _Platform())
        return known.fresh(self._rows, platform)


class _Platform:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = FeatureIndex()
        self._horizon = 0
        self._above: set[int] = set()
        """Rows taken in that the next reading is going to bring again."""

    def fresh(self, rows: str, platform: UUID) -> FeatureIndex:
        with self._lock:
            with connection.cursor() as cursor:
                # First the horizon: what commits between the two is read now and,
                # being above it, named once more the next time.
                cursor.execute(HORIZON_SQL)
                horizon = int(cursor.fetchone()[0])
                cursor.execute(
                    rows, {"platform": str(platform), "since": str(self._horizon)}
                )
                found: dict[int, int] = {}
                for row_id, xid in cursor:
                    # A picture can have several entries: the last of them counts.
                    found[row_id] = max(int(xid), found.get(row_id, 0))
            self._take_in([each for each in found if each not in self._above])
            self._above = {each for each, xid in found.items() if xid >= horizon}
            self._horizon = horizon
            moment = FeatureIndex()
            moment.blocks = self._index.blocks
            return moment

    def _take_in(self, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), BATCH_ROWS):
            batch = ids[start : start + BATCH_ROWS]
            rows = PictureFeatures.objects.filter(id__in=batch).values_list(
                "id", "fingerprint", "sealed"
            )
            self._index.add(
                [(row_id, opened(print_, bytes(data))) for row_id, print_, data in rows]
            )
            # Should the rest fail, these are not taken in twice.
            self._above.update(batch)
