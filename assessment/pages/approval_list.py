"""Approval lists as the portal shows them: entries with what publishing will bring about."""

from __future__ import annotations

from django.db.models import Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.enums import ListState
from assessment.forms import EffectForm, NothingForm, PrepareForm
from assessment.models import ApprovalList, ApprovalListEntry
from assessment.pages import common
from assessment.selectors import lists
from assessment.services import lists as services
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm, ReauthenticatedForm
from pilot.registry import Creation, ListColumn, MachinePages, Task, register
from pilot.ui import Column, Fact, Row, Section


def facts(approval_list: ApprovalList, actor: Actor) -> list[Fact]:
    """Number, effect, hands, digest and totals of what this actor sees."""
    entries = list(visible_entries(approval_list, actor))
    listed = sum(entry.listed for entry in entries)
    counts = _("%(yes)s 家列入，%(no)s 家不列入") % {"yes": listed, "no": len(entries) - listed}
    shown = [
        Fact(_("名单"), str(approval_list)),
        Fact(_("生效时间"), approval_list.effective_from),
        Fact(_("公布时间"), approval_list.published_at),
    ]
    if not actor.is_ministry:
        return shown
    return [
        *shown,
        Fact(_("合计"), counts),
        Fact(_("提请人"), approval_list.prepared_by),
        Fact(_("批准人"), approval_list.approved_by),
        Fact(_("名单 SHA-256"), approval_list.digest),
    ]


def visible_entries(approval_list: ApprovalList, actor: Actor) -> list[ApprovalListEntry]:
    """The entries this actor may read, in the order of the list."""
    visible = ApprovalListEntry.objects.visible_to(actor).values("pk")
    return list(lists.entries(approval_list).filter(pk__in=visible))


def sections(approval_list: ApprovalList, actor: Actor) -> list[Section]:
    """Every applicant with the decision, its reason, and the effect of publishing."""
    day = localtime(approval_list.effective_from).date().isoformat()
    effect = _(
        "公布后，列入名单的单位自 %(day)s 起登记为试点单位并获通知，不列入的获书面告知理由和申诉渠道"
    ) % {"day": day}
    codes = lists.unit_codes(approval_list.programme) if approval_list.state == ListState.PUBLISHED else {}
    columns = [
        Column("name", _("单位名称")),
        Column("number", _("受理编号")),
        Column("province", _("省份")),
        Column("decision", _("决定")),
        Column("code", _("试点单位编号")),
        Column("reason", _("理由")),
    ]
    rows = [
        Row(
            common.application_url(entry.application_id) if not actor.is_provider else "",
            [
                entry.application.provider.name,
                entry.application.number,
                common.province(entry.application.province),
                common.listing(entry.listed),
                codes.get(entry.application.provider_id) if entry.listed else None,
                entry.reason,
            ],
        )
        for entry in visible_entries(approval_list, actor)
    ]
    return [Section(_("名单内容"), columns=columns, rows=rows, empty=_("名单中没有申请单位"), note=effect)]


def waiting(actor: Actor) -> Q | None:
    """Officers prepare; approvers approve what others prepared, and publish."""
    if actor.role == Role.MINISTRY_OFFICER:
        return Q(state=ListState.DRAFT)
    if actor.role == Role.MINISTRY_APPROVER:
        own = Q(prepared_by=actor.person_id)
        return Q(state__in=[ListState.PREPARED, ListState.APPROVED]) & ~own
    return None


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
        tasks=[
            Task(
                name="refresh",
                label=gettext_lazy("更新名单内容"),
                form=NothingForm,
                service=services.refresh,
                obstacle=services.refresh_obstacle,
                effect=gettext_lazy("补入新报部的申请，并按最新的评估结论重新核定每一家"),
            )
        ],
        creation=Creation(
            gettext_lazy("拟制名单"),
            EffectForm,
            services.create_list,
            gettext_lazy("列出全部已报部、尚未决定的申请"),
        ),
        related=["programme", "prepared_by", "approved_by"],
        empty=gettext_lazy("技术能力评估结束后，由部经办人员拟制名单"),
    )
)
