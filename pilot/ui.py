"""What the generic pages show: plain data that views build and templates only print.

Templates hold no query and no decision (house rule 9), so everything a page needs is a value here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.utils.functional import Promise

type Words = str | Promise  # a lazy translation is words, too
Tone = Literal["neutral", "info", "success", "warning", "danger", "muted"]
Align = Literal["start", "end", "center"]
PAGE_SIZES = (10, 20, 50, 100)  # rows of a list the reader may choose from (C05)


@dataclass(frozen=True, slots=True)
class Tag:
    """A status tag: text always, colour only as an addition (C13)."""

    label: str
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its text; ``icon`` is a lucide name, ``target`` another window that stays beside this page.

    ``danger``: it leads to what takes something away.
    """

    label: str
    url: str
    icon: str = ""
    target: str = ""
    danger: bool = False


class Checksum(str):
    """The hexadecimal digits of a SHA-256 or of a seed, which get a line of their own; empty while there is none."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands in the list that is worked through: in words, that list, and the cases beside it.

    Empty addresses where there is none; without ``text`` nothing is shown.
    """

    text: str = ""
    back: str = ""
    previous: str = ""
    following: str = ""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure with its errors and its n, each a link to what it counts (a plain number where that is nothing).

    ``shown`` may stand apart; ``verdict``, if there is one, stands below.
    """

    errors: Link | str
    n: Link | str
    shown: str = ""
    verdict: Tag | None = None

    def __str__(self) -> str:
        """As a spreadsheet has it."""
        errors, n = (one.label if isinstance(one, Link) else one for one in (self.errors, self.n))
        figure = f"{self.shown} ({errors} / {n})" if self.shown else f"{errors} / {n}"
        return f"{figure} {self.verdict.label}" if self.verdict else figure


@dataclass(frozen=True, slots=True)
class Folded:
    """A short text, and on a click the whole of what it stands for."""

    short: str
    full: str

    def __str__(self) -> str:
        return self.short


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with something small under it that belongs to it, as a code to a name."""

    value: Any
    note: str

    def __str__(self) -> str:
        return f"{self.value} {self.note}"


@dataclass(frozen=True, slots=True)
class MenuItem:
    """An entry of the left menu; ``count`` is what waits for this actor (C01).

    Of the to-do list it says, too, by when the most urgent of these is ``due`` and how near that is.
    """

    label: str
    url: str
    icon: str = ""
    count: int = 0
    current: bool = False
    due: datetime | None = None
    due_mark: "Tag | None" = None


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """Entries of the left menu under one heading."""

    label: str
    items: Sequence[MenuItem]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list; ``sort`` is the query value that sorts by it, if it sorts; ``sorted``: it is, unasked."""

    key: str
    label: Words
    align: Align = "start"
    sort: str = ""
    sorted: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list: the address of its page and one cell per column (str, Tag, Link, datetime, int or None).

    ``key`` is what a tick beside the row sends, where rows can be ticked.
    """

    url: str
    cells: Sequence[Any]
    marker: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """Why a list is empty and what to do next (C09)."""

    title: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ViewTab:
    """A saved view above a list: the address that opens it; ``manage_url`` takes what its owner does to it (C06)."""

    label: str
    url: str
    current: bool = False
    shared: bool = False
    default: bool = False
    manage_url: str = ""  # of somebody else's view: empty


@dataclass(frozen=True, slots=True)
class ViewBar:
    """The saved views of a list and where the present filter is saved; without a filter there is nothing to save."""

    tabs: Sequence[ViewTab]
    save_url: str = ""
    share_label: str = ""

    @property
    def own(self) -> list[ViewTab]:
        """Those the reader may change."""
        return [tab for tab in self.tabs if tab.manage_url]


@dataclass(frozen=True, slots=True)
class BatchBar:
    """What can be done to the ticked rows, or to all ``total`` rows of the filter (C07)."""

    buttons: Sequence[Link]
    total: int


@dataclass(slots=True)
class ListPage:
    """A list with its filter bar and toolbar."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    total: int
    empty: Empty
    intro: str = ""
    crumbs: Sequence[Link] = ()
    filter_form: Any = None
    filtered: bool = False
    page: Any = None  # django.core.paginator.Page
    following: Link | None = None  # what comes after these rows, in a list without numbered pages
    toolbar: Sequence[Link] = ()
    buttons: Sequence[Link] = ()  # acts on the whole list: what is posted, and where
    views: ViewBar | None = None
    batch: BatchBar | None = None
    export_url: str = ""
    export_reasons: Sequence[tuple[str, Any]] = ()  # one has to be chosen where the list holds personal data


@dataclass(slots=True)
class BatchPage:
    """Before a batch: what will happen to which cases (C07, C15). After it: what came of it."""

    title: str
    effect: str
    back: str
    count: int
    columns: Sequence[Column]
    rows: Sequence[Row]
    picked: str = ""
    crumbs: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a description list; an empty value prints as ``--``."""

    label: str
    value: Any
    hint: str = ""


@dataclass(slots=True)
class ExportPage:
    """How far a spreadsheet is; ``file_url`` as soon as it can be fetched, ``failed`` when it never can."""

    title: str
    facts: Sequence[Fact]
    back: str
    waiting: bool
    file_url: str = ""
    failed: str = ""
    crumbs: Sequence[Link] = ()


