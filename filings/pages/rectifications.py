"""Rectification orders as the portal shows them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import FindingState, RectificationState
from filings.forms.measures import AcceptForm, AnswerForm, RecheckForm, RectificationForm
from filings.models import Finding, Rectification
from filings.pages import common
from filings.periods import TO_DATE
from filings.selectors import orders, run_months
from filings.services import supervision
from filings.services.findings import COUNTED
from filings.services.supervision import OPEN_ORDERS, rechecks_for
from pilot import clock, policy
from pilot.actors import Actor
from pilot.due import cell as due_cell
from pilot.enums import Role
from pilot.forms import ReasonForm, ReauthenticatedForm
from pilot.masking import staff
from pilot.registry import Creation, ListColumn, MachinePages, Task, register
from pilot.rules import last_moment, local_day
from pilot.selectors import programmes
from pilot.ui import Column, Fact, Link, Row, Section, Tag

S = RectificationState


def facts(order: Rectification, actor: Actor) -> list[Fact]:
    """What is demanded, why, until when, and what the unit answered."""
    shows_people = not actor.is_provider
    return [
        Fact(_("试点单位"), common.unit_link(order.unit)),
        Fact(_("整改事由"), order.reasons),
        Fact(_("整改要求"), order.measures),
        Fact(_("整改期限（工作日）"), order.days),
        *(
            [Fact(_("期限（如今天签发）"), until_if_issued(order), _("含当日"))]
            if order.state == S.DRAFTED
            else [Fact(_("整改报告提交期限"), due(order), _("含当日"))]
        ),
        Fact(_("轮次"), order.round),
        Fact(_("再次整改"), _repeat(order)),
        Fact(_("复查抽样"), _recheck(order)),
        Fact(_("整改报告"), order.answer_text),
        Fact(_("拟稿人"), staff(order.drafted_by) if shows_people else None),
        Fact(_("签发人"), staff(order.issued_by) if shows_people else None),
    ]


def until_if_issued(order: Rectification) -> date:
    """The last day of the deadline if the order were issued today."""
    programme = order.unit.programme
    due = programmes.deadline(programme, start=clock.now(), days=order.days)
    return local_day(due - timedelta(microseconds=1))


def due(order: Any) -> Any:
    """The last day on which an answer is in time, with how late it is or that there is one; None before the issue."""
    end = orders.answer_end(order)
    if end is None:
        return None
    last = local_day(last_moment(end))
    words = {"day": last.isoformat()}
    if order.state == S.OVERDUE:
        return common.overdue(last, orders.days_over(order, end))
    if order.state == S.ANSWERED:
        in_time = order.state_since < end
        return Tag(
            (_("%(day)s 已提交") if in_time else _("%(day)s 逾期后提交")) % words,
            "info" if in_time else "warning",
        )
    return due_cell(end) if order.state == S.ISSUED else last


def _repeat(order: Rectification) -> Link | None:
    if order.repeat_of is None:
        return None
    words = _("再次：前次 %(number)s") % {"number": order.repeat_of.number}
    return Link(words, reverse("rectification_detail", args=[order.repeat_of_id]))


def _recheck(order: Rectification) -> Link | None:
    if order.recheck is None:
        return None
    words = f"{order.recheck.number} · {order.recheck.get_state_display()}"
    return Link(words, reverse("inspection_detail", args=[order.recheck_id]))


def before_issue(order: Rectification, actor: Actor) -> list[Section]:
    """What is signed: the demands, the last day, the findings."""
    facts = [
        Fact(_("整改事由"), order.reasons),
        Fact(_("整改要求"), order.measures),
        Fact(_("整改期限（工作日）"), order.days),
        Fact(_("期限（如今天签发）"), until_if_issued(order), _("含当日")),
        Fact(_("再次整改"), _repeat(order)),
    ]
    return [Section(_("整改通知内容"), facts=facts), *sections(order, actor)]


def before_accept(order: Rectification, actor: Actor) -> list[Section]:
    """The answer with its files, and what the fresh sample said."""
    facts = [
        Fact(_("整改报告"), order.answer_text),
        Fact(_("复查抽样"), _recheck(order)),
        Fact(_("抽查结论"), order.recheck.conclusion if order.recheck else None),
    ]
    return [Section(_("整改情况"), facts=facts), *common.proof_section(_("证明材料"), order, actor)]


def to_draft_for(form: Any, actor: Actor) -> list[Section]:
    """The units of the bureau's province with findings that no order is about yet: each opens a prefilled draft."""
    rows = (
        Finding.objects.visible_to(actor)
        .filter(unit__province=actor.province, rectifications__isnull=True)
        .exclude(state=FindingState.OVERTURNED)
        .order_by()
        .values("unit", "unit__code", "unit__organisation__name")
        .annotate(number=Count("pk"), settled=Count("pk", filter=Q(state__in=COUNTED)))
        .order_by("unit__code")
    )
    units = [
        Row(
            f"{reverse('rectification_create')}?unit={row['unit']}",
            [f"{row['unit__code']} {row['unit__organisation__name']}", row["number"], row["settled"]],
        )
        for row in rows
    ]
    return [
        Section(
            _("尚未列入整改通知的差错"),
            columns=[
                Column("unit", _("试点单位")),
                Column("number", _("差错"), "end"),
                Column("settled", _("已确认或维持"), "end"),
            ],
            rows=units,
            empty=_("没有尚未列入整改通知的差错，现在不需要起草"),
            note=_("选择一个单位，整改事由和要求按其差错预先填写，可以修改。") if units else "",
            blocks=not units,
        )
    ]


