"""Charts as SVG text, the same for a page and for a PDF.

Pure functions of their arguments (see `svg` for the rules of drawing). Every chart carries its figures
as text (`<title>`, `<desc>`), and no meaning by colour alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from .axes import Axes, grid_lines, labels_below, mark_line, round_ticks, trend_line
from .enums import Province
from .svg import NOTHING, PALETTE, WIDE, Heads, Palette, drawing, element, legend, text_width, widest
from .ui import ProvinceTile, Tone


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled value, not negative; `shown` is its text, by default the number itself."""

    label: str
    value: float
    shown: str = ""

    @property
    def text(self) -> str:
        """What stands beside the bar."""
        return self.shown or f"{self.value:g}"


@dataclass(frozen=True, slots=True)
class Series:
    """A line: one value per label of the chart, None where there is no figure."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """A horizontal line across a trend, such as a threshold."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a funnel: one whole number, not negative, per part or per side."""

    label: str
    parts: Sequence[int]


def bar_chart(
    title: str, bars: Sequence[Bar], *, desc: str = "", width: int = WIDE, palette: Palette = PALETTE
) -> SafeString:
    """Horizontal bars from zero, one below the other, each with label and value.

    Raises ValueError for a negative or infinite value.
    """
    _check(bar.value for bar in bars)
    heads = Heads.of((bar.label for bar in bars), width)
    row, thick, left = 30 + heads.above, 18, heads.left
    room = width - left - widest(bar.text for bar in bars) - 16
    longest = max((bar.value for bar in bars), default=0) or 1
    groups = []
    for i, bar in enumerate(bars):
        size, top = room * bar.value / longest, row * i + heads.above
        groups.append(
            element(
                "g",
                element("title", f"{bar.label}: {bar.text}"),
                heads.head(bar.label, top + 20),
                element("rect", x=left, y=top + 6, width=size, height=thick, fill=palette.colour(0)),
                element("text", bar.text, x=left + size + 6, y=top + 20),
                class_="chart-bar",
            )
        )
    summary = desc or "; ".join(f"{bar.label}: {bar.text}" for bar in bars)
    return _chart(title, summary, width, max(row * len(bars), 20) + 4, groups, palette)


def line_chart(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    mark: Mark | None = None,
    most: float = inf,
    shown: Callable[[float], str] = "{:g}".format,
    desc: str = "",
    width: int = WIDE,
    height: int = 260,
    palette: Palette = PALETTE,
) -> SafeString:
    """Trends over common labels; the axis spans the values and the mark. Lines differ by dashes too.

    `shown` writes a value as text; the axis does not go on above `most`, which no value can be. Raises ValueError for
    a series of another length than the labels.
    """
    if any(len(line.values) != len(labels) for line in series):
        raise ValueError("every series needs one value per label")
    values = [value for line in series for value in line.values if value is not None]
    if not values:
        return _chart(title, desc, width, 24, (), palette)
    ticks = round_ticks([*values, mark.value] if mark else values, most=most)
    left = widest(map(shown, ticks)) + 10
    names, down = legend([line.label for line in series], left, width, palette, dashes=True)
    height += down
    axes = Axes(left, width - 16.0, 34.0 + down, height - 26.0, ticks[0], ticks[-1], len(labels))
    parts = [
        *grid_lines(axes, ticks, shown, palette),
        *labels_below(axes, labels, height - 8),
        *names,
        *(trend_line(line.values, i, axes, palette) for i, line in enumerate(series)),
    ]
    if mark:
        parts += mark_line(mark.label, mark.value, axes, palette)
    summary = desc or "; ".join(
        f"{line.label}: "
        + ", ".join(f"{label} {_shown(v, shown)}" for label, v in zip(labels, line.values, strict=True))
        for line in series
    )
    return _chart(title, summary, width, height, parts, palette)


