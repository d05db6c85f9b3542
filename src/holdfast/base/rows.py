"""The short way to PostgreSQL, for what a report waits for.

A person waits while a report freezes what it shows, and that can be thousands of
copies. Django's ``bulk_create`` prepares every value of every row by itself; with
:func:`insert` the rows travel as one JSON text, which PostgreSQL takes apart by the
types of its own columns. Django also puts every query together anew, which takes three
times as long as asking it; :func:`read` asks what is written. Nothing is decided here,
and no row is changed. Source of the function: the PostgreSQL manual, "JSON Functions
and Operators", ``jsonb_populate_recordset``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault

M = TypeVar("M", bound=Model)


def insert(rows: Iterable[M]) -> list[M]:
    """Store new rows of one model, in their order, and return them.

    What the database gives a row, its number or a default, the columns without a value
    in the first row, are given by it to every row; only the number is then known here.
    """
    new = list(rows)
    if not new:
        return new
    meta = new[0]._meta
    fields = [each for each in meta.concrete_fields if _is_given(new[0], each.attname)]
    packed = json.dumps(
        [{each.column: getattr(row, each.attname) for each in fields} for row in new],
        default=_plain,
    )
    table, columns = meta.db_table, ", ".join(f'"{each.column}"' for each in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns}"
            f" FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
            f" RETURNING {meta.pk.column}",
            [packed],
        )
        for row, (number,) in zip(new, cursor, strict=True):
            row.pk = number
            row._state.adding = False
    return new


def read(statement: LiteralString, *given: Any) -> list[tuple[Any, ...]]:
    """The rows that a statement finds; ``given`` are its parameters, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _is_given(row: Model, attribute: str) -> bool:
    value = getattr(row, attribute)
    is_number = attribute == row._meta.pk.attname and value is None
    return not (is_number or isinstance(value, DatabaseDefault))


def _plain(value: Any) -> str:
    """A value as PostgreSQL reads it."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{type(value).__name__} is no value of a column.")
