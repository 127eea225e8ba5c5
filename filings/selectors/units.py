"""Figures of units as an actor may see them: whole, or a bureau's part of units of other provinces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from filings.periods import EVER, Period
from filings.selectors import counting, rollups
from filings.selectors.counting import Tally
from filings.selectors.targets import Targets, judged_on, targets_on
from pilot import clock
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.rules import local_day
from pilot.selectors import register


@dataclass(frozen=True, slots=True)
class UnitView:
    """A unit, what this actor may count of it, and whether that is the whole."""

    unit: Any  # PilotUnit with its status as of now
    tally: Tally
    months: Mapping[str, Tally]  # 2019-06 → its part
    whole: bool
    targets: Targets
    demands: Mapping[str, Targets]  # what each month is judged by


def sees_whole(actor: Actor, unit: PilotUnit) -> bool:
    """Whether an actor sees all figures of a unit, or the part of its own province only."""
    return not actor.is_bureau or actor.province == unit.province


def unit_views(
    actor: Actor,
    *,
    period: Period = EVER,
    of: Iterable[PilotUnit] | None = None,
    province: int | None = None,
) -> list[UnitView]:
    """Every unit this actor may know of with its figures, in a few queries whatever the number of units and forms.

    With ``of`` these alone, as :func:`register.units` gives them; with ``province`` only what concerns subjects of it
    is counted.
    """
    now = clock.now()
    today = local_day(now)
    rows = rollups.visible(actor, period)
    units = list(register.units(actor, at=now) if of is None else of)
    if of is not None:
        rows = rows.filter(unit__in=[unit.pk for unit in units])
    if province is not None:
        rows = rows.filter(subject_province=province)
    months: dict[int, dict[str, Tally]] = {}
    for (unit_id, month), tally in rollups.by_month(rows).items():
        months.setdefault(unit_id, {})[month] = tally
    spans = {name: judged_on(Period.parse(name), today) for name in {*chain(*months.values())}}
    judged = judged_on(period, today)
    days = {judged, *spans.values()}
    asked = {programme: targets_on(programme, days) for programme in {unit.programme for unit in units}}
    return [
        UnitView(
            unit=unit,
            tally=sum(months.get(unit.pk, {}).values(), start=counting.NOTHING),
            months=dict(sorted(months.get(unit.pk, {}).items())),
            whole=province is None and sees_whole(actor, unit),
            targets=asked[unit.programme][judged],
            demands={name: asked[unit.programme][spans[name]] for name in months.get(unit.pk, {})},
        )
        for unit in units
    ]


def months_together(views: Iterable[UnitView]) -> dict[str, Tally]:
    """Sums per month of all these units, in order."""
    together: dict[str, Tally] = {}
    for view in views:
        for month, tally in view.months.items():
            together[month] = together.get(month, counting.NOTHING) + tally
    return dict(sorted(together.items()))


def counted_for(
    actor: Actor, unit: PilotUnit, period: Period, count: str, province: int | None = None
) -> int:
    """One count of a unit's chains as this actor may count them: the number that stands on the pages."""
    rows = rollups.visible(actor, period).filter(unit=unit)
    tally = rollups.summed(rows if province is None else rows.filter(subject_province=province))[()]
    return int(getattr(tally.counts, count))
