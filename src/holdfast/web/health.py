"""Whether this process can reach its database: the one question of a health check."""

from __future__ import annotations

from django.db import DatabaseError, connection

from holdfast.base.errors import Unavailable


def check() -> None:
    """Raises ``Unavailable`` when the database does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise Unavailable("The database does not answer.") from error
