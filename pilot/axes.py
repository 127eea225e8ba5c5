"""The field of a trend: axes, grid, labels, marks and lines."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import floor, inf, log10

from django.utils.safestring import SafeString

from .svg import DASHES, Palette, element, widest


@dataclass(frozen=True, slots=True)
class Axes:
    """The field of a trend: `left` to `right` holds `slots` labels, `bottom` to `top` the values."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    slots: int

    @property
    def slot(self) -> float:
        return (self.right - self.left) / self.slots

    def x(self, index: int) -> float:
        return self.left + self.slot * (index + 0.5)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)


def grid_lines(
    axes: Axes, ticks: Sequence[float], shown: Callable[[float], str], palette: Palette
) -> Iterator[SafeString]:
    """A line and its value for every tick."""
    for tick in ticks:
        y = axes.y(tick)
        yield element("line", x1=axes.left, y1=y, x2=axes.right, y2=y, stroke=palette.grid)
        yield element("text", shown(tick), x=axes.left - 6, y=y + 4, text_anchor="end")


def labels_below(axes: Axes, labels: Sequence[str], y: float) -> Iterator[SafeString]:
    """As many labels as fit side by side."""
    every = max(1, -(-int(widest(labels) + 8) // max(int(axes.slot), 1)))
    for i in range(0, len(labels), every):
        yield element("text", labels[i], x=axes.x(i), y=y, text_anchor="middle")


def mark_line(label: str, value: float, axes: Axes, palette: Palette) -> list[SafeString]:
    """The line of a mark, its label above it or, at the top, below."""
    y = axes.y(value)
    beside = y - 5 if y > axes.top + 18 else y + 15
    return [
        element(
            "line",
            x1=axes.left,
            y1=y,
            x2=axes.right,
            y2=y,
            class_="chart-mark",
            stroke=palette.mark,
            stroke_dasharray="4 2",
        ),
        element("text", label, x=axes.right, y=beside, text_anchor="end", fill=palette.mark),
    ]


def trend_line(
    values: Sequence[float | None], index: int, axes: Axes, palette: Palette, *, every_dot: bool = True
) -> SafeString:
    """A line through the known values, broken at gaps; a dot on each value or on the last one only."""
    colour = palette.colour(index)
    points = [(i, axes.x(i), axes.y(value)) for i, value in enumerate(values) if value is not None]
    path = " ".join(
        f"{'L' if n and points[n - 1][0] == i - 1 else 'M'}{x:.1f} {y:.1f}"
        for n, (i, x, y) in enumerate(points)
    )
    dash = DASHES[index % len(DASHES)]
    return element(
        "g",
        element("path", d=path, fill="none", stroke=colour, stroke_width=2, stroke_dasharray=dash),
        *(element("circle", cx=x, cy=y, r=3, fill=colour) for _i, x, y in points[0 if every_dot else -1 :]),
        class_="chart-line",
    )


def round_ticks(values: Sequence[float], *, most: float = inf) -> list[float]:
    """Two to seven round values that span all `values`; whole ones where all values are (they count something).

    No value can be above `most`: where all stand there, the ticks go down from it and not on.
    """
    low, high = min(values), max(values)
    # A span too small to be divided has no logarithm.
    span = next((size for size in (high - low, abs(high)) if size > 1e-300), 1.0)
    power = 10.0 ** floor(log10(span / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= span / 4)
    if all(isinstance(value, int) for value in values):
        step = max(step, 1.0)
    first, last = floor(low / step), -floor(-high / step)
    if first == last:  # one value, and on a tick
        first, last = (first - 1, last) if (last + 1) * step > most else (first, last + 1)
    return [round(step * i, 12) for i in range(first, last + 1)]
