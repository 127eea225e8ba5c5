"""The reviewer's desk as plain data: files on the left, checklist and form on the right (R02, R03)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from applications.enums import ApplicationState, Mark
from applications.models import Application, ApplicationVersion, ChecklistMark, Claim
from applications.pages.undo import seconds_left
from applications.pages.viewer import Viewer, viewer_of
from applications.rules.checklist import Item, Verdict
from applications.rules.form import Words, masked
from applications.selectors import content, review
from applications.selectors.form_schema import form_of
from pilot import clock, due, workflow
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import whole_number
from pilot.models import Condition
from pilot.registry import pages_of
from pilot.rules import last_moment
from pilot.selectors import people
from pilot.tones import state_tag
from pilot.ui import ActionItem, Fact, Link, Place, Section, Tag, Tone
from pilot.views import listing

# What an address of the desk may hold. ``next``: the case that followed before this one was worked off.
CARRIED: Final = ("list", "next", "file", "page", "zoom", "turn", "q")
WORDS_OF_THE_BUREAU: Final = ("accept", "return_for_correction", "refuse")
TONES: Final[dict[Verdict, Tone]] = {
    Verdict.OPEN: "muted",
    Verdict.UNDECIDED: "warning",
    Verdict.MAY_ACCEPT: "success",
    Verdict.CANNOT_ACCEPT: "danger",
}


@dataclass(frozen=True, slots=True)
class MarkChoice:
    """One of the three marks, with the key that sets it."""

    value: str
    label: str
    key: int
    checked: bool


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of the checklist with its mark, and what the form says about it."""

    key: str
    words: Words
    choices: Sequence[MarkChoice]
    text: str
    file: int | None
    page: int | None
    place: Link | None
    said: Sequence[Fact]
    phrases: Sequence[str]
    before: str


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A condition of the programme with the items it is broken into."""

    number: int
    title: str
    verdict: Tag
    items: Sequence[ItemRow]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who has it: words, and what the reader may do about it."""

    words: str
    mine: bool
    url: str
    may_claim: bool
    may_release: bool


@dataclass(slots=True)
class ReviewPage:
    """Everything the page shows."""

    title: str
    number: str
    state: Tag
    due: datetime | None
    due_mark: Tag | None
    address: str
    version: int
    carried: Sequence[tuple[str, str]]
    desk: Desk
    closed: str  # why nothing can be marked, in words; empty when it can
    verdict: Tag
    verdict_words: str
    conditions: Sequence[ConditionRow]
    form: Sequence[Section]
    actions: Sequence[ActionItem]
    undo: Link | None
    place: Place
    viewer: Viewer
    crumbs: Sequence[Link] = field(default_factory=list)


def build(case: Application, actor: Actor, asked: QueryDict) -> ReviewPage:
    """The desk for one application as this actor finds it."""
    carried = {key: str(asked[key]) for key in CARRIED if asked.get(key)}
    address = reverse("application_review", args=[case.pk])
    versions = list(content.versions(case))
    latest = versions[-1]
    standing = review.standing(case, version=latest.number)
    claim, tie = review.claim_of(case), people.tie(actor.person_id, case.provider_id)
    place, query = _place(case, actor, carried)
    return ReviewPage(
        title=case.provider.name,
        number=case.number,
        state=state_tag(case),
        due=last_moment(case.due_at) if case.due_at else None,
        due_mark=due.mark(case.due_at) if case.due_at else None,
        address=address,
        version=latest.number,
        carried=[*carried.items()],
        desk=_desk(case, actor, claim, tie),
        closed=_closed(case, actor, claim, tie),
        verdict=_tag(standing.verdict),
        verdict_words=_in_words(standing),
        conditions=_conditions(case, actor, latest, standing, address, carried),
        form=_form(case, versions),
        actions=_actions(case, actor, query),
        undo=_undo(case, actor, query),
        place=place,
        viewer=viewer_of(case, latest, address=address, asked=carried),
        crumbs=[
            Link(_("首页"), reverse("home")),
            Link(str(pages_of(case.slug()).label), reverse("application_list")),
            Link(case.provider.name, reverse("application_detail", args=[case.pk])),
        ],
    )


