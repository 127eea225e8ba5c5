"""Folding: queued changes are added to the daily buckets, at the cost of the changes and not of the history."""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from filings.models import CountDelta, DailyTally, MonthTally
from filings.selectors import counting, statements
from filings.services.deltas import BY, COLUMNS, COUNT_LOCK
from filings.services.loading import LOAD_LOCK
from pilot.models import PilotUnit

BATCH: Final = 5_000  # queued changes that one transaction folds
_KEY: Final = ("unit_id", *BY)
_MONTH_KEY: Final = ", ".join(("unit_id", statements.MONTH, *BY[1:]))

# Which unit's rows are taken does not matter to what comes out: changes add up in any order. Buckets are written in
# the order of their keys, so that two folds wait for each other but never lock each other.
_FOLD: Final = f"""
WITH taken AS (
    DELETE FROM filings_countdelta WHERE id IN (
        SELECT id FROM filings_countdelta {{condition}} ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ) RETURNING *
), folded AS (
    INSERT INTO filings_dailytally ({", ".join((*_KEY, *COLUMNS))})
    SELECT {", ".join((*_KEY, *(f"sum({name})" for name in COLUMNS)))}
    FROM taken GROUP BY {", ".join(_KEY)} ORDER BY {", ".join(_KEY)}
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE
    SET {", ".join(f"{name} = filings_dailytally.{name} + excluded.{name}" for name in COLUMNS)}
    RETURNING 1
), months AS (
    INSERT INTO filings_monthtally ({", ".join((*_KEY, *COLUMNS))})
    SELECT {_MONTH_KEY}, {", ".join(f"sum({name})" for name in COLUMNS)}
    FROM taken GROUP BY {_MONTH_KEY} ORDER BY {_MONTH_KEY}
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE
    SET {", ".join(f"{name} = filings_monthtally.{name} + excluded.{name}" for name in COLUMNS)}
    RETURNING 1
), marked AS (
    INSERT INTO filings_foldmark (unit_id, number)
    SELECT unit_id, 1 FROM taken GROUP BY unit_id ORDER BY unit_id
    ON CONFLICT (unit_id) DO UPDATE SET number = filings_foldmark.number + 1
    RETURNING 1
)
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM folded), (SELECT count(*) FROM months),
    (SELECT count(*) FROM marked)
"""  # noqa: S608 (names of columns, ours)


_MONTHS: Final = f"""
INSERT INTO filings_monthtally ({", ".join((*_KEY, *COLUMNS))})
SELECT {_MONTH_KEY}, {", ".join(f"sum({name})" for name in COLUMNS)}
FROM filings_dailytally WHERE unit_id = %s GROUP BY {_MONTH_KEY}
"""  # noqa: S608 (names of columns, ours)


def fold(*, unit: PilotUnit | None = None) -> int:
    """Fold what is queued and not in another worker's hand; returns how many changes were folded.

    Any number of folds may run at once, and any of them may be killed: a change is folded once, or still queued.
    """
    condition, params = ("", []) if unit is None else ("WHERE unit_id = %s", [unit.pk])
    folded = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_FOLD.format(condition=condition), [*params, BATCH])
            taken = int(cursor.fetchone()[0])
        folded += taken
        if taken < BATCH:
            return folded


@transaction.atomic
def rebuild(*, unit: PilotUnit) -> None:
    """Count a unit's buckets afresh from its forms, whatever they held; its writers wait meanwhile.

    For a contradiction that was found, and for rows that came in past the services (a restored or imported table).
    """
    with connection.cursor() as cursor:
        for lock in (LOAD_LOCK, COUNT_LOCK):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [lock, unit.pk])
    CountDelta.objects.filter(unit=unit).delete()
    DailyTally.unscoped.filter(unit=unit).delete()
    DailyTally.unscoped.bulk_create(
        DailyTally(unit=unit, **bucket) for bucket in counting.buckets(units=[unit.pk])
    )
    MonthTally.unscoped.filter(unit=unit).delete()
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS, [unit.pk])
