"""The page on which an opinion is drafted or signed: beside each condition stands what the material shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.forms import BoundField
from django.urls import reverse
from django.utils.translation import gettext as _

from applications.enums import Mark
from applications.models import Application, ApplicationFile, ChecklistMark
from applications.rules.checklist import Verdict
from assessment.enums import ItemVerdict
from assessment.forms import OpinionForm
from assessment.models import Opinion
from assessment.pages import common
from assessment.pages.phases import SOON
from assessment.selectors import material, reports
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm, ReauthenticatedForm
from pilot.masking import staff
from pilot.registry import pages_of
from pilot.rules import last_moment, local_day
from pilot.selectors import programmes
from pilot.ui import Fact, Link, Place, Tag, Tone
from pilot.views import listing

MARKS: dict[str, Tone] = {Mark.MET: "success", Mark.NOT_MET: "danger", Mark.NOT_APPLICABLE: "muted"}
VERDICTS: dict[str, Tone] = {"met": "success", "not_met": "danger", "na": "muted"}


@dataclass(frozen=True, slots=True)
class MarkRow:
    """An item of the checklist of intake review: its mark, what was noted, and where in the files it was seen."""

    words: str
    mark: Tag
    text: str
    place: Link | None


@dataclass(frozen=True, slots=True)
class ConditionCard:
    """One condition: the material on one side, on the other the fields of a draft, or the draft as it stands."""

    title: str
    review: Tag
    hints: Sequence[str]
    facts: Sequence[Fact]
    marks: Sequence[MarkRow]
    files: Sequence[Link]
    verdict: BoundField | None
    evidence: BoundField | None
    prefilled: bool
    drafted_verdict: Tag | None
    drafted_evidence: str


@dataclass(frozen=True, slots=True)
class OpinionDesk:
    """All that stands beside the form. ``outside`` and ``inside``: the remarks of a draft that is only read."""

    conditions: Sequence[ConditionCard]
    place: Place
    links: Sequence[Link]
    facts: Sequence[Fact]
    drafting: bool
    outside: str
    inside: str
    recommended: Tag | None


class _AtTheDesk:
    """A form that stands on the desk of its opinion."""

    page_template = "assessment/opinion_desk.html"
    case: Opinion
    actor: Actor

    @property
    def desk(self) -> OpinionDesk:
        """What stands beside the fields."""
        return build(self.case, self.actor, self)


class DraftForm(_AtTheDesk, OpinionForm):
    """The opinion, written beside the material."""


class SignForm(_AtTheDesk, ReauthenticatedForm):
    """The signature, given with draft and material in sight."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("写入办理过程，部和本局可见")


class SendBackForm(_AtTheDesk, ReasonForm):
    """What the reviewer is to look at again; stays in the bureau."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("仅本局可见，不报部")


def build(opinion: Opinion, actor: Actor, form: Any) -> OpinionDesk:
    """The desk for one act on an opinion: a draft has its fields, the lead reads it as it stands."""
    application, drafting = opinion.application, isinstance(form, OpinionForm)
    shown = material.by_condition(application, actor)
    return OpinionDesk(
        conditions=[_card(each, opinion, form, drafting=drafting) for each in shown],
        place=_place(opinion, actor),
        links=[
            Link(
                _("申请材料"),
                reverse("application_review", args=[application.pk]),
                "files",
                target="material",
            )
        ],
        facts=[
            Fact(_("统一社会信用代码"), application.uscc),
            Fact(_("拟稿人"), staff(opinion.drafted_by)),
            Fact(_("报送截止"), _report_due(application)),
        ],
        drafting=drafting,
        outside=opinion.remark,
        inside=opinion.internal_remark,
        recommended=common.recommendation(opinion.recommended),
    )


def _report_due(application: Application) -> list[Any]:
    """The last day on which the bureau's report comes in time, and how far off that is; empty where none is open."""
    report = reports.open_report(application.programme, application.province)
    if report is None or report.due_at is None:
        return []
    now, day = clock.now(), local_day(last_moment(report.due_at))
    if now >= report.due_at:
        return [day, Tag(_("已逾期"), "danger")]
    left = programmes.working_days_left(application.programme, now=now, due=report.due_at)
    return [day, Tag(_("还有 %(n)s 个工作日") % {"n": left}, "warning" if left <= SOON else "info")]


