"""The short way to PostgreSQL, for what a report waits for.

A person waits while a report freezes what it shows, and that can be thousands of
copies. Django's ``bulk_create`` prepares every value of every row by itself; with
:func:`insert` the rows travel as one JSON text, which PostgreSQL takes apart by the
types of its own columns. Django also puts every query together anew, which takes three
times as long as asking it; :func:`read` asks what is written, and :func:`write`
changes it. Nothing is decided here. Source of the function: the PostgreSQL manual,
"JSON Functions and Operators", ``jsonb_populate_recordset``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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
    with connection.cursor() as cursor:
        statement, packed = _insertion(new)
        cursor.execute(f"{statement} RETURNING {new[0]._meta.pk.column}", [packed])
        for row, (number,) in zip(new, cursor, strict=True):
            row.pk = number
            row._state.adding = False
    return new


def insert_missing(rows: Iterable[Model]) -> None:
    """Store those of some rows of one model that do not stand yet."""
    new = list(rows)
    if not new:
        return
    with connection.cursor() as cursor:
        statement, packed = _insertion(new)
        cursor.execute(f"{statement} ON CONFLICT DO NOTHING", [packed])


def _insertion(new: Sequence[Model]) -> tuple[str, str]:
    """The statement, and its one parameter."""
    meta = new[0]._meta
    fields = [each for each in meta.concrete_fields if _is_given(new[0], each.attname)]
    packed = json.dumps(
        [{each.column: getattr(row, each.attname) for each in fields} for row in new],
        default=_plain,
    )
    table, columns = meta.db_table, ", ".join(f'"{each.column}"' for each in fields)
    statement = (
        f"INSERT INTO {table} ({columns}) SELECT {columns}"
        f" FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
    )
    return statement, packed


def read(statement: LiteralString, *given: Any) -> list[tuple[Any, ...]]:
    """The rows that a statement finds; ``given`` are its parameters, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def write(statement: LiteralString, *given: Any) -> None:
    """Change rows by what is written; nothing comes back."""
    with connection.cursor() as cursor:
        cursor.execute(statement, given)


def planned_once() -> None:
    """Until the transaction ends, each statement goes by its connection's one plan.

    PostgreSQL otherwise plans it anew for the first five times, value by value. What a
    report asks for goes by indexes, whatever the values are.
    """
    write("SET LOCAL plan_cache_mode = force_generic_plan")


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
