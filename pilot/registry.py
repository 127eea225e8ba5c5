"""What the apps hand to the kernel's generic pages in ``AppConfig.ready``; the kernel never imports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from pilot import workflow
from pilot.actors import Actor
from pilot.forms import ActForm
from pilot.machines import Case
from pilot.models import Programme
from pilot.ui import ActionItem, Column, Fact, Link, Section
from pilot.ui_guide import GuidePage


class Group(TextChoices):
    """Headings of the left menu, in the order in which they stand there."""

    OVERVIEW = "overview", _("总览")
    INTAKE = "intake", _("申请受理")
    REVIEW = "review", _("审查评估")
    RUN = "run", _("试点运行")
    SUPERVISION = "supervision", _("监督管理")
    PROGRAMME = "programme", _("试点项目")
    SYSTEM = "system", _("系统管理")


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column of a machine's list and how a row's cell is read.

    With ``order_by``, the path of a field, readers can sort the list by it; one of a ``deadline`` sorts by that of the
    machine. A ``personal`` column holds (masked) data of natural persons: a list with one leaves the portal with a
    reason only. ``serves`` says to whom it tells anything.
    """

    column: Column
    value: Callable[[Any], Any]
    order_by: str = ""
    deadline: bool = False
    personal: bool = False
    serves: Callable[[Actor], bool] = lambda actor: True


@dataclass(frozen=True, slots=True)
class Task:
    """Something done to a case that is no transition (save a draft, hand in scores, add a file).

    Who may do it stands in the policy as ``machine.name``; ``obstacle`` says in words why it is not possible now.
    ``service(case=…, actor=…, **cleaned_data)`` does it.
    """

    name: str
    label: Any
    form: type[ActForm]
    service: Callable[..., Any]
    obstacle: Callable[[Any, Actor], Any | None] = lambda case, actor: None
    effect: Any = ""


@dataclass(frozen=True, slots=True)
class Creation:
    """How a case is begun in the browser: ``service(actor=…, **cleaned_data)`` returns the new case.

    Who may begin one stands in the policy as page ``<slug>_create``.
    """

    label: Any
    form: type[ActForm]
    service: Callable[..., Any]
    effect: Any = ""
    url_name: str = ""  # the page of its own on which the new case opens
    # Whether there is a time limit on it: then the service takes ``at``, when the request arrived, too.
    timed: bool = False
    # What stands above the form, where words are not enough: what the case will be about, or why none can be begun.
    about: Callable[[Any, Actor], Sequence[Section]] = lambda form, actor: ()
    # Why this actor cannot begin one now, in words: then the list says so and offers nothing.
    obstacle: Callable[[Actor], Any | None] = lambda actor: None


@dataclass(frozen=True, slots=True)
class ListFilter:
    """A filter of a machine's list beside state and province: ``condition(value, actor)`` says which cases stay.

    Where there is nothing to choose for an actor, the filter is not offered.
    """

    name: str
    label: Any
    choices: Callable[[Actor], Sequence[tuple[str, Any]]]
    condition: Callable[[str, Actor], Q]


