"""Where matters stand, drawn: by month, by day, from what was handed in to what is wrong. Read from the buckets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext as _

from filings.periods import EVER
from filings.selectors import counting, rollups
from filings.selectors.counting import Tally
from filings.selectors.units import UnitView, months_together
from filings.services import charts
from filings.services.figures import demanded
from pilot import clock
from pilot.actors import Actor
from pilot.rules import local_day
from pilot.svg import for_screens
from pilot.ui import Section

DAYS: Final = 30


def demands(views: Sequence[UnitView]) -> tuple[str, str] | None:
    """What M1 and M2 have to reach today, in figures; None without units."""
    return (demanded(views[0].targets[0]), demanded(views[0].targets[1])) if views else None


def drawings(actor: Actor, views: Sequence[UnitView]) -> list[Section]:
    """Trends and funnel of all that an actor counts: a bureau's begins with what was accepted."""
    if not views:
        return []
    total = sum((view.tally for view in views), start=counting.NOTHING)
    whole = all(view.whole for view in views)
    handed_in = None
    if whole:
        door = counting.at_the_door(units=[view.unit.pk for view in views], period=EVER)
        handed_in = submitted(total, door.values())
    return charts_of(views, rollups.days_visible(actor), total, handed_in)


def submitted(total: Tally, door: Iterable[tuple[int, int]]) -> int:
    """What whole units handed in to date: accepted and late, and at the ``door`` refused and repeated."""
    return total.versions + total.counts.late + sum(refused + repeated for refused, repeated in door)


def charts_of(views: Sequence[UnitView], daily: Any, total: Tally, handed_in: int | None) -> list[Section]:
    """The drawings of these units, month by month and, by the daily buckets, day by day; nothing without figures.

    Of a part it is not said what it has to reach.
    """
    months = months_together(views)
    if not months:
        return []
    figures = {name: (tally.counts.m1_errors, tally.counts.m1_n) for name, tally in months.items()}
    whole = all(view.whole for view in views)
    demand = charts.ppm_of(views[0].targets[0]) if whole else None
    days = rollups.versions_by_day(daily, last=local_day(clock.now()), days=DAYS)
    by_day = {f"{day:%m-%d}": number for day, number in days.items()}
    stages = partial(
        charts.figure_funnel,
        submitted=handed_in,
        accepted=total.versions,
        counted=total.counts.m2_n,
        errors=total.counts.m2_errors,
    )
    return [
        Section(
            _("主体身份信息准确率（M1）按月走势"),
            svg=for_screens(partial(charts.accuracy_trend, figures, demand)),
        ),
        Section(_("近 30 天接收的核验单"), svg=for_screens(partial(charts.volume_trend, by_day))),
        Section(
            _("从提交到差错"),
            svg=for_screens(stages),
            note=_("接收含各版次；计数和有差错按计入 M2 的版次统计。"),
        ),
    ]


def may_open(actor: Actor, province: int) -> bool:
    """Whether a province has a page for this actor: each for the ministry, its own for a bureau."""
    return actor.is_ministry or (actor.is_bureau and actor.province == province)
