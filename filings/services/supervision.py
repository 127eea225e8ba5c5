"""What follows from figures: drafting rectification orders and proposing sanctions."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import FindingState, SanctionKind, SanctionState
from filings.models import Finding, Rectification, Sanction
from filings.services.acting import beginner
from filings.services.findings import has_jurisdiction
from pilot import clock
from pilot.actors import Actor
from pilot.enums import UnitStatusKind
from pilot.errors import Refused
from pilot.models import PilotUnit
from pilot.selectors import programmes, register
from pilot.workflow import open_case

MAX_DAYS = 60
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
        raise Refused(_("整改期限应为 1 至 %(most)s 个工作日") % {"most": MAX_DAYS})
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
    return order


@transaction.atomic
def propose_sanction(*, actor: Actor, unit: PilotUnit, kind: str, grounds: str) -> Sanction:
    """Propose suspension or removal; only where the programme holds such a rule, on whose basis it then rests.

    Raises :class:`Refused` without that rule, outside the proposer's province, for a unit that is not in the pilot,
    for a suspension of a suspended unit, or while another proposal is undecided.
    """
    if not programmes.rule(unit.programme, "sanctions"):
        raise Refused(_("本试点项目没有暂停或退出的规则，不能提出"))
    if not has_jurisdiction(actor, unit.province):
        raise Refused(_("只能办理本省注册的试点单位的事项"))
    if kind not in SanctionKind.values:
        raise Refused(_("处理措施不正确"))
    status = register.status_at(unit, clock.now())
    allowed = {UnitStatusKind.ACTIVE} | (
        {UnitStatusKind.SUSPENDED} if kind == SanctionKind.REMOVAL else set()
    )
    if status not in allowed:
        raise Refused(_("该单位当前状态不适用此项措施"))
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
