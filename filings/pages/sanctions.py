"""Suspension and removal as the portal shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import SanctionState
from filings.forms.measures import EffectForm, HearingForm, LiftForm, SanctionForm, StatementForm
from filings.models import Rectification, Sanction
from filings.pages import common
from filings.selectors import sanctions
from filings.services import supervision
from pilot import policy
from pilot.actors import Actor
from pilot.due import cell as due_cell
from pilot.enums import Role
from pilot.forms import ReasonForm
from pilot.masking import staff
from pilot.models import Programme
from pilot.pages import objection_link
from pilot.registry import Creation, ListColumn, MachinePages, Task, register
from pilot.rules import last_moment, local_day
from pilot.tones import state_tag
from pilot.ui import Column, Fact, Link, Row, Section, Tag

S = SanctionState
NEXT_DAY = Coalesce("due_at", "effect_from")
HEARD = {S.HEARD, S.IMPOSED, S.LIFTED}  # the time to make a statement is over


def facts(sanction: Sanction, actor: Actor) -> list[Fact]:
    """Measure, grounds, basis, what the unit said, and from when it holds; officials also read by whom."""
    heard = sanction.statement or (_("未提出") if sanction.state in HEARD else None)
    until = sanction.due_at and local_day(last_moment(sanction.due_at))
    found = [
        Fact(_("试点单位"), common.unit_link(sanction.unit)),
        Fact(_("措施"), sanction.get_kind_display()),
        Fact(_("事实和理由"), sanction.grounds),
        Fact(_("依据"), sanction.basis),
        Fact(_("提出单位"), sanction.proposer_organisation.name),
        Fact(_("陈述申辩截止"), until, _("含当日")) if until else None,
        Fact(_("陈述申辩"), heard),
        Fact(_("复核意见"), sanction.hearing_opinion),
        Fact(_("生效时间"), sanction.effect_from),
        *([] if actor.is_provider else _by_whom(sanction)),
    ]
    return [fact for fact in found if fact]


def _by_whom(sanction: Sanction) -> list[Fact]:
    return [
        Fact(_("提出人"), staff(sanction.proposed_by)),
        Fact(_("陈述申辩接收人"), staff(sanction.heard_by)),
        Fact(_("决定人"), staff(sanctions.decider(sanction))),
    ]


def due(sanction: Sanction) -> Any:
    """The next date to know of: the last day to be heard, or from when the decision holds."""
    if sanction.due_at is not None:
        return due_cell(sanction.due_at, words=_("陈述申辩至 %(day)s"))
    if sanction.effect_from is not None:
        return _("%(day)s 起生效") % {"day": local_day(sanction.effect_from).isoformat()}
    return None


def sections(sanction: Sanction, actor: Actor) -> list[Section]:
    """The unit's files, and what stands on its record."""
    files = common.proof_section(_("陈述申辩材料"), sanction, actor)
    return [*files, *record_section(supervision.bad_record(sanction.unit))]


def record_section(orders: Any, *, empty: str = "") -> list[Section]:
    """Orders that whoever proposes or decides a sanction should know of: about the same cause, of rounds, overdue."""
    rows = list(orders.select_related("unit__organisation", "repeat_of"))
    if not rows and not empty:
        return []
    return [
        Section(
            _("再次、多轮或逾期的整改通知"),
            columns=[
                Column("number", _("编号")),
                Column("unit", _("试点单位")),
                Column("repeat", _("再次整改")),
                Column("round", _("轮次"), "end"),
                Column("state", _("状态")),
            ],
            rows=[
                Row(
                    reverse("rectification_detail", args=[one.pk]),
                    [
                        one.number,
                        f"{one.unit.code} {one.unit.organisation.name}",
                        Tag(_("再次：前次 %(number)s") % {"number": one.repeat_of.number}, "warning")
                        if one.repeat_of
                        else None,
                        one.round,
                        state_tag(one),
                    ],
                )
                for one in rows
            ],
            empty=empty,
        )
    ]


def on_record(form: Any, actor: Actor) -> list[Section]:
    """Before a sanction is proposed: the record of the units it may be proposed for, or that no rule allows any."""
    offered = form.fields["unit"].queryset.order_by().values("programme")
    if not supervision.sanctioning(Programme.objects.filter(pk__in=offered)):
        return [no_rule(actor)]
    seen = Rectification.objects.visible_to(actor)
    return record_section(supervision.bad_orders(seen)[:50], empty=_("没有这样的整改通知"))


