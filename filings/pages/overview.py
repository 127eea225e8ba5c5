"""Where matters stand, drawn: by month, by day, from what was handed in to what is wrong. Read from the buckets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from filings.accuracy.thresholds import Threshold
from filings.periods import EVER
from filings.selectors import counting, rollups
from filings.selectors.counting import Tally
from filings.selectors.units import UnitView
from filings.services import charts
from pilot import clock
from pilot.actors import Actor
from pilot.rules import local_day
from pilot.ui import Section

DAYS: Final = 30


def drawings(actor: Actor, views: Sequence[UnitView]) -> list[Section]:
    """Trends and funnel of all that an actor counts: a bureau's begins with what was accepted."""
    if not views:
        return []
    total = sum((view.tally for view in views), start=counting.NOTHING)
    whole = all(view.whole for view in views)
    handed_in = submitted([view.unit.pk for view in views], total) if whole else None
    return charts_of(
        rollups.visible(actor), rollups.days_visible(actor), views[0].targets[0], total, handed_in
    )


def submitted(units: Iterable[int], total: Tally) -> int:
    """What whole units handed in to date: accepted, refused, repeated and late."""
    door = counting.at_the_door(units=list(units), period=EVER).values()
    return total.versions + total.counts.late + sum(refused + repeated for refused, repeated in door)


def charts_of(rows: Any, daily: Any, demand: Threshold, total: Tally, handed_in: int | None) -> list[Section]:
    """The drawings of these buckets, month by month and day by day; nothing where there are none."""
    months = rollups.months_of(rows)
    if not months:
        return []
    figures = {name: (tally.counts.m1_errors, tally.counts.m1_n) for name, tally in months.items()}
    days = rollups.versions_by_day(daily, last=local_day(clock.now()), days=DAYS)
    by_day = {f"{day:%m-%d}": number for day, number in days.items()}
    stages = charts.figure_funnel(
        submitted=handed_in,
        accepted=total.versions,
        counted=total.counts.m2_n,
        errors=total.counts.m2_errors,
    )
    return [
        Section(_("M1 按月走势"), svg=str(charts.accuracy_trend(figures, charts.ppm_of(demand)))),
        Section(_("近 30 天接收的核验单"), svg=str(charts.volume_trend(by_day))),
        Section(
            _("从提交到差错"),
            svg=str(stages),
            note=_("接收含各版次；已判定和有差错按计入版次统计，有差错为 M2 差错。"),
        ),
    ]


def may_open(actor: Actor, province: int) -> bool:
    """Whether a province has a page for this actor: each for the ministry, its own for a bureau."""
    return actor.is_ministry or (actor.is_bureau and actor.province == province)
