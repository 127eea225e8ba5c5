"""What charts and diagrams share: colours, text widths and SVG elements.

Presentation attributes and class names only: the pages' content security policy allows no inline
style, and WeasyPrint reads no style sheet inside an SVG. The font is the page's or the PDF's own.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Final
from unicodedata import east_asian_width

from django.utils.safestring import SafeString

FONT_SIZE: Final = 13
WIDE: Final = 640
SLIM: Final = 340  # what a phone has room for
NOTHING: Final = "--"
DASHES: Final = ("none", "7 3", "2 3", "9 3 2 3", "12 4")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a drawing; all but `grid` and `tint` stand out from white by 4.5:1 or more."""

    text: str = "#1f2937"
    muted: str = "#4b5563"
    grid: str = "#d1d5db"
    tint: str = "#e8effc"
    paper: str = "#ffffff"
    mark: str = "#b91c1c"
    series: tuple[str, ...] = ("#174a8c", "#047857", "#92400e", "#6d28d9", "#be185d")

    def colour(self, index: int) -> str:
        """The colour of the series at `index`; they come round again."""
        return self.series[index % len(self.series)]


PALETTE: Final = Palette()


def element(name: str, *children: str, **attributes: str | float) -> SafeString:
    """An SVG element; text is escaped, `class_` and `text_anchor` stand for `class` and `text-anchor`."""
    written = "".join([f' {_name(key)}="{_value(value)}"' for key, value in attributes.items()])
    # nosemgrep: markup-made-of-data
    return SafeString(f"<{name}{written}>{''.join(map(_escaped, children))}</{name}>")  # nosec B703 # all escaped


def _escaped(text: object) -> str:
    """As ``conditional_escape``, without its detours: a first page draws some hundred elements."""
    return text.__html__() if isinstance(text, SafeString) else escape(str(text))


def drawing(
    title: str,
    desc: str,
    width: float,
    height: float,
    *children: str,
    palette: Palette = PALETTE,
    class_: str,
) -> SafeString:
    """A whole SVG, named for screen readers; without children it says that there is nothing to show."""
    return element(
        "svg",
        element("title", title),
        element("desc", desc or NOTHING),
        *(children or (element("text", NOTHING, x=4, y=16),)),
        xmlns="http://www.w3.org/2000/svg",
        class_=class_,
        role="img",
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        width=width,
        height=height,
        font_size=FONT_SIZE,
        fill=palette.text,
    )


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """The approximate width of a text in pixels: a Chinese character is as wide as the font is high."""
    return size * sum(1.0 if east_asian_width(char) in "WF" else 0.58 for char in text)


def fit_text(text: str, room: float) -> str:
    """The text, shortened with an ellipsis where it is wider than the room."""
    if text_width(text) <= room:
        return text
    while text and text_width(text + "…") > room:
        text = text[:-1]
    return text + "…"


def widest(texts: Iterable[str]) -> float:
    """The width of the widest text; 0 without any."""
    return max(map(text_width, texts), default=0)


@dataclass(frozen=True, slots=True)
class Heads:
    """Where the names of rows stand: in a column on the left, or on a line above each row where that is too narrow."""

    left: float
    above: float
    room: float

    @classmethod
    def of(cls, labels: Iterable[str], width: float) -> "Heads":
        """For a drawing of this width, of which the column takes two fifths at the most."""
        if width <= SLIM:
            return cls(0, 20, width)
        left = min(widest(labels) + 12, width * 0.4)
        return cls(left, 0, left - 8)

    def head(self, label: str, y: float) -> SafeString:
        """The name of a row whose own text stands at this height."""
        text = fit_text(label, self.room)
        if self.above:
            return element("text", text, x=0, y=y - 24)
        return element("text", text, x=self.room, y=y, text_anchor="end")


def for_screens(draw: Callable[..., SafeString]) -> SafeString:
    """A drawing twice, wide and slim with words as large: the style sheet shows a phone the second one."""
    return draw(width=WIDE) + draw(width=SLIM)


def legend(
    labels: Sequence[str], left: float, width: float, palette: Palette, *, dashes: bool
) -> tuple[list[SafeString], int]:
    """The names of series or parts above the chart, and by how much the rows after the first push the chart down."""
    parts, x, down = [], left, 0
    for i, label in enumerate(labels):
        name = fit_text(label, width - left - 28)
        if x > left and x + 28 + text_width(name) > width:
            x, down = left, down + 20
        parts += [
            element(
                "line",
                x1=x,
                y1=down + 14,
                x2=x + 22,
                y2=down + 14,
                stroke=palette.colour(i),
                stroke_width=3 if dashes else 12,
                stroke_dasharray=DASHES[i % len(DASHES)] if dashes else "none",
            ),
            element("text", name, x=x + 28, y=down + 18),
        ]
        x += text_width(name) + 46
    return parts, down


@cache
def _name(key: str) -> str:
    """An attribute's name, of those that stand in the code."""
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    """An attribute's text, escaped; numbers with at most one decimal."""
    return _escaped(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