@dataclass(frozen=True, slots=True)
class Batch:
    """Something done to several cases of a list, one by one: ``service(case=…, actor=…)`` raises what forbids it.

    Who may do it stands in the policy as ``machine.name``. Only cases in one of its ``states``, if it names some, can
    be ticked and are meant by "all".
    """

    name: str
    label: Any
    service: Callable[..., Any]
    effect: Any = ""
    states: frozenset[str] = frozenset()

    def fits(self, case: Any) -> bool:
        """Whether it can be done to a case in the state it is in."""
        return not self.states or case.state in self.states

    def fitting(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the rows to which it can be done."""
        return rows.filter(state__in=self.states) if self.states else rows


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A page of its own of every case to which the list leads straight away, for whom the policy lets open it.

    The page is handed the query of the list as ``?list=``, so that it can go on to the next case of that list. An act
    whose address has ``?list=`` leads back to it, with all that the address has. Its words go by the row's case.
    """

    label: Callable[[Any], Any]
    url_name: str


@dataclass(slots=True)
class MachinePages:
    """One machine as the portal shows it."""

    model: type[Case]
    label: Any
    group: Group
    icon: str
    columns: Sequence[ListColumn]
    facts: Callable[[Any, Actor], Sequence[Fact]]
    # What apps above know of a case: its facts go on with these.
    further_facts: list[Callable[[Any, Actor], Sequence[Fact]]] = field(default_factory=list)
    sections: Callable[[Any, Actor], Sequence[Section]] = lambda case, actor: ()
    # Which visible cases wait for this actor. It hangs on the actor alone, like ``visibility``: no clock, no language,
    # nothing read before, for the menu keeps the statement made of both.
    waiting: Callable[[Actor], Q | None] = lambda actor: None
    # By when a waiting case wants its next step: as an expression on its row, of the actor alone as ``waiting`` is …
    deadline: Callable[[Actor], Any] = lambda actor: F("due_at")
    # … and of a case at hand.
    due: Callable[[Any], datetime | None] = lambda case: case.due_at
    # Whom a case waits for, in words, where whoever takes the next step is not yet the one; empty: that one.
    awaits: Callable[[Any, Actor], str] = lambda case, actor: ""
    forms: Mapping[str, type[ActForm]] = field(default_factory=dict)  # transition → what it asks for
    effects: Mapping[str, Any] = field(
        default_factory=dict
    )  # transition → what it will bring about, in words
    # transition → what a person does by it, where its own words, which the history keeps, say what it came to
    acts: Mapping[str, Any] = field(default_factory=dict)
    # (state, transition) → its own words and effect, where the same step is another matter out of that state
    in_state: Mapping[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict)
    # transition or task → what is shown before it is carried out, where words are not enough
    previews: Mapping[str, Callable[[Any, Actor], Sequence[Section]]] = field(default_factory=dict)
    danger: frozenset[str] = frozenset()
    # Acts that decide a matter one way or the other: the page puts none of them forward as the one to choose.
    verdicts: frozenset[str] = frozenset()
    tasks: Sequence[Task] = ()
    # Pages of its own that a case offers before all else, and the transitions that have one: name → URL name.
    openings: Callable[[Any, Actor], Sequence[ActionItem]] = lambda case, actor: ()
    own_pages: Mapping[str, str] = field(default_factory=dict)
    creation: Creation | None = None
    search: Sequence[str] = ()
    # select_related of list and detail: what a list shows. Whom the page of one case names it reads one by one, for to
    # plan a query over many tables takes the database longer than to answer some small ones.
    related: Sequence[str] = ()
    annotations: Mapping[str, Any] = field(
        default_factory=dict
    )  # what list and detail read beside the columns
    prefetched: Sequence[str] = ()  # prefetch_related of list and detail
    order: Sequence[str] = ()  # instead of: what waits for the reader, what is under way, what is over
    province_field: str = ""
    empty: Any = ""
    long: bool = False  # a case's page begins with the way to its parts
    links: Callable[[Any, Actor], Sequence[Link]] = lambda case, actor: ()
    filters: Sequence[ListFilter] = ()
    batches: Sequence[Batch] = ()
    shortcut: Shortcut | None = None
    own_views: Mapping[str, str] = field(
        default_factory=dict
    )  # "detail" or "create" → path of the view instead

    @property
    def slug(self) -> str:
        return self.model.slug()

    def all_facts(self, case: Case, actor: Actor) -> list[Fact]:
        """What the page of a case says first, with what other apps add."""
        parts = (self.facts, *self.further_facts)
        return [fact for part in parts for fact in part(case, actor)]

    def label_of(self, case: Case, name: str) -> str:
        """The words under which a person is offered a transition out of the state the case is in."""
        act = self.acts.get(name)
        return str(act) if act else self.label_from(case.state, name)

    def label_from(self, state: str, name: str) -> str:
        """The words for a transition out of a state."""
        own = self.in_state.get((state, name))
        return str(own[0] if own else workflow.label(self.model, name))

    def effect_of(self, case: Case, name: str) -> str:
        """What a transition out of the state the case is in will bring about; empty where nobody put it in words."""
        own = self.in_state.get((case.state, name))
        return str(own[1] if own else self.effects.get(name, ""))


_pages: dict[str, MachinePages] = {}
_dashboards: list[Callable[[Any, Actor], None]] = []
_rule_effects: list[Callable[[Programme, str, Any], Sequence[str]]] = []
_guides: list[Callable[[GuidePage, Programme], None]] = []


def register(pages: MachinePages) -> None:
    """Give a machine its list, detail and act pages."""
    _pages[pages.slug] = pages


def all_pages() -> list[MachinePages]:
    """Every registered machine, in order of registration (menu order)."""
    return list(_pages.values())


def pages_of(slug: str) -> MachinePages:
    """The pages of one machine."""
    return _pages[slug]


def on_dashboard(contribute: Callable[[Any, Actor], None]) -> Callable[[Any, Actor], None]:
    """Decorator: ``contribute(dashboard, actor)`` adds an app's tiles, units or charts to the first page."""
    _dashboards.append(contribute)
    return contribute


def contributors() -> list[Callable[[Any, Actor], None]]:
    """Everything that adds to the first page."""
    return list(_dashboards)


def on_guide(contribute: Callable[[GuidePage, Programme], None]) -> Callable[[GuidePage, Programme], None]:
    """Decorator: ``contribute(page, programme)`` fills the guide's elements that an app knows about."""
    _guides.append(contribute)
    return contribute


def on_rule_change(
    contribute: Callable[[Programme, str, Any], Sequence[str]],
) -> Callable[[Programme, str, Any], Sequence[str]]:
    """Decorator: ``contribute(programme, key, value)`` says in words what an app would do otherwise with a rule set so.

    A ``value`` of None is the end of the rule. Nothing to say: an empty sequence.
    """
    _rule_effects.append(contribute)
    return contribute


def rule_effects(programme: Programme, key: str, value: Any) -> list[str]:
    """What all apps say about a rule before it is set."""
    return [line for contribute in _rule_effects for line in contribute(programme, key, value)]


def guide_contributors() -> list[Callable[[GuidePage, Programme], None]]:
    """Everything that adds to the guide."""
    return list(_guides)
