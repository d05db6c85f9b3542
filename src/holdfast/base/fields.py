"""Column types that PostgreSQL has and Django does not."""

from __future__ import annotations

from typing import Any

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper


class CurrentTransaction(models.Func):
    """``pg_current_xact_id()``: the transaction that writes the row."""

    function = "pg_current_xact_id"
    arity = 0

    def __init__(self) -> None:
        super().__init__(output_field=XidField())


class XidField(models.BigIntegerField):  # type: ignore[type-arg]  # Takes none when it runs.
    """The 64-bit number of the transaction that wrote a row (``xid8``).

    Sequence numbers are not commit order. Whatever is read by cursor stores this and
    is read only below ``pg_snapshot_xmin(pg_current_snapshot())``, so that a row which
    commits late is not skipped.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "xid8"

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return str(value)

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        # As text: Django would send a bigint, which PostgreSQL does not compare with
        # an xid8.
        return value if prepared else self.get_prep_value(value)


def current_transaction() -> int:
    """The number of the transaction that is open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        return int(cursor.fetchone()[0])


HORIZON_SQL = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
"""The oldest transaction still running; all rows below it are committed or gone."""
