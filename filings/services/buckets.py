"""Folding: the buckets of the days that changed are counted afresh from the forms; nothing else is touched."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction

from filings.models import DailyTally, DirtyDay
from filings.selectors import counting
from filings.selectors.counting import CHAIN_NAMES, Tally
from pilot.models import PilotUnit

FOLD_LOCK: Final = 874  # advisory lock class: one fold per unit at a time
BY: Final = ("day", "subject_province", "subject_kind")


def fold(*, unit: PilotUnit | None = None) -> int:
    """Bring the buckets up to date; returns how many days were counted afresh.

    After it returns, the buckets hold everything that was committed before it was called. Two folds of one unit wait
    for each other; folds of different units do not.
    """
    queue = DirtyDay.objects.all() if unit is None else DirtyDay.objects.filter(unit=unit)
    return sum(
        _fold_unit(unit_id)
        for unit_id in queue.order_by("unit_id").values_list("unit_id", flat=True).distinct()
    )


@transaction.atomic
def _fold_unit(unit_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [FOLD_LOCK, unit_id])
    # The queue is read before the forms: what commits in between is counted now and, being queued, once more later.
    taken = dict(DirtyDay.objects.filter(unit=unit_id).values_list("pk", "day"))
    days = sorted(set(taken.values()))
    found = counting.tallies(units=[unit_id], by=BY, days=days)
    stored = counting.stored(unit=unit_id, by=BY, days=days)
    DailyTally.unscoped.filter(unit=unit_id, day__in=days).delete()
    DailyTally.unscoped.bulk_create(
        _bucket(unit_id, key, found.get(key, counting.NOTHING), stored.get(key, 0)) for key in found | stored
    )
    DirtyDay.objects.filter(pk__in=taken).delete()
    return len(days)


def _bucket(unit_id: int, key: tuple[Any, ...], tally: Tally, forms: int) -> DailyTally:
    counts = {name: getattr(tally.counts, name) for name in CHAIN_NAMES}
    return DailyTally(
        unit_id=unit_id, **dict(zip(BY, key, strict=True)), forms=forms, versions=tally.versions, **counts
    )