def no_rule(actor: Actor) -> Section:
    """Why nobody can be suspended or removed, with the way to the rule for those who may read it."""
    rule = Link(_("查看“暂停与退出”规则"), reverse("rule_detail", args=["sanctions"]))
    return Section(
        _("现在不能提出暂停或退出"),
        empty=str(supervision.NO_RULE),
        more=rule if policy.may_open("rule_detail", actor.role) else None,
        blocks=True,
    )


def before_act(sanction: Sanction, actor: Actor) -> list[Section]:
    """What the unit answers, an office judges and an approver decides: facts, basis, statement, record."""
    return [Section(_("处理建议"), facts=facts(sanction, actor)), *sections(sanction, actor)]


def _hearing_obstacle(sanction: Sanction, actor: Actor) -> str | None:
    return supervision.hearing_obstacle(sanction, actor)


def waiting(actor: Actor) -> Q | None:
    """The proposer's side notifies, the unit is heard, an approver who did not propose it decides."""
    if actor.role == Role.MINISTRY_APPROVER:
        ready = Q(statement="") | Q(heard_by__isnull=False)
        return Q(state=S.HEARD) & ready & ~Q(proposed_by=actor.person_id)
    if actor.is_provider:
        return Q(state=S.HEARING)
    if actor.is_bureau or actor.is_ministry:
        received = Q(state=S.HEARD, heard_by__isnull=True) & ~Q(statement="")
        return (Q(state=S.PROPOSED) | received) & Q(proposer_organisation=actor.organisation_id)
    return None


def awaits(sanction: Sanction, actor: Actor) -> str:
    """A statement is received by the office that proposed it before an approver may decide."""
    if sanction.state == S.HEARD and sanction.statement and sanction.heard_by_id is None:
        return _("%(office)s（接收陈述申辩）") % {"office": sanction.proposer_organisation.name}
    return ""


register(
    MachinePages(
        model=Sanction,
        label=gettext_lazy("暂停与退出"),
        group=common.GROUP,
        icon="ban",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda s: s.number),
            ListColumn(Column("unit", gettext_lazy("试点单位")), lambda s: s.unit.organisation.name),
            ListColumn(Column("kind", gettext_lazy("措施")), lambda s: str(s.get_kind_display())),
            ListColumn(Column("due", gettext_lazy("期限")), due, "next_day", deadline=True),
        ],
        facts=facts,
        sections=sections,
        waiting=waiting,
        deadline=lambda actor: NEXT_DAY,
        previews=dict.fromkeys(("close_hearing", "record_hearing", "impose", "drop"), before_act),
        tasks=[
            Task(
                "record_hearing",
                gettext_lazy("接收陈述申辩"),
                HearingForm,
                supervision.record_hearing,
                _hearing_obstacle,
                gettext_lazy("由您接收并复核，形成陈述申辩记录；此后可以作出决定"),
            )
        ],
        awaits=awaits,
        acts={"close_hearing": gettext_lazy("提交陈述申辩意见")},
        forms={
            "close_hearing": StatementForm,
            "impose": EffectForm,
            "drop": ReasonForm,
            "lift": LiftForm,
        },
        effects={
            "notify": gettext_lazy("向试点单位送达告知函，陈述申辩期限开始计算"),
            "close_hearing": gettext_lazy(
                "意见和材料一次提交：提交后陈述申辩期即告结束，不能再修改或补充；由提出处理建议的单位接收并复核"
            ),
            "impose": gettext_lazy("自生效时间起变更试点单位名录中的状态，并送达决定"),
            "lift": gettext_lazy("自恢复时间起，该单位重新成为有效试点单位"),
        },
        danger=frozenset({"impose", "drop"}),
        creation=Creation(
            gettext_lazy("提出暂停或退出"),
            SanctionForm,
            supervision.propose_sanction,
            gettext_lazy("由提出的单位向试点单位告知，听取陈述申辩后由部审批人员决定"),
            about=on_record,
        ),
        search=["unit__organisation__name", "unit__code"],
        annotations={"next_day": NEXT_DAY},
        related=[
            "unit",
            "unit__organisation",
            "unit__programme",
            "proposer_organisation",
        ],
        province_field="unit__province",
        empty=gettext_lazy("87号文未规定暂停或退出；试点项目另有规则的才会出现"),
        links=lambda sanction, actor: objection_link(Sanction.slug(), sanction, actor),
    )
)
