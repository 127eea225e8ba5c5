"""Figures of units as an actor may see them: whole, or a bureau's part of units of other provinces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from filings.accuracy.thresholds import Threshold
from filings.periods import EVER, Period
from filings.selectors import counting, rollups
from filings.selectors.counting import Tally
from filings.selectors.targets import targets
from pilot import clock
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.selectors import register


@dataclass(frozen=True, slots=True)
class UnitView:
    """A unit, what this actor may count of it, and whether that is the whole."""

    unit: Any  # PilotUnit with its status as of now
    tally: Tally
    months: Mapping[str, Tally]  # 2019-06 → its part
    whole: bool
    targets: tuple[Threshold, Threshold]  # of M1 and M2


def sees_whole(actor: Actor, unit: PilotUnit) -> bool:
    """Whether an actor sees all figures of a unit, or the part of its own province only."""
    return not actor.is_bureau or actor.province == unit.province


def unit_views(actor: Actor, *, period: Period = EVER, codes: Iterable[str] = ()) -> list[UnitView]:
    """Every unit this actor may know of with its figures, in a few queries whatever the number of units and forms."""
    units = register.units(actor, at=clock.now())
    if codes:
        units = units.filter(code__in=codes)
    rows = rollups.visible(actor, period)
    tallies = rollups.summed(rows, "unit_id")
    months: dict[int, dict[str, Tally]] = {}
    for (unit_id, month), tally in rollups.by_month(rows).items():
        months.setdefault(unit_id, {})[month] = tally
    asked = {programme: targets(programme) for programme in {unit.programme for unit in units}}
    return [
        UnitView(
            unit=unit,
            tally=tallies.get(unit.pk, counting.NOTHING),
            months=dict(sorted(months.get(unit.pk, {}).items())),
            whole=sees_whole(actor, unit),
            targets=asked[unit.programme],
        )
        for unit in units
    ]
