"""Approval lists as the portal shows them: entries with what publishing will bring about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import ApplicationState
from applications.models import Application
from assessment.enums import ListState
from assessment.forms import EffectForm, NothingForm, PrepareForm
from assessment.models import ApprovalList
from assessment.pages import common
from assessment.pages import list_preview as preview
from assessment.pages.list_forms import LeaveOutForm, ScopeForm
from assessment.rules import scope
from assessment.selectors import lists
from assessment.services import lists as services
from pilot import policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm, ReauthenticatedForm
from pilot.registry import Creation, ListColumn, MachinePages, Task, pages_of, register
from pilot.selectors import programmes
from pilot.ui import Checksum, Column, Fact, Link, Row, Section


def facts(approval_list: ApprovalList, actor: Actor) -> list[Fact]:
    """Number, effect, hands and digest; how many are taken in stands with what publishing brings about."""
    shown = [
        Fact(_("名单"), str(approval_list)),
        Fact(_("生效时间"), approval_list.effective_from),
        Fact(_("公布时间"), approval_list.published_at),
    ]
    if not actor.is_ministry:
        return shown
    return [
        *shown,
        Fact(_("提请人"), approval_list.prepared_by),
        Fact(_("批准人"), approval_list.approved_by),
        Fact(_("名单 SHA-256"), Checksum(approval_list.digest)),
    ]


def sections(approval_list: ApprovalList, actor: Actor) -> list[Section]:
    """For the ministry the effects and what stands against them; for everyone the content as far as it is theirs."""
    lines = preview.lines(approval_list, actor)
    if not actor.is_ministry:
        return [content(approval_list, lines, actor)]
    return [*before_signing(approval_list, lines, actor), preview.undecided(approval_list.programme)]


def before_signing(approval_list: ApprovalList, lines: Sequence[preview.Line], actor: Actor) -> list[Section]:
    """What whoever prepares, approves or publishes looks at, on the list's page and above the form of the act."""
    published = approval_list.state == ListState.PUBLISHED
    return [
        preview.effects(approval_list, lines),
        *([] if published else [preview.obstacles(approval_list, lines)]),
        content(approval_list, lines, actor),
    ]


def what_is_signed(approval_list: ApprovalList, actor: Actor) -> list[Section]:
    """What stands above the form of every act on a list."""
    return before_signing(approval_list, preview.lines(approval_list, actor), actor)


def who_waits(form: Any, actor: Actor) -> list[Section]:
    """What stands above the form that begins a list."""
    waiting = preview.undecided(programmes.current())
    if not waiting.rows:
        waiting.blocks = True
        waiting.empty = _(
            "现在没有可以列入名单的申请，不能拟制名单。申请由省局汇总报送、部接收后才可以列入；已在其他名单中的不再列出。"
        )
    return [waiting]


def content(approval_list: ApprovalList, lines: Sequence[preview.Line], actor: Actor) -> Section:
    """Every applicant with the decision, its reason, and what is opened; an officer changes that in a draft."""
    published = approval_list.state == ListState.PUBLISHED
    codes = lists.unit_codes(approval_list.programme) if published else {}
    rows = [
        Row(
            common.application_url(line.entry.application_id) if not actor.is_provider else "",
            [
                line.name,
                line.entry.application.number,
                common.province(line.entry.application.province),
                common.listing(line.listed),
                *(
                    [codes.get(line.entry.application.provider_id) if line.listed else None]
                    if published
                    else []
                ),
                _opened(approval_list, line, actor),
                line.reason,
            ],
        )
        for line in lines
    ]
    columns = [
        Column("name", _("单位名称")),
        Column("number", _("受理编号")),
        Column("province", _("省份")),
        Column("decision", _("决定")),
        *([Column("code", _("试点单位编号"))] if published else []),
        Column("scope", _("试点范围")),
        Column("reason", _("理由")),
    ]
    return Section(_("名单内容"), columns=columns, rows=rows, empty=_("名单中没有申请单位"))


