"""A few cases made many by SQL: each row once more per number, every reference to a copied row led to its copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import connection, models

type Model = type[models.Model]

STRIDE: Final = 1_000_000  # between a row's id and those of its copies: more than any of the originals has
STEP: Final = "interval '37 seconds'"  # by so much a copy's times lie behind those of the copy before
# Names of columns that hold the id of a case of the machine named beside them.
CASE_IDS: Final = frozenset({"object_id", "against_id"})
_ROWS: Final = "copied_rows"  # schema in which the originals wait


def multiply(chosen: Mapping[Model, str], *, copies: int, other: Mapping[tuple[Model, str], str]) -> None:
    """Copy the rows of each model that meet its condition (SQL over ``t``) ``copies`` times.

    Triggers and foreign keys do not see it. References to rows that are not copied stay. ``other`` says in SQL, over
    the row ``t`` and the copy's number ``k``, what becomes of a column that may not simply be repeated.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {_ROWS}")
        for model, condition in chosen.items():
            table = model._meta.db_table
            cursor.execute(f"CREATE TABLE {_ROWS}.{table} AS SELECT * FROM {table} t WHERE {condition}")  # noqa: S608
        cursor.execute("SET session_replication_role = replica")
        for model in chosen:
            cursor.execute(_statement(model, chosen, other), {"copies": copies})
        cursor.execute("SET session_replication_role = origin")
        for statement in connection.ops.sequence_reset_sql(_plain(), list(chosen)):
            cursor.execute(statement)
        cursor.execute(f"DROP SCHEMA {_ROWS} CASCADE")
        cursor.execute("VACUUM ANALYZE")


def _plain() -> Any:
    from django.core.management.color import no_style

    return no_style()


def _statement(model: Model, chosen: Mapping[Model, str], other: Mapping[tuple[Model, str], str]) -> str:
    fields = [field for field in model._meta.local_fields if not field.generated]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(other.get((model, field.name)) or _value(field, chosen) for field in fields)
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({columns}) SELECT {values} "  # noqa: S608  (names of our own tables)
        f"FROM {_ROWS}.{table} t, generate_series(1, %(copies)s) k"
    )


def _value(field: Any, chosen: Mapping[Model, str]) -> str:
    """What a column holds in copy ``k``."""
    column = f't."{field.column}"'
    shifted = f"{column} + k * {STRIDE}"
    if field.is_relation:
        target = field.remote_field.model
        if target not in chosen:
            return column
        known = f"SELECT {target._meta.pk.column} FROM {_ROWS}.{target._meta.db_table}"  # noqa: S608
        return f"CASE WHEN {column} IN ({known}) THEN {shifted} ELSE {column} END"
    if field.primary_key or (field.name in CASE_IDS and isinstance(field, models.BigIntegerField)):
        return shifted
    if isinstance(field, models.UUIDField):
        return f"md5({column}::text || k)::uuid"
    if isinstance(field, models.DateTimeField):
        return f"{column} + k * {STEP}"
    return column
