"""What Django's database layer leaves open: rows written by COPY, and how it looks that the database is away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connection

AWAY: Final = (OperationalError, InterfaceError)
"""What a query raises when the connection broke, or had broken before it: to be tried again, nobody's fault."""


def copy_rows(table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows to a table by binary COPY, the fastest way into PostgreSQL; ``columns`` are names with their types.

    Raises Django's database errors: a cursor of Django translates those of ``execute``, but none of ``copy``.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