def links(order: Rectification, actor: Actor) -> list[Link]:
    """The way to a fresh sample for the recheck, with unit and period filled in."""
    if order.state not in OPEN_ORDERS or order.recheck_id is not None:
        return []
    if not policy.may_open("inspection_create", actor.role) or actor.province != order.unit.province:
        return []
    period = next((month.name for month in run_months.begun(at=clock.now())), TO_DATE)
    query = urlencode({"unit": order.unit_id, "period": period, "order": order.pk})
    return [Link(_("制定复查抽样计划"), f"{reverse('inspection_create')}?{query}", "dices")]


def _recheck_obstacle(order: Rectification, actor: Actor) -> str | None:
    if order.state not in OPEN_ORDERS:
        return _("整改通知签发后、办结前可以安排复查")
    return (
        None
        if rechecks_for(order).exists()
        else _("该单位在整改通知签发后没有另行抽样的抽查，请先制定抽查计划")
    )


def sections(order: Rectification, actor: Actor) -> list[Section]:
    """The findings it rests on."""
    return [
        common.finding_section(_("所依据的差错"), common.visible_findings(actor, rectifications=order)),
        *common.proof_section(_("证明材料"), order, actor),
    ]


def _again(order: Rectification) -> Tag | None:
    return Tag(_("再次"), "warning") if order.repeat_of_id is not None else None


def waiting(actor: Actor) -> Q | None:
    """Leads issue what others drafted and judge answers; units answer."""
    if actor.role == Role.BUREAU_LEAD:
        return (Q(state=S.DRAFTED) & ~Q(drafted_by=actor.person_id) | Q(state=S.ANSWERED)) & Q(
            unit__province=actor.province
        )
    return Q(state__in=[S.ISSUED, S.OVERDUE]) if actor.is_provider else None


register(
    MachinePages(
        model=Rectification,
        label=gettext_lazy("整改通知"),
        group=common.GROUP,
        icon="wrench",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda r: r.number),
            ListColumn(Column("unit", gettext_lazy("试点单位")), lambda r: r.unit.organisation.name),
            ListColumn(Column("round", gettext_lazy("轮次"), "end"), lambda r: r.round),
            ListColumn(Column("repeat", gettext_lazy("再次整改")), _again),
            ListColumn(Column("due", gettext_lazy("期限")), due, "running_due", deadline=True),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        deadline=lambda actor: orders.running_due(),
        due=lambda order: order.running_due,
        forms={
            "issue": ReauthenticatedForm,
            "answer": AnswerForm,
            "accept": AcceptForm,
            "reject": ReasonForm,
            "cancel": ReasonForm,
        },
        effects={
            "issue": gettext_lazy("整改通知送达试点单位，整改期限开始计算"),
            "reject": gettext_lazy("开始新一轮整改，期限重新计算"),
            "accept": gettext_lazy("整改办结；已计入的差错不变"),
        },
        previews={
            "issue": before_issue,
            "accept": before_accept,
            "reject": before_accept,
        },
        danger=frozenset({"reject", "cancel"}),
        verdicts=frozenset({"accept", "reject"}),
        tasks=[
            Task(
                "link_recheck",
                gettext_lazy("指定复查抽样"),
                RecheckForm,
                supervision.link_recheck,
                _recheck_obstacle,
                gettext_lazy("该抽查作出结论后，才能办结整改通知"),
            )
        ],
        links=links,
        creation=Creation(
            gettext_lazy("起草整改通知"),
            RectificationForm,
            supervision.draft_rectification,
            gettext_lazy("成为草稿，由省局负责人签发后送达试点单位，整改期限自签发起计算"),
            about=to_draft_for,
        ),
        search=["unit__organisation__name", "unit__code"],
        related=[
            "unit",
            "unit__organisation",
            "unit__programme",
        ],
        annotations=orders.deadline_parts(),
        prefetched=orders.PREFETCHED,
        province_field="unit__province",
        empty=gettext_lazy("由通信管理局依据差错起草，经负责人签发"),
    )
)
