"""Figures with their intervals, one below the other, against a threshold; pure, see `svg` for the rules of drawing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from django.utils.safestring import SafeString

from .axes import round_ticks
from .charts import Mark
from .svg import NOTHING, PALETTE, WIDE, Heads, Palette, drawing, element, text_width, widest


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled value between two bounds; without a value there is no figure. `shown` is the value's text."""

    label: str
    value: float | None
    low: float = 0.0
    high: float = 0.0
    shown: str = NOTHING


@dataclass(frozen=True, slots=True)
class _Scale:
    left: float
    room: float
    low: float
    high: float

    def x(self, value: float) -> float:
        return self.left + self.room * (value - self.low) / (self.high - self.low)


def interval_chart(
    title: str,
    spans: Sequence[Span],
    *,
    mark: Mark | None = None,
    most: float = inf,
    tick: Callable[[float], str] = "{:g}".format,
    width: int = WIDE,
    palette: Palette = PALETTE,
) -> SafeString:
    """A dot per value with a bar from its lower to its upper bound, and a vertical line at the mark.

    The scale does not go on above `most`, which no value can be.
    """
    known = [span for span in spans if span.value is not None]
    summary = "; ".join(f"{span.label}: {_words(span, tick)}" for span in spans)
    if not known:
        return drawing(title, summary, width, 24, palette=palette, class_="chart")
    values = [bound for span in known for bound in (span.low, span.high)] + ([mark.value] if mark else [])
    ticks = round_ticks(values, most=most)
    heads = Heads.of((span.label for span in spans), width)
    left = heads.left or widest(map(tick, ticks)) / 2 + 2
    scale = _Scale(left, width - left - widest(span.shown for span in spans) - 24, ticks[0], ticks[-1])
    row = 30 + heads.above
    bottom = row * len(spans) + 24
    parts = [
        element("line", x1=scale.x(value), y1=20, x2=scale.x(value), y2=bottom, stroke=palette.grid)
        for value in ticks
    ]
    parts += [
        element("text", tick(value), x=scale.x(value), y=bottom + 16, text_anchor="middle")
        for value in ticks[:: _every(ticks, scale, tick)]
    ]
    parts += [
        _row(span, row * i + heads.above + 24, scale, heads, width, tick, palette)
        for i, span in enumerate(spans)
    ]
    if mark:
        x, half = scale.x(mark.value), text_width(mark.label) / 2
        beside = min(max(x, half), width - half)
        parts += [
            element(
                "line", x1=x, y1=18, x2=x, y2=bottom, class_="chart-mark", stroke=palette.mark,
                stroke_dasharray="4 2",
            ),
            element("text", mark.label, x=beside, y=13, text_anchor="middle", fill=palette.mark),
        ]  # fmt: skip
    return drawing(title, summary, width, bottom + 24, *parts, palette=palette, class_="chart")


def _every(ticks: Sequence[float], scale: _Scale, tick: Callable[[float], str]) -> int:
    """Of how many values below the bars one is written, so that they do not run into each other."""
    return -(-int(widest(map(tick, ticks)) + 8) // max(1, int(scale.x(ticks[1]) - scale.x(ticks[0]))))


def _row(
    span: Span,
    top: float,
    scale: _Scale,
    heads: Heads,
    width: int,
    tick: Callable[[float], str],
    palette: Palette,
) -> SafeString:
    middle, colour = top + 14, palette.colour(0)
    parts = [
        element("title", f"{span.label}: {_words(span, tick)}"),
        heads.head(span.label, middle + 5),
        element("text", span.shown, x=width - 4, y=middle + 5, text_anchor="end"),
    ]
    if span.value is not None:
        low, high = scale.x(span.low), scale.x(span.high)
        parts += [
            element("line", x1=low, y1=middle, x2=high, y2=middle, stroke=colour, stroke_width=3),
            *(
                element("line", x1=x, y1=middle - 6, x2=x, y2=middle + 6, stroke=colour, stroke_width=2)
                for x in (low, high)
            ),
            element("circle", cx=scale.x(span.value), cy=middle, r=5, fill=colour),
        ]
    return element("g", *parts, class_="chart-span")


def _words(span: Span, tick: Callable[[float], str]) -> str:
    if span.value is None:
        return span.shown
    return f"{span.shown} ({tick(span.low)} – {tick(span.high)})"