@dataclass(slots=True)
class Section:
    """A card of a page. Exactly one of facts, texts (paragraphs), table, svg or provinces is given."""

    title: str
    facts: Sequence[Fact] = ()
    texts: Sequence[str] = ()
    columns: Sequence[Column] = ()
    rows: Sequence[Row] = ()
    svg: str = ""
    provinces: Sequence["ProvinceTile"] = ()
    note: str = ""
    more: "Link | None" = None  # behind the note: the way to all of which the card shows some
    empty: str = ""
    private: bool = False  # an internal remark: visibly apart (R07)
    screen_only: bool = False  # left out on paper
    blocks: bool = False  # says why the act of this page cannot be done now, so there is no form
    folded: bool = False  # beside what the page is about: below it, behind a click


def contents_of(sections: Sequence[Section]) -> list[Link]:
    """The way to each card of a long page, by the anchors that the page gives them."""
    return [Link(section.title, f"#part-{number}") for number, section in enumerate(sections, 1)]


@dataclass(frozen=True, slots=True)
class ActionItem:
    """A transition as the page shows it: allowed, or the reason in words why not."""

    name: str
    label: str
    allowed: bool
    reason: str = ""
    url: str = ""
    danger: bool = False
    primary: bool = False


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step of a case: when (business time), what, by whom (office and person, masked), why."""

    at: datetime
    title: str
    by: Any
    state: Tag | None = None
    reason: str = ""
    machine: str = ""  # the kind of case, where it is another one than the page's


@dataclass(frozen=True, slots=True)
class StepItem:
    """One of the fixed stages a case passes (P10); ``stopped``: the case ended here. ``note``: a date or a word."""

    label: str
    status: Literal["done", "current", "open", "stopped"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class DocumentItem:
    """A document of a case: its title, when it was made, its size in bytes and the address it is fetched from.

    ``kind`` names the kind of file, for two documents of one title. ``copy_url`` is where the same is to be had with
    the reader's name on it; whom the paper is not addressed to is led there first.
    """

    title: str
    url: str
    made_at: datetime
    size: int
    sha256: str
    kind: str = "PDF"
    copy_url: str = ""
    copy_first: bool = False


@dataclass(slots=True)
class DetailPage:
    """A case page. ``kind`` names the kind of case where the title does not: one unit has cases of many kinds."""

    title: str
    number: str
    state: Tag
    kind: str = ""
    crumbs: Sequence[Link] = ()
    facts: Sequence[Fact] = ()
    sections: Sequence[Section] = ()
    actions: Sequence[ActionItem] = ()
    waiting_for: str = ""
    since: datetime | None = None  # it waits
    due: datetime | None = None
    due_mark: Tag | None = None  # how near it is
    timeline: Sequence[TimelineEntry] = ()
    documents: Sequence[DocumentItem] = ()
    diagram: str = ""
    related: Sequence[Link] = ()
    seen_state: str = ""
    contents: Sequence[Link] = ()  # of a long page: the way to its parts


@dataclass(slots=True)
class ActPage:
    """The page on which an actor performs one transition: names the object and the effect before it happens (C15)."""

    title: str
    subject: str
    effect: str
    back: str
    form: Any
    crumbs: Sequence[Link] = ()
    danger: bool = False
    submit_label: str = ""
    multipart: bool = False
    download: bool = False  # its answer is a file, so the page stays as it is
    sections: Sequence[Section] = ()  # what to look at before doing it

    @property
    def blocked(self) -> bool:
        """Whether a section says why it cannot be done now."""
        return any(section.blocks for section in self.sections)


@dataclass(slots=True)
class ConfirmPage:
    """What would happen, to be confirmed. ``carried``: what the confirmation sends again."""

    title: str
    back: str
    crumbs: Sequence[Link]
    facts: Sequence[Fact]
    notes: Sequence[str]
    preview: Section
    carried: Sequence[tuple[str, str]]
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure of a dashboard; ``url`` opens exactly the rows it counts (O02)."""

    label: str
    value: str
    url: str = ""
    hint: str = ""
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class ProvinceTile:
    """One of the 31 tiles of the province grid (O01); row and column come from ``pilot.charts.TILE_LAYOUT``."""

    code: int
    short: str
    name: str
    value: str
    url: str
    row: int
    column: int
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class UnitFigure:
    """One unit's row on the dashboard: M1 and M2 as shown figures with errors / n."""

    name: str
    code: str
    province: str
    url: str
    status: Tag
    m1_shown: str
    m1_counts: str | Ratio
    m1: Tag
    m2_shown: str
    m2_counts: str | Ratio
    m2: Tag
    trend: str = ""  # inline SVG


@dataclass(frozen=True, slots=True)
class Fold:
    """Cards that matter no more every day: one line in sight, all of them on a click."""

    title: str
    sections: Sequence[Section]


@dataclass(slots=True)
class Dashboard:
    """An official's or provider's first page."""

    title: str
    as_of: datetime
    crumbs: Sequence[Link] = ()
    tiles: Sequence[Tile] = ()
    lead: Sequence[Section] = ()  # where matters stand as a whole, before all detail
    todo: Sequence[MenuItem] | None = None  # none where the page is not about a person
    units: Sequence[UnitFigure] = ()
    met_heads: tuple[str, str] = ("", "")  # what the units' columns say of M1 and M2
    demands: tuple[str, str] | None = None  # what M1 and M2 of these units have to reach
    provinces: Sequence[ProvinceTile] = ()
    charts: Sequence[Section] = ()
    past: Sequence[Fold] = ()  # phases of the programme that are over
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PlainPage:
    """A page of cards without a case: a calendar, a published list, a settings overview."""

    title: str
    crumbs: Sequence[Link] = ()
    intro: str = ""
    sections: Sequence[Section] = ()
    toolbar: Sequence[Link] = ()
    contents: Sequence[Link] = ()  # of a long page: the way to its parts
