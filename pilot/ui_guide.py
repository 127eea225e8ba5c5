"""What the guide shows: the phases of a programme as readers see them, and its numbered elements. Plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pilot.ui import Column, Fact, Link, Row

Face = Literal["before", "open", "after"]


@dataclass(frozen=True, slots=True)
class Countdown:
    """Time until a bell by the server's clock, ``milliseconds`` from the making of the page.

    The parts are rounded up to a whole second, so nothing reads as over while it is not.
    """

    label: str
    milliseconds: int

    @property
    def parts(self) -> tuple[int, int, int, int]:
        """Days, hours, minutes and seconds."""
        minutes, seconds = divmod(-(-self.milliseconds // 1000), 60)
        hours, minutes = divmod(minutes, 60)
        return (*divmod(hours, 24), minutes, seconds)


@dataclass(frozen=True, slots=True)
class WindowFace:
    """One phase of a programme as readers see it: before it opens, while open, after it closed (P02)."""

    label: str
    opens: datetime
    closes: datetime
    face: Face
    text: str  # what to do now
    countdown: Countdown | None = None
    note: str = ""  # an extension of the window
    links: Sequence[Link] = ()  # what there is to read now


@dataclass(slots=True)
class GuideElement:
    """One numbered element of the guide. ``folded``: the table opens on demand; ``steps``: label, who, limit."""

    anchor: str
    title: str
    text: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    columns: Sequence[Column] = ()
    rows: Sequence[Row] = ()
    folded: str = ""
    windows: Sequence[WindowFace] = ()
    steps: Sequence[Fact] = ()
    questions: Sequence[tuple[str, str]] = ()
    links: Sequence[Link] = ()
    note: str = ""


@dataclass(slots=True)
class GuidePage:
    """The guide to the matter, readable without logging in (P01)."""

    title: str
    intro: str
    as_of: datetime
    headline: WindowFace | None = None  # the phase that readers come for
    applying: bool = False  # whether it is the one in which to apply, and not over
    elements: Sequence[GuideElement] = ()
    crumbs: Sequence[Link] = ()

    def element(self, anchor: str) -> GuideElement:
        """The element of this anchor, for apps that have something to add. Raises KeyError for an unknown one."""
        found = {element.anchor: element for element in self.elements}
        return found[anchor]