def funnel(
    title: str,
    stages: Sequence[Stage],
    part_labels: Sequence[str],
    *,
    desc: str = "",
    width: int = WIDE,
    palette: Palette = PALETTE,
) -> SafeString:
    """Stages one below the other, centred, each stacked from the same parts, with its total at the end.

    Raises ValueError for a negative number or a stage with another number of parts than labels.
    """
    if any(len(stage.parts) != len(part_labels) for stage in stages):
        raise ValueError("every stage needs one number per part")
    _check(part for stage in stages for part in stage.parts)
    heads = Heads.of((stage.label for stage in stages), width)
    row, left = 40 + heads.above, heads.left
    names, down = legend(part_labels, left, width, palette, dashes=False)
    first = 34 + down
    totals = [sum(stage.parts) for stage in stages]
    room = width - left - widest(map(str, totals)) - 16
    scale = room / (max(totals, default=0) or 1)
    parts = names if stages else []
    for i, (stage, total) in enumerate(zip(stages, totals, strict=True)):
        top = first + row * i + heads.above
        parts.append(heads.head(stage.label, top + 19))
        parts.append(element("text", str(total), x=width - 4, y=top + 19, text_anchor="end"))
        start = left + (room - total * scale) / 2
        for j, (label, part) in enumerate(zip(part_labels, stage.parts, strict=True)):
            parts.append(_segment(f"{stage.label} {label}", part, start, top, part * scale, palette, j))
            start += part * scale
    summary = desc or "; ".join(
        f"{stage.label} {total}: "
        + ", ".join(f"{label} {part}" for label, part in zip(part_labels, stage.parts, strict=True))
        for stage, total in zip(stages, totals, strict=True)
    )
    return _chart(title, summary, width, first + row * len(stages), parts, palette)


def side_by_side(
    title: str,
    stages: Sequence[Stage],
    sides: Sequence[str],
    *,
    desc: str = "",
    width: int = WIDE,
    palette: Palette = PALETTE,
) -> SafeString:
    """Stages one below the other, in each a bar per side with its number, in the order of the sides; nothing is added.

    Raises ValueError for a negative number or a stage with another number of parts than sides.
    """
    if any(len(stage.parts) != len(sides) for stage in stages):
        raise ValueError("every stage needs one number per side")
    numbers = [number for stage in stages for number in stage.parts]
    _check(numbers)
    heads = Heads.of((stage.label for stage in stages), width)
    row, left = 16 * len(sides) + 12 + heads.above, heads.left
    names, down = legend(sides, left, width, palette, dashes=False)
    first = 30 + down
    scale = (width - left - widest(map(str, numbers)) - 16) / (max(numbers, default=0) or 1)
    parts = names if stages else []
    for i, stage in enumerate(stages):
        top = first + row * i + heads.above
        parts.append(heads.head(stage.label, top + 20))
        for j, (side, number) in enumerate(zip(sides, stage.parts, strict=True)):
            y, size = top + 16 * j, number * scale
            parts.append(
                element(
                    "g",
                    element("title", f"{stage.label} {side}: {number}"),
                    element("rect", x=left, y=y, width=size, height=14, fill=palette.colour(j)),
                    element("text", str(number), x=left + size + 6, y=y + 12),
                    class_="chart-bar",
                )
            )
    summary = desc or "; ".join(
        f"{stage.label}: "
        + ", ".join(f"{side} {number}" for side, number in zip(sides, stage.parts, strict=True))
        for stage in stages
    )
    return _chart(title, summary, width, first + row * len(stages), parts, palette)


def sparkline(
    title: str,
    values: Sequence[float | None],
    *,
    desc: str = "",
    width: int = 120,
    height: int = 28,
    palette: Palette = PALETTE,
) -> SafeString:
    """A trend as small as a word, its last value as a dot; None leaves a gap."""
    known = [value for value in values if value is not None]
    summary = desc or ", ".join(_shown(value, "{:g}".format) for value in values)
    if not known:
        return _chart(title, summary, width, height, (), palette)
    low, high = min(known), max(known)
    axes = Axes(2.0, width - 2.0, 4.0, height - 4.0, low, high if high > low else low + 1, len(values))
    return _chart(
        title, summary, width, height, [trend_line(values, 0, axes, palette, every_dot=False)], palette
    )


@dataclass(frozen=True, slots=True)
class TileSpot:
    """Where a province stands in the grid (row and column from 1), and its short name."""

    row: int
    column: int
    short: str | Promise


