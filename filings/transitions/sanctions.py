"""A sanction's life: proposed, the unit heard, decided by another person with an effect date; lifted or annulled.

The notice itself (87号) holds no such rule: a sanction exists only where the programme's data hold one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from filings.documents import make_hearing_record, make_sanction_letter
from filings.enums import SanctionKind
from filings.models import Sanction
from filings.services import attachments
from filings.transitions.guards import bureau_of_unit, clock_ran_out, in_time, own_unit, people_of_unit
from pilot.actors import Actor
from pilot.enums import Role, UnitStatusKind
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import Membership
from pilot.selectors import people, programmes
from pilot.services import register
from pilot.transitions import another_person
from pilot.workflow import Act, on

STATUS = {SanctionKind.SUSPENSION: UnitStatusKind.SUSPENDED, SanctionKind.REMOVAL: UnitStatusKind.REMOVED}
# A form posted at the minute it names may arrive seconds later; that is not a decision about the past.
SAME_MOMENT = timedelta(minutes=1)


def proposers_side(sanction: Sanction, actor: Actor, at: datetime) -> str | None:
    """Guard: the office that proposed it."""
    if actor.organisation_id == sanction.proposer_organisation_id:
        return None
    return _("由提出处理建议的单位办理")


def is_suspension(sanction: Sanction, actor: Actor, at: datetime) -> str | None:
    """Guard: a removal has no end."""
    return None if sanction.kind == SanctionKind.SUSPENSION else _("退出试点的决定不能恢复，只能经申诉撤销")


def proposer(sanction: Sanction) -> QuerySet[Membership]:
    """Audience: the office that proposed it."""
    return people.in_force().filter(organisation=sanction.proposer_organisation_id)


def approvers(sanction: Sanction) -> QuerySet[Membership]:
    """Audience: whoever decides."""
    return people.ministry(roles=[Role.MINISTRY_APPROVER])


@on(Sanction, "notify", guards=[proposers_side], tell=[people_of_unit])
def notify(sanction: Sanction, act: Act) -> None:
    """Tell the unit of its right to be heard, by letter; its time runs."""
    days = programmes.rule(sanction.unit.programme, "hearing_days")
    sanction.due_at = programmes.deadline(sanction.unit.programme, start=act.at, days=days)
    make_sanction_letter(sanction=sanction, stage="hearing", at=act.at)


def statement_in_time(sanction: Sanction, actor: Actor, at: datetime) -> str | None:
    """Guard: the unit states its case within its time; after that the system closes the hearing."""
    return in_time(sanction, actor, at) if actor.is_provider else clock_ran_out(sanction, actor, at)


@on(Sanction, "close_hearing", guards=[own_unit, statement_in_time], tell=[approvers, proposer])
def close_hearing(sanction: Sanction, act: Act) -> None:
    """Take over the unit's ``statement`` and up to five ``proofs``; without one, record that the time is over."""
    if act.actor.is_system:
        make_hearing_record(sanction=sanction, at=act.at)
        return
    sanction.statement = str(act.data.get("statement", "")).strip()
    if not sanction.statement:
        raise Refused(_("请填写陈述申辩意见"), field="statement")
    attachments.attach(cases=[sanction], proofs=act.data.get("proofs") or (), at=act.at)


def statement_recorded(sanction: Sanction, actor: Actor, at: datetime) -> str | None:
    """Guard: what the unit said was received and judged on record before anybody decides."""
    if sanction.statement and sanction.heard_by_id is None:
        return _("须先接收陈述申辩并形成记录")
    return None


@on(
    Sanction,
    "impose",
    guards=[another_person("proposed_by"), statement_recorded],
    tell=[people_of_unit, bureau_of_unit, proposer],
)
def impose(sanction: Sanction, act: Act) -> None:
    """Another person decides; the register changes from ``effect_from`` on, which never lies in the past."""
    effect_from = act.data.get("effect_from") or act.at
    if effect_from < act.at - SAME_MOMENT:
        raise Refused(_("生效时间不得早于决定时间"), field="effect_from")
    sanction.approved_by_id = act.actor.person_id
    sanction.effect_from = max(effect_from, act.at)
    register.set_status(
        actor=act.actor,
        unit=sanction.unit,
        kind=STATUS[SanctionKind(sanction.kind)],
        start=sanction.effect_from,
        reason=f"{sanction.get_kind_display()} {sanction.number}",
    )
    make_sanction_letter(sanction=sanction, stage="imposed", at=act.at)


@on(Sanction, "drop", guards=[proposers_side], tell=[approvers], reason_required=True)
def drop(sanction: Sanction, act: Act) -> None:
    """The proposal is given up; a unit that was told of it reads so on its page."""


@on(Sanction, "lift", guards=[is_suspension], tell=[people_of_unit, bureau_of_unit], reason_required=True)
def lift(sanction: Sanction, act: Act) -> None:
    """The unit is active again from ``effect_from`` on (default: now), and reads so in a letter."""
    start = max(act.data.get("effect_from") or act.at, act.at, _effect(sanction))
    with on_record():
        reason = _("恢复试点 %(number)s") % {"number": sanction.number}
    register.set_status(
        actor=act.actor,
        unit=sanction.unit,
        kind=UnitStatusKind.ACTIVE,
        start=start,
        reason=reason,
    )
    make_sanction_letter(sanction=sanction, stage="lifted", at=act.at, effect_from=start, reason=act.reason)


@on(Sanction, "annul", tell=[people_of_unit, bureau_of_unit, proposer])
def annul(sanction: Sanction, act: Act) -> None:
    """An objection was upheld: a new range of the register starts, what lay before stays on record.

    A removal that followed a suspension is a decision of its own and stands.
    """
    with on_record():
        reason = _("申诉成立，撤销 %(number)s") % {"number": sanction.number}
    register.annul_status(
        actor=act.actor,
        unit=sanction.unit,
        kind=STATUS[SanctionKind(sanction.kind)],
        start=max(act.at, _effect(sanction)),
        reason=reason,
    )


def _effect(sanction: Sanction) -> datetime:
    if sanction.effect_from is None:  # the table's check constraint forbids it
        raise Refused(_("该决定没有生效时间"))
    return sanction.effect_from