# --- desk and verdict -------------------------------------------------------------------------------
def _closed(case: Application, actor: Actor, claim: Claim | None, tie: str | None) -> str:
    if case.state != ApplicationState.SUBMITTED:
        return _("当前状态为“%(state)s”，审核清单只供查阅") % {"state": case.get_state_display()}
    return tie or review.elsewhere(claim, actor) or ""


def _desk(case: Application, actor: Actor, claim: Claim | None, tie: str | None) -> Desk:
    mine = claim is not None and claim.person_id == actor.person_id
    waiting = case.state == ApplicationState.SUBMITTED
    other = review.elsewhere(claim, actor)
    return Desk(
        words=other or (_("由您审核") if mine else _("无人认领")),
        mine=mine,
        url=reverse("application_claim", args=[case.pk]),
        may_claim=waiting and claim is None and not tie,
        may_release=waiting and (mine or (other is not None and actor.role == Role.BUREAU_LEAD)),
    )


def _tag(verdict: Verdict) -> Tag:
    words = {
        Verdict.OPEN: _("尚未审核"),
        Verdict.UNDECIDED: _("尚未审完"),
        Verdict.MAY_ACCEPT: _("可以受理"),
        Verdict.CANNOT_ACCEPT: _("不能受理"),
    }
    return Tag(words[verdict], TONES[verdict])


def _condition_tag(verdict: Verdict) -> Tag:
    words = {
        Verdict.OPEN: _("尚未审核"),
        Verdict.UNDECIDED: _("尚未审完"),
        Verdict.MAY_ACCEPT: _("符合"),
        Verdict.CANNOT_ACCEPT: _("不符合"),
    }
    return Tag(words[verdict], TONES[verdict])


def _in_words(standing: review.Standing) -> str:
    if standing.not_met:
        return _("%(bad)s 项不符合，%(left)s 项未审") % {
            "bad": len(standing.not_met),
            "left": len(standing.unmarked),
        }
    return _("%(left)s 项未审") % {"left": len(standing.unmarked)} if standing.unmarked else _("各项已审")


def _act(case: Application, name: str, query: str) -> str:
    return f"{reverse('application_act', args=[case.pk, name])}?{query}"


def _undo(case: Application, actor: Actor, query: str) -> Link | None:
    """Taking back what was just done, while it is possible (R06)."""
    left = seconds_left(case, actor)
    if left is None:
        return None
    return Link(_("撤销操作（还有 %(n)s 秒）") % {"n": left}, _act(case, "revert", query))


def _actions(case: Application, actor: Actor, query: str) -> list[ActionItem]:
    pages = pages_of(case.slug())
    offered = {action.name: action for action in workflow.available_actions(case, actor, at=clock.now())}
    return [
        ActionItem(
            name,
            offered[name].label,
            offered[name].allowed,
            offered[name].reason,
            _act(case, name, query),
            danger=name in pages.danger,
        )
        for name in WORDS_OF_THE_BUREAU
        if name in offered
    ]


# --- checklist --------------------------------------------------------------------------------------
def _conditions(
    case: Application,
    actor: Actor,
    version: ApplicationVersion,
    standing: review.Standing,
    address: str,
    carried: dict[str, str],
) -> list[ConditionRow]:
    given = {
        row.item: row
        for row in ChecklistMark.objects.visible_to(actor)
        .filter(application=case, version=version.number)
        .select_related("file")
    }
    earlier = review.earlier_marks(case, latest=version.number)
    titles = {
        row.number: f"{row.clause} {row}" for row in Condition.objects.filter(programme=case.programme_id)
    }
    rows: dict[int, list[ItemRow]] = {}
    for item in review.items(case):
        row = _item(case, version, item, given.get(item.key), earlier.get(item.key), address, carried)
        rows.setdefault(item.condition, []).append(row)
    return [
        ConditionRow(
            number, titles.get(number, str(number)), _condition_tag(standing.conditions[number]), items
        )
        for number, items in rows.items()
    ]