def _opened(approval_list: ApprovalList, line: preview.Line, actor: Actor) -> Any:
    if not line.listed:
        return None
    words = scope.words(line.entry.provinces, line.entry.filing_types)
    if approval_list.state == ListState.DRAFT and policy.may_act(
        ApprovalList.slug(), "set_scope", actor.role
    ):
        url = reverse("approval-list_task", args=[approval_list.pk, "set_scope"])
        return Link(words, f"{url}?entry={line.entry.pk}")
    return words


def waiting(actor: Actor) -> Q | None:
    """Officers prepare; approvers approve what others prepared, and publish."""
    if actor.role == Role.MINISTRY_OFFICER:
        return Q(state=ListState.DRAFT)
    if actor.role == Role.MINISTRY_APPROVER:
        own = Q(prepared_by=actor.person_id)
        return Q(state__in=[ListState.PREPARED, ListState.APPROVED]) & ~own
    return None


def on_application(application: Application, actor: Actor) -> list[Fact]:
    """What the last published list decides on an application, and why, as far as this actor may read it."""
    if application.state not in {ApplicationState.LISTED, ApplicationState.NOT_LISTED}:
        return []
    entry = lists.decision(application, actor)
    if entry is None:
        return []
    named = entry.approval_list
    label = f"{named} {named.number}"
    shown = policy.may_open("approval-list_detail", actor.role)
    where = Link(label, reverse("approval-list_detail", args=[named.pk])) if shown else label
    decided = Fact(_("名单决定"), [common.listing(entry.listed), where])
    return [decided, *([] if entry.listed else [Fact(_("未列入名单的理由"), entry.reason)])]


pages_of(Application.slug()).further_facts.append(on_application)


register(
    MachinePages(
        model=ApprovalList,
        label=gettext_lazy("试点单位名单"),
        group=common.REVIEW_GROUP,
        icon="list-checks",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda a: a.number),
            ListColumn(Column("title", gettext_lazy("名单")), str),
            ListColumn(Column("effective", gettext_lazy("生效时间")), lambda a: a.effective_from),
            ListColumn(Column("published", gettext_lazy("公布时间")), lambda a: a.published_at),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={
            "prepare": PrepareForm,
            "approve": ReauthenticatedForm,
            "publish": ReauthenticatedForm,
            "send_back": ReasonForm,
            "retract": ReasonForm,
        },
        effects={
            "prepare": gettext_lazy(
                "按最新情况核定名单内容并固定，提请另一人批准；列入名单的申请此后不能撤回"
            ),
            "approve": gettext_lazy("名单可以公布"),
            "publish": gettext_lazy("列入的单位登记入试点单位名录，全部申请转为最终状态，逐一发函；不能撤销"),
            "send_back": gettext_lazy("退回经办人员重新拟制"),
            "retract": gettext_lazy("批准作废，名单回到待批准状态"),
        },
        danger=frozenset({"publish", "send_back", "retract"}),
        previews=dict.fromkeys(("prepare", "approve", "publish", "send_back", "retract"), what_is_signed),
        tasks=[
            Task(
                name="refresh",
                label=gettext_lazy("更新名单内容"),
                form=NothingForm,
                service=services.refresh,
                obstacle=services.draft_obstacle,
                effect=gettext_lazy(
                    "补入新报部的申请，并按最新的评估结论重新核定每一家；已设定的范围和暂不列入的决定不变"
                ),
            ),
            Task(
                name="set_scope",
                label=gettext_lazy("设定范围"),
                form=ScopeForm,
                service=services.set_scope,
                obstacle=services.draft_obstacle,
                effect=gettext_lazy("公布时只为该单位开通这里选定的省份和备案类型；未设定的，按其申请的省份"),
            ),
            Task(
                name="leave_out",
                label=gettext_lazy("暂不列入本批"),
                form=LeaveOutForm,
                service=services.leave_out,
                obstacle=services.draft_obstacle,
                effect=gettext_lazy("该单位移出本名单且不再补入，申请状态不变，拟制下一份名单时列出"),
            ),
        ],
        creation=Creation(
            gettext_lazy("拟制名单"),
            EffectForm,
            services.create_list,
            gettext_lazy("列出全部已报部、尚未决定的申请"),
            about=who_waits,
        ),
        related=["programme"],
        empty=gettext_lazy("技术能力评估结束后，由部经办人员拟制名单"),
    )
)
