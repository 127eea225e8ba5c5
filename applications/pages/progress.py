"""办理进度: where an application stands, since when, until when, and what its provider can do about it (P10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import ApplicationState
from applications.models import Application
from applications.pages import case as case_page
from applications.pages import form as form_page
from applications.selectors import cases, content, deadlines, review
from applications.services import urges
from applications.services.drafts import editing_obstacle, way_on
from pilot import workflow
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.models import TransitionRecord
from pilot.registry import pages_of
from pilot.rules import last_moment, local_day
from pilot.selectors import people, programmes
from pilot.tones import state_tag
from pilot.ui import Fact, Link, StepItem, Tag, TimelineEntry, Words
from pilot.views import case_parts

S = ApplicationState
STAGES: Final[tuple[tuple[Words, frozenset[str]], ...]] = (
    (gettext_lazy("提交"), frozenset({"submit"})),
    (gettext_lazy("受理"), frozenset({"accept", "deem_accepted"})),
    (gettext_lazy("审核"), frozenset({"recommend", "disrecommend"})),
    (gettext_lazy("报部"), frozenset({"report"})),
    (gettext_lazy("评估"), frozenset()),
    (gettext_lazy("公布"), frozenset({"admit", "decline"})),
)
"""The stages with the acts that end them."""
STAGE_OF: Final[Mapping[str, int]] = {
    S.DRAFT: 0,
    S.SUBMITTED: 1,
    S.RETURNED: 1,
    S.REFUSED: 1,
    S.LAPSED: 1,
    S.ACCEPTED: 2,
    S.RECOMMENDED: 3,
    S.NOT_RECOMMENDED: 3,
    S.REPORTED: 4,
    S.LISTED: 6,
    S.NOT_LISTED: 6,
}


@dataclass(slots=True)
class ProgressPage:
    """The way of an application."""

    title: str
    crumbs: Sequence[Link]
    number: str
    state: Tag
    steps: Sequence[StepItem]
    facts: Sequence[Fact]
    timeline: Sequence[TimelineEntry]
    main: Link | None
    urge_url: str
    urge_obstacle: str
    withdraw: Link | None
    withdraw_note: str  # what withdrawing takes, or why it is too late; empty where it is no question
    links: Sequence[Link]


def progress_page(case: Application, actor: Actor, *, at: datetime) -> ProgressPage:
    """The progress as it stands at ``at``."""
    withdraw = next((a for a in workflow.available_actions(case, actor, at=at) if a.name == "withdraw"), None)
    links = [Link(_("申请详情与文书"), reverse("application_detail", args=[case.pk]), "file-text")]
    if case.submitted_at is not None:
        links.insert(0, Link(_("接收回执"), reverse("application_receipt", args=[case.pk]), "file-check"))
    return ProgressPage(
        title=_("办理进度"),
        crumbs=form_page.crumbs(case),
        number=case.number,
        state=state_tag(case),
        steps=steps(case, at=at),
        facts=_facts(case, actor, at),
        timeline=case_parts.timeline(case, actor),
        main=None if editing_obstacle(case, actor) else _to_do(case),
        urge_url=reverse("application_urge", args=[case.pk]),
        urge_obstacle=urges.obstacle(case, actor) or "",
        withdraw=Link(
            pages_of(case.slug()).label_of(case, "withdraw"),
            reverse("application_act", args=[case.pk, "withdraw"]),
        )
        if withdraw and withdraw.allowed
        else None,
        withdraw_note=_withdraw_note(case, withdraw) if withdraw and case.state != S.DRAFT else "",
        links=links,
    )


def _withdraw_note(case: Application, withdraw: workflow.Available) -> str:
    """Free until the bureau sets to work, with a reason afterwards, and at last only by asking (P13)."""
    if not withdraw.allowed:
        asking = _("确需撤回的，请与联系单位联系")
        return f"{withdraw.reason}{_('；')}{asking}"
    if review.is_begun(case):
        return _("通信管理局已开始审核，撤回须说明理由")
    return _("通信管理局开始审核之前，撤回无须说明理由")


def _to_do(case: Application) -> Link:
    label = _("填写补正内容") if content.open_notice(case) else _("继续填写")
    return Link(label, reverse("application_form", args=[case.pk]))


def steps(case: Application, *, at: datetime) -> list[StepItem]:
    """Every stage: passed on which day, the one the application is in, those to come; or where it ended."""
    history = cases.history(case)
    ended = case.state in {S.REFUSED, S.LAPSED, S.WITHDRAWN}
    here = _stage(case, history, at)
    items = []
    for number, (label, acts) in enumerate(STAGES):
        if number < here:
            items.append(StepItem(str(label), "done", _day_of(history, acts)))
        elif number == here:
            word = str(case.get_state_display())
            items.append(StepItem(str(label), "stopped" if ended else "current", word))
        else:
            items.append(StepItem(str(label), "open"))
    return items


def _stage(case: Application, history: Sequence[TransitionRecord], at: datetime) -> int:
    if case.state == S.WITHDRAWN:
        return STAGE_OF[next(row.source for row in reversed(history) if row.name == "withdraw")]
    stage = STAGE_OF[case.state]
    if case.state == S.REPORTED and at >= programmes.window(case.programme, WindowKind.REVIEW)[1]:
        return stage + 1  # the time for assessment is over; the list is being made
    return stage


def _day_of(history: Sequence[TransitionRecord], acts: frozenset[str]) -> str:
    moments = [row.at for row in history if row.name in acts]
    return local_day(moments[-1]).isoformat() if moments else ""


def _facts(case: Application, actor: Actor, at: datetime) -> list[Fact]:
    bureau = people.bureau_of(case.province)
    facts = [
        Fact(_("申办流水号"), case.case_number),
        Fact(_("受理编号"), case.acceptance_number),
        Fact(_("提交时间"), case.submitted_at),
        Fact(_("现由谁办理"), case_page.awaits(case, actor) or case_parts.waiting_for(case)),
    ]
    if deadlines.left_behind(case, at):
        closing = deadlines.closing(case.programme, case.provider_id)
        facts.append(Fact(_("提交截止"), last_moment(closing), way_on(case)))
    if (expected := _expected(case, at)) is not None:
        facts.append(expected)
    facts.append(Fact(_("联系单位"), bureau.name, bureau.phone))
    return facts


def _expected(case: Application, at: datetime) -> Fact | None:
    """When the next word is to be expected: the running clock, or the end of the review phase."""
    if case.state == S.SUBMITTED and case.due_at:
        left = programmes.working_days_left(case.programme, now=at, due=case.due_at)
        hint = _("还有 %(n)s 个工作日") % {"n": left} if left >= 0 else _("已超过受理期限")
        return Fact(_("预计受理答复"), case_page.due_day(case), hint)
    if case.state == S.RETURNED and case.due_at:
        left = programmes.working_days_left(case.programme, now=at, due=case.due_at)
        return Fact(_("补正截止"), case_page.due_day(case), _("还有 %(n)s 个工作日") % {"n": max(left, 0)})
    if STAGE_OF.get(case.state, 0) in {2, 3, 4}:
        _opens, closes = programmes.window(case.programme, WindowKind.REVIEW)
        return Fact(_("预计公布名单"), case_page.last_day(closes), _("审查阶段结束日"))
    return None