def _item(
    case: Application,
    version: ApplicationVersion,
    item: Item,
    row: ChecklistMark | None,
    earlier: ChecklistMark | None,
    address: str,
    carried: dict[str, str],
) -> ItemRow:
    return ItemRow(
        key=item.key,
        words=item.words,
        choices=[
            MarkChoice(value, str(label), key, checked=row is not None and row.mark == value)
            for key, (value, label) in enumerate(Mark.choices, 1)
        ],
        text=row.text if row else "",
        file=row.file_id if row else None,
        page=row.page if row else None,
        place=_place_of(row, address, carried),
        said=_said(case, version, item),
        phrases=item.phrases,
        before=_("上次：%(mark)s") % {"mark": earlier.get_mark_display()} if earlier else "",
    )


def _place_of(row: ChecklistMark | None, address: str, carried: dict[str, str]) -> Link | None:
    if row is None or row.file is None:
        return None
    label = _("%(file)s第%(page)s页") % {"file": row.file.get_kind_display(), "page": row.page}
    return Link(label, f"{address}?{urlencode({**carried, 'file': row.file_id, 'page': row.page})}")


def _said(case: Application, version: ApplicationVersion, item: Item) -> list[Fact]:
    """What the form says in the fields an item is read from."""
    fields = form_of(case.programme).fields
    return [
        Fact(str(fields[key].label), masked(fields[key], version.content.get(key)))
        for key in item.targets
        if key in fields
    ]


def _form(case: Application, versions: Sequence[ApplicationVersion]) -> list[Section]:
    """The form block by block; beside what an answer changed stands what was there before."""
    latest = versions[-1]
    before = versions[-2].content if len(versions) > 1 else latest.content
    return [
        Section(
            str(section.title),
            facts=[
                Fact(
                    str(each.label),
                    masked(each, latest.content.get(each.key)),
                    hint=""
                    if before.get(each.key) == latest.content.get(each.key)
                    else _("补正前：%(value)s") % {"value": _flat(masked(each, before.get(each.key)))},
                )
                for each in section.fields
            ],
        )
        for section in form_of(case.programme).sections
    ]


def _flat(value: Any) -> str:
    words = (
        value
        if isinstance(value, str | int | float) or not isinstance(value, Iterable)
        else _("、").join(value)
    )
    return str(words) or "--"


# --- the list it came from --------------------------------------------------------------------------
def _place(case: Application, actor: Actor, carried: dict[str, str]) -> tuple[Place, str]:
    """The neighbours in the list from which the application was opened; without one, in what waits for the bureau.

    Beside it the query with which an act leads back to this place.

    One that was worked off has left the list: it keeps its place before the one that followed it then.
    """
    query = carried.get("list", "")
    asked = QueryDict(query or "waiting=me")
    rows = listing.rows_for(pages_of(case.slug()), actor, asked)
    if here := listing.place_in(rows, case.pk):
        words = _("第 %(at)s / %(n)s 件") % {"at": here.at, "n": here.total}
        before, after = here.before, here.after
    else:
        words = _("不在列表中（共 %(n)s 件）") % {"n": rows.count()}
        before, after = _gap(rows, whole_number(carried.get("next", "")))
    place = Place(
        words,
        back=f"{reverse('application_list')}?{asked.urlencode()}",
        previous=_address(before, query) if before else "",
        following=_address(after, query) if after else "",
    )
    return place, urlencode({"list": query, **({"next": after} if after else {})})


def _gap(rows: QuerySet[Any], follower: int | None) -> tuple[int | None, int | None]:
    """Where a case was that left the list: before its follower, or before the first one."""
    if follower and (there := listing.place_in(rows, follower)):
        return there.before, follower
    return None, rows.values_list("pk", flat=True).first()


def _address(pk: int, query: str) -> str:
    carried = f"?{urlencode({'list': query})}" if query else ""
    return reverse("application_review", args=[pk]) + carried
