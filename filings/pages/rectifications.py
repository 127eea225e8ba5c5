"""Rectification orders as the portal shows them."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import RectificationState
from filings.forms import AnswerForm, RectificationForm
from filings.models import Rectification
from filings.pages import common
from filings.services import supervision
from pilot.actors import Actor
from pilot.enums import Role
from pilot.forms import ReasonForm, ReauthenticatedForm
from pilot.registry import Creation, ListColumn, MachinePages, register
from pilot.ui import Column, Fact, Section

S = RectificationState


def facts(order: Rectification, actor: Actor) -> list[Fact]:
    """What is demanded, why, until when, and what the unit answered."""
    shows_people = not actor.is_provider
    return [
        Fact(_("试点单位"), common.unit_link(order.unit)),
        Fact(_("整改事由"), order.reasons),
        Fact(_("整改要求"), order.measures),
        Fact(_("整改期限（工作日）"), order.days),
        Fact(_("轮次"), order.round),
        Fact(_("整改报告"), order.answer_text),
        Fact(_("拟稿人"), order.drafted_by.name if shows_people else None),
        Fact(_("签发人"), order.issued_by.name if order.issued_by and shows_people else None),
    ]


def sections(order: Rectification, actor: Actor) -> list[Section]:
    """The findings it rests on."""
    return [common.finding_section(_("所依据的差错"), common.visible_findings(actor, rectifications=order))]


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
            ListColumn(Column("due", gettext_lazy("期限")), lambda r: r.due_at, "due_at"),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        forms={
            "issue": ReauthenticatedForm,
            "answer": AnswerForm,
            "reject": ReasonForm,
            "cancel": ReasonForm,
        },
        effects={
            "issue": gettext_lazy("整改通知送达试点单位，整改期限开始计算"),
            "reject": gettext_lazy("开始新一轮整改，期限重新计算"),
            "accept": gettext_lazy("整改办结；已计入的差错不变"),
        },
        danger=frozenset({"reject", "cancel"}),
        creation=Creation(gettext_lazy("起草整改通知"), RectificationForm, supervision.draft_rectification),
        search=["unit__organisation__name", "unit__code"],
        related=["unit", "unit__organisation", "unit__programme", "drafted_by", "issued_by"],
        province_field="unit__province",
        empty=gettext_lazy("由通信管理局依据差错起草，经负责人签发"),
    )
)
