"""Figures summed from the daily buckets and what waits for them: their cost is the number of days, not of forms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncMonth

from filings.accuracy.counting import Counts
from filings.models import LiveMonth, LiveTally
from filings.periods import EVER, Period
from filings.selectors.counting import CHAIN_NAMES, Tally
from pilot.actors import Actor

_SUMS: Final = {f"{name}_sum": Sum(name) for name in (*CHAIN_NAMES, "versions")}


type Rows = QuerySet[LiveTally] | QuerySet[LiveMonth]


def visible(actor: Actor, period: Period = EVER) -> Rows:
    """The buckets of a period that this actor may read: a bureau sees its part of units of other provinces.

    Of whole months, and to date, a row is a month.
    """
    return within(_model(period).objects.visible_to(actor), period)


def days_visible(actor: Actor) -> QuerySet[LiveTally]:
    """The buckets day by day that this actor may read."""
    rows: QuerySet[LiveTally] = LiveTally.objects.visible_to(actor)
    return rows


def of_unit(unit_id: int, period: Period = EVER) -> Rows:
    """The buckets of one unit and period, whole; a row is a month where the period is made of months."""
    return within(_model(period).unscoped.filter(unit=unit_id), period)


def _model(period: Period) -> type[LiveTally] | type[LiveMonth]:
    return LiveMonth if period.first is None or period.is_month else LiveTally


def within(rows: Any, period: Period) -> Any:
    """Only the days of a period."""
    if period.first is not None:
        rows = rows.filter(day__gte=period.first)
    return rows if period.end is None else rows.filter(day__lt=period.end)


def summed(rows: Rows, *by: str) -> dict[Any, Tally]:
    """Sums per group in one query; without ``by`` the one key is ``()``, with one the plain value."""
    if not by:
        return {(): _tally(rows.aggregate(**_SUMS))}
    groups = rows.order_by().values(*by).annotate(**_SUMS)
    return {_key(row, by): _tally(row) for row in groups}


def forms_by_province(rows: Rows) -> dict[int, int]:
    """How many forms are stored per province of the subject."""
    return dict(rows.order_by().values_list("subject_province").annotate(number=Sum("forms")))


class ProvinceSums(NamedTuple):
    """What a tile of a province tells of the subjects that live there."""

    forms: int
    m1_n: int
    m1_errors: int


def by_province(rows: Rows) -> dict[int, ProvinceSums]:
    """Sums per province of the subject, in one query."""
    groups = rows.order_by().values_list("subject_province")
    summed = groups.annotate(*(Sum(name) for name in ProvinceSums._fields))
    return {province: ProvinceSums(*map(int, sums)) for province, *sums in summed}


def by_month(rows: Rows) -> dict[tuple[int, str], Tally]:
    """Sums per unit and month (``2019-06``)."""
    groups = rows.order_by().annotate(month=TruncMonth("day")).values("unit_id", "month").annotate(**_SUMS)
    return {(row["unit_id"], f"{row['month']:%Y-%m}"): _tally(dict(row)) for row in groups}


def days_with_pending(unit_id: int) -> list[date]:
    """The days of a unit on which forms wait to be compared."""
    counted = LiveTally.unscoped.filter(unit=unit_id).order_by().values_list("day")
    return [day for day, number in counted.annotate(number=Sum("pending")) if number]


def versions_by_day(rows: QuerySet[LiveTally], *, last: date, days: int) -> dict[date, int]:
    """Versions accepted per day of the last ``days`` days up to ``last``; a day without any is 0."""
    first = last - timedelta(days=days - 1)
    counted = dict(
        rows.filter(day__gte=first, day__lte=last)
        .order_by()
        .values_list("day")
        .annotate(number=Sum("versions"))
    )
    return {day: int(counted.get(day, 0)) for day in (first + timedelta(days=n) for n in range(days))}


def _key(row: dict[str, Any], by: Sequence[str]) -> Any:
    return row[by[0]] if len(by) == 1 else tuple(row[name] for name in by)


def _tally(row: dict[str, Any]) -> Tally:
    counts = {name: int(row[f"{name}_sum"] or 0) for name in CHAIN_NAMES}
    return Tally(Counts(**counts), int(row["versions_sum"] or 0))
