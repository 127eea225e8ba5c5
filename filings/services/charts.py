"""The drawings of figures: the same for a page, a bulletin and the final report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.accuracy.thresholds import PPM, Threshold
from pilot.charts import Bar, Mark, Series, Stage, bar_chart, funnel, line_chart
from pilot.interval_chart import Span, interval_chart
from pilot.svg import WIDE

PERCENT: Final = PPM // 100
WHOLE: Final = 100  # percent: no accuracy is above it
MOST_LABELS: Final = 40  # of units in one drawing
TITLES: Final = {
    "intervals": gettext_lazy("各试点单位主体身份信息准确率（M1）和置信区间（%）"),
    "funnel": gettext_lazy("提交、接收、计数和有差错的份数"),
    "errors": gettext_lazy("各试点单位主体身份信息差错数（M1，份）"),
    "trend": gettext_lazy("主体身份信息准确率（M1）走势（%）"),
    "volume": gettext_lazy("核验单份数走势"),
}


def share(errors: int, n: int) -> float | None:
    """An accuracy in percent for drawing only, from whole parts per million; it decides nothing."""
    return ((n - errors) * PPM // n) / PERCENT if n else None


def ppm_of(target: Threshold) -> int:
    """What a threshold demands, in parts per million."""
    return (target.per - target.allowed) * PPM // target.per


def threshold_mark(demand: int) -> Mark:
    """The line that M1 has to reach, from parts per million."""
    value = demand / PERCENT
    return Mark(_("达标线 %(share)s%%") % {"share": f"{value:g}"}, value)


def figure_funnel(
    *, submitted: int | None, accepted: int, counted: int, errors: int, width: int = WIDE
) -> SafeString:
    """From what was handed in (None: not known for a part) to what is wrong: each stage is part of the one before."""
    stages = [
        *([] if submitted is None else [Stage(_("提交"), [submitted])]),
        Stage(_("接收"), [accepted]),
        Stage(_("计数"), [counted]),
        Stage(_("有差错"), [errors]),
    ]
    return funnel(str(TITLES["funnel"]), stages, [_("份")], width=width)


def accuracy_trend(
    figures: Mapping[str, tuple[int, int]], demand: int | None, *, width: int = WIDE
) -> SafeString:
    """M1 by month or day from (errors, n); ``demand``: what it has to reach, None for a part of the forms."""
    values = [share(errors, n) for errors, n in figures.values()]
    mark = None if demand is None else threshold_mark(demand)
    title, lines = str(TITLES["trend"]), [Series("M1", values)]
    return line_chart(title, list(figures), lines, mark=mark, most=WHOLE, width=width)


def volume_trend(numbers: Mapping[str, int], *, width: int = WIDE) -> SafeString:
    """Forms by day or month."""
    forms = Series(_("核验单"), list(numbers.values()))
    return line_chart(str(TITLES["volume"]), list(numbers), [forms], width=width)


def interval_bars(units: Iterable[dict[str, Any]], demand: int, *, width: int = WIDE) -> SafeString:
    """M1 of each unit with its interval, from a bulletin's frozen lines."""
    spans = [_span(unit) for unit in list(units)[:MOST_LABELS]]
    return interval_chart(
        str(TITLES["intervals"]), spans, mark=threshold_mark(demand), most=WHOLE, width=width
    )


def _span(unit: dict[str, Any]) -> Span:
    m1, bounds = unit["m1"], unit.get("bounds")
    value = share(m1["errors"], m1["n"])
    if value is None or bounds is None:
        return Span(unit["name"], None)
    low, high = bounds
    return Span(unit["name"], value, low / PERCENT, high / PERCENT, m1["shown"].rstrip("%"))


def error_bars(units: Sequence[dict[str, Any]], *, width: int = WIDE) -> SafeString:
    """M1 errors per unit as bars."""
    bars = [Bar(unit["name"], unit["m1"]["errors"]) for unit in units[:MOST_LABELS]]
    return bar_chart(str(TITLES["errors"]), bars, width=width)
