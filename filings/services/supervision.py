"""What follows from figures: drafting rectification orders and proposing sanctions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings import phrases
from filings.documents import make_hearing_record
from filings.enums import (
    FindingSource,
    FindingState,
    InspectionState,
    RectificationState,
    SanctionKind,
    SanctionState,
)
from filings.models import Finding, Inspection, Rectification, Sanction
from filings.phrases import field_words
from filings.services.acting import beginner
from filings.services.findings import has_jurisdiction
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import UnitStatusKind
from pilot.errors import NotPermitted, Refused
from pilot.language import on_record
from pilot.models import PilotUnit, Programme, TransitionRecord
from pilot.selectors import programmes, register
from pilot.services import audit
from pilot.workflow import open_case

MAX_DAYS = 60
NO_RULE = gettext_lazy("本试点项目没有暂停或退出的规则，不能提出")
UNDECIDED = (SanctionState.PROPOSED, SanctionState.HEARING, SanctionState.HEARD)


@transaction.atomic
def draft_rectification(
    *,
    actor: Actor,
    unit: PilotUnit,
    findings: Iterable[Finding],
    reasons: str,
    measures: str,
    days: int | None = None,
) -> Rectification:
    """A reviewer drafts an order from findings of one unit; ``days`` are working days (default: programme's rule).

    Raises :class:`Refused` for a unit of another province, without findings, with findings of another unit or
    overturned ones, or for a time outside 1 … 60 working days.
    """
    chosen = list(findings)
    if not has_jurisdiction(actor, unit.province):
        raise Refused(_("只能办理本省注册的试点单位的事项"))
    if not chosen:
        raise Refused(_("整改通知须列明至少一条差错"))
    if any(finding.unit_id != unit.pk or finding.state == FindingState.OVERTURNED for finding in chosen):
        raise Refused(_("所列差错须属于该单位且未被撤销"))
    days = programmes.rule(unit.programme, "rectification_days") if days is None else days
    if not 1 <= days <= MAX_DAYS:
        raise Refused(_("整改期限应为 1 至 %(most)s 个工作日") % {"most": MAX_DAYS}, field="days")
    order = Rectification(
        case_key=uuid4(),
        unit=unit,
        reasons=reasons.strip(),
        measures=measures.strip(),
        days=days,
        drafted_by_id=beginner(actor).person,
    )
    open_case(order, actor=actor)
    order.findings.set(chosen)
    if earlier := earlier_order(unit=unit, findings=chosen, but=order):
        order.repeat_of = earlier
        order.save(update_fields=["repeat_of"])
    return order


def earlier_order(
    *, unit: PilotUnit, findings: Iterable[Finding], but: Rectification | None = None
) -> Rectification | None:
    """The last order issued to a unit for the same cause: one the unit named; where none is named, the same item."""
    rows = list(findings)
    same = Q(findings__cause__in={row.cause_id for row in rows if row.cause_id is not None})
    unnamed = {(row.kind, row.field) for row in rows if row.cause_id is None}
    for kind, field in sorted(unnamed):
        same |= Q(findings__kind=kind, findings__field=field)
    issued = Rectification.unscoped.filter(unit=unit, issued_by__isnull=False)
    issued = issued.exclude(state=RectificationState.CANCELLED)
    found: Rectification | None = issued.filter(same).exclude(pk=but.pk if but else 0).order_by("-pk").first()
    return found


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What an order about these findings may say: its grounds, one per line, and the names of fitting phrases."""

    reasons: str
    phrases: list[str]


def suggest(*, unit: PilotUnit, findings: Iterable[Finding]) -> Suggestion:
    """Words for an order from its findings, in the letter's Chinese: by cause and item, with counts, most first."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    kinds = set()
    for finding in findings:
        kinds.add(finding.kind)
        cause = finding.cause.text if finding.cause else ""
        groups.setdefault((cause, finding.field, finding.source), []).append(finding)
    lines = []
    with on_record():
        for (cause, field, source), rows in sorted(groups.items(), key=lambda group: -len(group[1])):
            again = earlier_order(unit=unit, findings=rows)
            states = Counter(row.state for row in rows)
            lines.append(
                phrases.reason(
                    item=field_words(field),
                    source=str(FindingSource(source).label),
                    number=len(rows),
                    states=[(str(state.label), states[state]) for state in FindingState if states[state]],
                    cause=cause,
                    again=again.number if again else "",
                )
            )
    return Suggestion("\n".join(lines), phrases.fitting(kinds))


OPEN_ORDERS = (RectificationState.ISSUED, RectificationState.OVERDUE, RectificationState.ANSWERED)


@audit.denials_recorded("rectification.link_recheck")
@transaction.atomic
def link_recheck(*, case: Rectification, actor: Actor, recheck: Inspection) -> Rectification:
    """The bureau names the fresh sample by which an answer is checked.

    Raises :class:`NotPermitted` for others, :class:`Refused` for an order that is not under way, and for an inspection
    of another unit, planned before the order was issued, or cancelled.
    """
    if not policy.may_act(Rectification.slug(), "link_recheck", actor.role):
        raise NotPermitted(_("由通信管理局安排复查"))
    order: Rectification = (
        Rectification.unscoped.select_for_update(of=("self",)).select_related("unit").get(pk=case.pk)
    )
    if not has_jurisdiction(actor, order.unit.province):
        raise NotPermitted(_("只能办理本省注册的试点单位的事项"))
    if order.state not in OPEN_ORDERS:
        raise Refused(_("整改通知签发后、办结前可以安排复查"))
    if recheck not in rechecks_for(order):
        raise Refused(_("复查须是整改通知签发后对该单位另行抽样的抽查"))
    order.recheck = recheck
    order.save(update_fields=["recheck"])
    audit.record(
        action="rectification.link_recheck", actor=actor, subject=order, detail={"inspection": recheck.number}
    )
    return order


def rechecks_for(order: Rectification) -> QuerySet[Inspection]:
    """The inspections that can serve as recheck of an order: of its unit, planned since its issue, not cancelled."""
    issued = TransitionRecord.objects.filter(
        machine=Rectification.slug(), object_id=order.pk, name="issue"
    ).order_by("pk")
    rows: QuerySet[Inspection] = Inspection.unscoped.filter(
        unit=order.unit, opened_at__gte=issued.values("at")[:1]
    )
    return rows.exclude(state=InspectionState.CANCELLED).order_by("-pk")


def sanctioning(among: Iterable[Programme]) -> list[Programme]:
    """Those of the programmes that hold a rule on suspension and removal today."""
    return [programme for programme in among if programmes.rule(programme, "sanctions")]


@transaction.atomic
def propose_sanction(*, actor: Actor, unit: PilotUnit, kind: str, grounds: str) -> Sanction:
    """Propose suspension or removal; only where the programme holds such a rule, on whose basis it then rests.

    Raises :class:`Refused` without that rule, outside the proposer's province, for a unit that is not in the pilot,
    for a suspension of a suspended unit, or while another proposal is undecided.
    """
    # Of two at one moment one is refused.
    PilotUnit.unscoped.select_for_update(of=("self",), no_key=True).get(pk=unit.pk)
    if not sanctioning([unit.programme]):
        raise Refused(NO_RULE)
    if not has_jurisdiction(actor, unit.province):
        raise Refused(_("只能办理本省注册的试点单位的事项"))
    if kind not in SanctionKind.values:
        raise Refused(_("处理措施不正确"), field="kind")
    status = register.status_at(unit, clock.now())
    allowed = {UnitStatusKind.ACTIVE} | (
        {UnitStatusKind.SUSPENDED} if kind == SanctionKind.REMOVAL else set()
    )
    if status not in allowed:
        raise Refused(_("该单位当前状态不适用此项措施"), field="kind")
    if Sanction.unscoped.filter(unit=unit, state__in=UNDECIDED).exists():
        raise Refused(_("该单位已有正在办理的处理建议"))
    by = beginner(actor)
    sanction = Sanction(
        case_key=uuid4(),
        unit=unit,
        kind=kind,
        grounds=grounds.strip(),
        basis=programmes.rule_basis(unit.programme, "sanctions"),
        proposed_by_id=by.person,
        proposer_organisation_id=by.organisation,
    )
    open_case(sanction, actor=actor)
    return sanction


@audit.denials_recorded("sanction.record_hearing")
@transaction.atomic
def record_hearing(*, case: Sanction, actor: Actor, opinion: str) -> Sanction:
    """The office that proposed it receives the unit's statement: an official judges it, and the record is made.

    Raises :class:`NotPermitted` for another office, :class:`Refused` without a statement or an opinion, and where the
    record was made before.
    """
    if not policy.may_act(Sanction.slug(), "record_hearing", actor.role):
        raise NotPermitted(_("由提出处理建议的单位办理"))
    sanction: Sanction = (
        Sanction.unscoped.select_for_update(of=("self",))
        .select_related("unit__organisation", "unit__programme", "proposer_organisation")
        .get(pk=case.pk)
    )
    if why := hearing_obstacle(sanction, actor):
        raise Refused(why)
    if not opinion.strip():
        raise Refused(_("请填写复核意见"), field="opinion")
    sanction.hearing_opinion = opinion.strip()
    sanction.heard_by_id = actor.acting_person
    sanction.save(update_fields=["hearing_opinion", "heard_by"])
    make_hearing_record(sanction=sanction, at=clock.now())
    audit.record(action="sanction.record_hearing", actor=actor, subject=sanction)
    return sanction


def hearing_obstacle(sanction: Sanction, actor: Actor) -> str | None:
    """Why a statement cannot be received now, in words; None where it can."""
    if actor.organisation_id != sanction.proposer_organisation_id:
        return _("由提出处理建议的单位办理")
    if sanction.state != SanctionState.HEARD or not sanction.statement:
        return _("没有待接收的陈述申辩")
    return None if sanction.heard_by_id is None else _("陈述申辩记录已经形成")


def bad_record(unit: PilotUnit) -> QuerySet[Rectification]:
    """What whoever proposes a sanction should know: orders about the same cause, of several rounds, or overdue."""
    return bad_orders(Rectification.unscoped.filter(unit=unit))


def bad_orders(orders: QuerySet[Rectification]) -> QuerySet[Rectification]:
    """Those of the orders that were issued and are about the same cause again, of several rounds, or overdue."""
    issued = orders.filter(issued_by__isnull=False).exclude(state=RectificationState.CANCELLED)
    return issued.filter(
        Q(repeat_of__isnull=False) | Q(round__gt=1) | Q(state=RectificationState.OVERDUE)
    ).order_by("-pk")


def grounds_of(unit: PilotUnit) -> str:
    """The facts of a unit's record as a letter would name them, one per line: orders again, of rounds, overdue."""
    facts = []
    for order in bad_record(unit).select_related("repeat_of"):
        parts = [f"就同一原因再次整改（前次{order.repeat_of.number}）"] if order.repeat_of else []
        parts += [f"第{order.round}轮整改"] if order.round > 1 else []
        parts += ["逾期未提交整改报告"] if order.state == RectificationState.OVERDUE else []
        facts.append(f"整改通知{order.number}：{'，'.join(parts)}。")
    return "\n".join(facts)
