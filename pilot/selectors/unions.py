"""Queries over many machines at once as SQL that is made once and run often.

A page asks all machines what waits for its reader and what belongs to a case; to put these queries together takes the
ORM longer than the database takes to answer. Whoever keeps such a statement keeps it by what it hangs on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

type Statement = tuple[str, tuple[Any, ...]]  # SQL and the values for its places


def union_of(queries: Sequence[QuerySet[Any, Any]]) -> Statement:
    """All of these as one statement; no SQL where none of them can find anything."""
    if not queries:
        return "", ()
    first, *others = queries
    try:
        statement, values = first.union(*others, all=True).query.sql_with_params()
    except EmptyResultSet:
        return "", ()
    return str(statement), tuple(values)


def rows_of(statement: Statement, exchanged: Mapping[Any, Any] | None = None) -> list[tuple[Any, ...]]:
    """What a statement finds. ``exchanged``: a value it was made with → the one it is run with."""
    sql, values = statement
    if not sql:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, [(exchanged or {}).get(value, value) for value in values])
        return cursor.fetchall()