TILE_LAYOUT: Final[Mapping[int, TileSpot]] = MappingProxyType(
    {
        Province.BEIJING: TileSpot(3, 6, _("北京")),
        Province.TIANJIN: TileSpot(3, 7, _("天津")),
        Province.HEBEI: TileSpot(3, 5, _("河北")),
        Province.SHANXI: TileSpot(3, 4, _("山西")),
        Province.NEIMENGGU: TileSpot(2, 6, _("内蒙古")),
        Province.LIAONING: TileSpot(3, 8, _("辽宁")),
        Province.JILIN: TileSpot(2, 8, _("吉林")),
        Province.HEILONGJIANG: TileSpot(1, 8, _("黑龙江")),
        Province.SHANGHAI: TileSpot(5, 8, _("上海")),
        Province.JIANGSU: TileSpot(5, 7, _("江苏")),
        Province.ZHEJIANG: TileSpot(6, 7, _("浙江")),
        Province.ANHUI: TileSpot(5, 6, _("安徽")),
        Province.FUJIAN: TileSpot(7, 6, _("福建")),
        Province.JIANGXI: TileSpot(6, 6, _("江西")),
        Province.SHANDONG: TileSpot(4, 6, _("山东")),
        Province.HENAN: TileSpot(4, 5, _("河南")),
        Province.HUBEI: TileSpot(5, 5, _("湖北")),
        Province.HUNAN: TileSpot(6, 5, _("湖南")),
        Province.GUANGDONG: TileSpot(7, 5, _("广东")),
        Province.GUANGXI: TileSpot(7, 4, _("广西")),
        Province.HAINAN: TileSpot(8, 5, _("海南")),
        Province.CHONGQING: TileSpot(5, 4, _("重庆")),
        Province.SICHUAN: TileSpot(5, 3, _("四川")),
        Province.GUIZHOU: TileSpot(6, 4, _("贵州")),
        Province.YUNNAN: TileSpot(6, 3, _("云南")),
        Province.XIZANG: TileSpot(5, 1, _("西藏")),
        Province.SHAANXI: TileSpot(4, 4, _("陕西")),
        Province.GANSU: TileSpot(3, 2, _("甘肃")),
        Province.QINGHAI: TileSpot(4, 2, _("青海")),
        Province.NINGXIA: TileSpot(3, 3, _("宁夏")),
        Province.XINJIANG: TileSpot(3, 1, _("新疆")),
    }
)
"""The 31 provinces as equal tiles, roughly where they lie: no map, no borders."""


def tile_grid(
    values: Mapping[int, str], *, url: Callable[[Province], str], tones: Mapping[int, Tone] | None = None
) -> list[ProvinceTile]:
    """One tile per province in the official order; a province without a value shows `--`."""
    return [
        ProvinceTile(
            code=province,
            short=str(TILE_LAYOUT[province].short),
            name=str(province.label),
            value=values.get(province, NOTHING),
            url=url(province),
            row=TILE_LAYOUT[province].row,
            column=TILE_LAYOUT[province].column,
            tone=(tones or {}).get(province, "neutral"),
        )
        for province in Province
    ]


def _chart(
    title: str,
    desc: str,
    width: float,
    height: float,
    children: Iterable[str],
    palette: Palette,
) -> SafeString:
    return drawing(title, desc, width, height, *children, palette=palette, class_="chart")


def _segment(
    name: str, part: int, start: float, top: float, size: float, palette: Palette, index: int
) -> SafeString:
    """One part of a funnel's stage, with its number where it fits."""
    number = [str(part)] if text_width(str(part)) + 6 <= size else []
    return element(
        "g",
        element("title", f"{name}: {part}"),
        element(
            "rect", x=start, y=top, width=size, height=28, fill=palette.colour(index), stroke=palette.paper
        ),
        *(
            element("text", text, x=start + size / 2, y=top + 19, text_anchor="middle", fill=palette.paper)
            for text in number
        ),
        class_="chart-part",
    )


def _shown(value: float | None, shown: Callable[[float], str]) -> str:
    return NOTHING if value is None else shown(value)


def _check(values: Iterable[float]) -> None:
    if any(value < 0 or not isfinite(value) for value in values):
        raise ValueError("a bar shows a finite value that is not negative")