def verdict(item: Mapping[str, str]) -> Tag | None:
    """The verdict of one item of an opinion as a tag."""
    value = item.get("verdict", "")
    return Tag(str(ItemVerdict(value).label), VERDICTS[value]) if value else None


def next_link(opinion: Opinion, actor: Actor) -> Link | None:
    """The next case that waits for this actor once this one no longer does; None when nothing is left."""
    name, rows = _turn(actor), _waiting(actor)
    following = rows.first() if name else None
    if following is None or rows.filter(pk=opinion.pk).exists():
        return None
    words = _("办理下一件（还有 %(n)s 件）") % {"n": rows.count()}
    return Link(words, reverse("opinion_act", args=[following.pk, name]))


def _card(each: material.Shown, opinion: Opinion, form: Any, *, drafting: bool) -> ConditionCard:
    number = each.condition.number
    item = opinion.checklist.get(str(number), {})
    return ConditionCard(
        title=f"{each.condition.clause} {each.condition}",
        review=_review_tag(each.verdict),
        hints=[*each.gaps, *each.notes],
        facts=[Fact(str(label), value) for label, value in each.fields],
        marks=[_mark(marked, opinion.application_id) for marked in each.items] if _reviewed(each) else [],
        files=[_viewer(file, 1, opinion.application_id) for file in each.files],
        verdict=form[f"verdict_{number}"] if drafting else None,
        evidence=form[f"evidence_{number}"] if drafting else None,
        prefilled=drafting and number in form.prefilled,
        drafted_verdict=verdict(item),
        drafted_evidence=item.get("evidence", ""),
    )


def _reviewed(each: material.Shown) -> bool:
    """A list of which nothing is marked says no more than that."""
    return any(marked.mark for marked in each.items)


def _review_tag(found: Verdict) -> Tag:
    tags: dict[Verdict, Tag] = {
        Verdict.OPEN: Tag(_("受理审核未标记"), "muted"),
        Verdict.UNDECIDED: Tag(_("受理审核未审完"), "warning"),
        Verdict.MAY_ACCEPT: Tag(_("受理审核：符合"), "success"),
        Verdict.CANNOT_ACCEPT: Tag(_("受理审核：不符合"), "danger"),
    }
    return tags[found]


def _mark(marked: material.Marked, application: int) -> MarkRow:
    row: ChecklistMark | None = marked.mark
    if row is None:
        return MarkRow(str(marked.words), Tag(_("未标记"), "muted"), "", None)
    place = _viewer(row.file, row.page or 1, application) if row.file else None
    return MarkRow(str(marked.words), Tag(row.get_mark_display(), MARKS[row.mark]), row.text, place)


def _viewer(file: ApplicationFile, page: int, application: int) -> Link:
    words = _("%(file)s第%(page)s页") % {"file": file.get_kind_display(), "page": page}
    query = urlencode({"file": file.pk, "page": page})
    return Link(words, f"{reverse('application_review', args=[application])}?{query}")


# --- the cases that wait --------------------------------------------------------------------------
def _turn(actor: Actor) -> str:
    """What this actor does to the opinions that wait: reviewers draft, leads sign."""
    turns: dict[str, str] = {Role.BUREAU_REVIEWER: "draft", Role.BUREAU_LEAD: "sign"}
    return turns.get(actor.role, "")


def _waiting(actor: Actor) -> QuerySet[Opinion]:
    """The opinions that wait for this actor, the longest waiting first."""
    rows = listing.rows_for(pages_of(Opinion.slug()), actor, {"waiting": "me"})
    return rows.order_by("state_since", "pk")


def _place(opinion: Opinion, actor: Actor) -> Place:
    turn, here = _turn(actor), listing.place_in(_waiting(actor), opinion.pk)
    if here is None:
        return Place()
    previous, following = (
        reverse("opinion_act", args=[found, turn]) if found else "" for found in (here.before, here.after)
    )
    words = _("待办第 %(at)s / %(n)s 件") % {"at": here.at, "n": here.total}
    return Place(words, previous=previous, following=following)
