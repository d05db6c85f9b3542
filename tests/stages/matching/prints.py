"""A small table of fingerprints in the test's PostgreSQL, and an index over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from django.db import connection

from holdfast.matching.index import PdqIndex

TABLE = "test_prints"
RADIUS = 31
TAIL_ROWS = 100
"""A segment is built from so many rows on."""


def create_table() -> None:
    """An empty table, as the search wants it."""
    sql(
        f"DROP TABLE IF EXISTS {TABLE};"
        f"CREATE TABLE {TABLE} (id bigserial PRIMARY KEY, pdq bytea,"
        " xid xid8 DEFAULT pg_current_xact_id());"
        f"CREATE INDEX ON {TABLE} (xid)"
    )


def made_index(folder: Path) -> PdqIndex:
    """An index without upkeep of its own: a test says when."""
    index = PdqIndex(TABLE, folder=folder, tail_rows=TAIL_ROWS)
    index._next_upkeep = float("inf")
    return index


def random_prints(count: int, seed: int) -> list[bytes]:
    """So unlike each other that none is near another."""
    data = np.random.default_rng(seed).bytes(32 * count)
    return [data[start : start + 32] for start in range(0, len(data), 32)]


def add(*fingerprints: bytes | None) -> list[int]:
    """New rows; their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLE} (pdq) SELECT unnest(%s::bytea[]) RETURNING id",
            [list(fingerprints)],
        )
        return [row[0] for row in cursor]


def near(index: PdqIndex, fingerprint: bytes) -> list[int]:
    """Ids of the rows near one fingerprint."""
    return [hit.row_id for hit in index.near([fingerprint], RADIUS)]


def finds_each(index: PdqIndex, ids: Sequence[int], prints: Sequence[bytes]) -> bool:
    """Whether every fingerprint finds its own row and nothing else."""
    found = index.near(prints, RADIUS)
    return [(hit.query, hit.row_id, hit.distance_bits) for hit in found] == [
        (query, row_id, 0) for query, row_id in enumerate(ids)
    ]


def sql(statement: str) -> None:
    """Do it."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
