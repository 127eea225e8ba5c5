"""Inspections (抽查): planning, and the readings of every drawn form with the verdict that follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import FindingKind, FindingSource, InspectionState, InspectionStrata
from filings.models import Inspection, InspectionItem, InspectionReading, VerificationForm
from filings.selectors import inspections as selector
from filings.selectors.inspections import FIRST, SECOND, SETTLING
from filings.services import deltas
from filings.services.acting import beginner
from filings.services.figures import read_period
from filings.services.findings import Fault, has_jurisdiction, open_findings
from filings.services.inspection_fields import IDENTITY, WHOLE, described, hidden_fields, judged_fields
from filings.services.reading import opened
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import DataGroup
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import PilotUnit
from pilot.services import audit, disclosure
from pilot.workflow import open_case

MAX_SIZE: Final = 20_000
HOLD: Final = timedelta(minutes=15)
"""How long a form stays with the person who opened it; then it goes to whoever asks next."""
PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an inspection is laid out beside unit, period and size; shares in parts per million, ``second`` in percent.

    ``risk`` and ``tolerated`` set the size: a frame worse than tolerated passes with at most that chance. ``claimed``
    is the rate of wrong forms that the unit claims not to exceed (GB/T 2828.4).
    """

    strata: str = InspectionStrata.NONE
    risk: int = 50_000
    tolerated: int = 500
    accepted: int = 0
    second: int = 0
    claimed: int = 500


@transaction.atomic
def plan_inspection(
    *, actor: Actor, unit: PilotUnit, period: str, size: int, plan: Plan | None = None
) -> Inspection:
    """Plan an inspection of ``size`` forms of one unit and period (``2019-06``, a day, or ``to-date``).

    Raises :class:`Refused` for a unit of another province, an unknown period, or a number outside its range.
    """
    if not has_jurisdiction(actor, unit.province):
        raise Refused(_("只能抽查本省注册的试点单位"))
    if not 1 <= size <= MAX_SIZE:
        raise Refused(_("样本量应为 1 至 %(most)s") % {"most": MAX_SIZE})
    plan = plan or Plan()
    if plan.strata not in InspectionStrata.values or not 0 <= plan.second <= 100 or plan.accepted < 0:
        raise Refused(_("抽查计划的数值不正确"))
    if not all(0 < share < PPM for share in (plan.risk, plan.claimed)) or not 0 <= plan.tolerated < PPM:
        raise Refused(_("抽查计划的数值不正确"))
    by = beginner(actor)
    inspection = Inspection(
        case_key=uuid4(),
        unit=unit,
        organisation_id=by.organisation,
        period=read_period(period).name,
        size=size,
        strata=plan.strata,
        risk_ppm=plan.risk,
        tolerated_ppm=plan.tolerated,
        accepted_errors=plan.accepted,
        second_share=plan.second,
        claimed_ppm=plan.claimed,
        planned_by_id=by.person,
    )
    open_case(inspection, actor=actor)
    return inspection


# --- who reads what -----------------------------------------------------------------------------------
def reads_first(actor: Actor) -> bool:
    """Whether first readings are this actor's office."""
    return policy.may_act(Inspection.slug(), "record_verdict", actor.role)


@transaction.atomic
def next_item(*, actor: Actor, case: Inspection) -> InspectionItem | None:
    """The form this person reads next, held for a quarter of an hour; None when there is none now.

    Two who ask at once get two forms. Raises :class:`Refused` outside the reading phase or for another office.
    """
    _in_hand(case, actor)
    now = clock.now()
    rows = selector.open_for(case.pk, person=actor.person_id, first=reads_first(actor), at=now)
    item: InspectionItem | None = rows.select_for_update(of=("self",), skip_locked=True).first()
    if item is not None:
        item.held_by_id, item.held_until = actor.person_id, now + HOLD
        item.save(update_fields=["held_by", "held_until"])
    return item


def turn_of(item: InspectionItem) -> int:
    """Which reading of an item comes next: the first, the second, or the one that settles two."""
    return 1 + item.readings.count()


@transaction.atomic
def read_item(
    *,
    actor: Actor,
    case: Inspection,
    item: InspectionItem,
    wrong: Sequence[str] = (),
    remark: str = "",
    turn: int | None = None,
) -> InspectionReading:
    """Record what a person found in one drawn form: the fields that are wrong; all others are right.

    The only reading, or the second one if it is the same as the first, gives the item its verdict and opens what
    findings follow; two that differ wait for :func:`settle`. ``turn`` is the reading this person thought to give.
    Raises :class:`Refused` outside the reading phase, for another office, a form that somebody else read meanwhile or
    that this person read before, an unknown field, a fault without a remark, or content seen masked only.
    """
    inspection, row = _locked(case, item, actor)
    now_due = turn_of(row)
    if row.identity_right is not None or now_due > (SECOND if row.second else FIRST):
        raise Refused(_("该核验单不在样本中，或已有检查结果"))
    if not selector.may_settle(row, person=actor.person_id):
        raise Refused(_("您已检查过该核验单，须由另一人进行第二次检查"))
    if turn is not None and turn != now_due:
        raise Refused(_("该核验单刚由他人检查完毕，您的结果没有记录"))
    if now_due == FIRST and not reads_first(actor):
        raise Refused(_("首次检查由经办人员进行"))
    reading = _record(row, actor, now_due, wrong, remark)
    earlier = row.readings.filter(turn=FIRST).first() if now_due == SECOND else None
    if not row.second or (earlier is not None and selector.faults(earlier) == selector.faults(reading)):
        _resolve(inspection, row, actor, earlier or reading)
    return reading


@transaction.atomic
def settle(
    *, actor: Actor, case: Inspection, item: InspectionItem, wrong: Sequence[str] = (), remark: str = ""
) -> InspectionReading:
    """A third person decides between two readings that differ; that is the item's verdict.

    Raises :class:`Refused` for who read the form, where there is nothing to settle, or as :func:`read_item` does.
    """
    inspection, row = _locked(case, item, actor)
    if row.identity_right is not None or turn_of(row) != SETTLING:
        raise Refused(_("该核验单没有需要裁定的分歧"))
    if not selector.may_settle(row, person=actor.person_id):
        raise Refused(_("您检查过该核验单，须由第三人裁定"))
    reading = _record(row, actor, SETTLING, wrong, remark)
    _resolve(inspection, row, actor, reading)
    return reading


@transaction.atomic
def record_verdict(
    *,
    case: Inspection,
    actor: Actor,
    item: InspectionItem,
    identity_right: bool,
    form_right: bool,
    remark: str = "",
) -> InspectionItem:
    """Record a reading that judges a form as a whole: its identity, and the rest of it.

    A form whose identity is wrong is wrong as a form, too. Raises :class:`Refused` as :func:`read_item` does.
    """
    rights = dict(zip(WHOLE, (identity_right, form_right), strict=True))
    wrong = [field for field, right in rights.items() if not right]
    read_item(actor=actor, case=case, item=item, wrong=wrong, remark=remark)
    item.refresh_from_db()
    return item


# --- the law of a reading -----------------------------------------------------------------------------
def _in_hand(inspection: Inspection, actor: Actor) -> None:
    if inspection.state != InspectionState.IN_PROGRESS:
        raise Refused(_("检查尚未开始或已经结束"))
    if inspection.organisation_id != actor.organisation_id:
        raise Refused(_("由制定抽查计划的单位办理"))


def _locked(case: Inspection, item: InspectionItem, actor: Actor) -> tuple[Inspection, InspectionItem]:
    """The inspection, so that it does not end meanwhile, and the item, so that one reading at a time is recorded."""
    inspection = Inspection.unscoped.select_for_update(of=("self",)).select_related("unit").get(pk=case.pk)
    _in_hand(inspection, actor)
    rows = inspection.items.select_for_update(of=("self",)).select_related("form", "form__key")
    row: InspectionItem | None = rows.filter(pk=item.pk).first()
    if row is None:
        raise Refused(_("该核验单不在样本中，或已有检查结果"))
    return inspection, row


def must_look(*, actor: Actor, form: VerificationForm, record: Mapping[str, Any] | None) -> bool:
    """Whether this person saw a form's content masked only, so that no verdict of theirs can rest on it.

    A verdict speaks of every field: what is not found wrong is stated to be right, to the last digit of a certificate.
    A look counts for an hour.
    """
    return bool(hidden_fields(record)) and not disclosure.has_seen(actor, form, DataGroup.FORM)


def _record(
    row: InspectionItem, actor: Actor, turn: int, wrong: Sequence[str], remark: str
) -> InspectionReading:
    record = opened(row.form)
    judged = WHOLE if wrong and set(wrong) <= set(WHOLE) else judged_fields(record)
    remark = remark.strip()
    if wrong and not remark:
        raise Refused(_("有差错时请说明差错内容"))
    if unknown := set(wrong) - set(judged):
        raise Refused(_("没有这些数据项：%(fields)s") % {"fields": "、".join(sorted(unknown))})
    if must_look(actor=actor, form=row.form, record=record):
        raise Refused(_("请先显示该核验单的完整内容：遮盖的数据项无法核对，检查结果没有记录"))
    identity_right = not IDENTITY & set(wrong)
    reading: InspectionReading = InspectionReading.unscoped.create(
        item=row,
        turn=turn,
        fields={field: field not in wrong for field in judged},
        identity_right=identity_right,
        form_right=not wrong,
        remark=remark,
        read_by_id=beginner(actor).person,
        at=clock.now(),
    )
    row.held_by_id, row.held_until = None, None
    row.save(update_fields=["held_by", "held_until"])
    audit.record(
        action="inspection.settle" if turn == SETTLING else "inspection.verdict",
        actor=actor,
        subject=row.inspection,
        detail={"item": row.pk, "turn": turn, "identity_right": identity_right, "form_right": not wrong},
    )
    return reading


def _resolve(inspection: Inspection, row: InspectionItem, actor: Actor, reading: InspectionReading) -> None:
    """The item's verdict is that of this reading; what is wrong opens findings of source inspection."""
    wrong = [field for field, right in reading.fields.items() if not right]
    with on_record():
        row.remark = described(wrong, reading.remark)
    row.identity_right, row.form_right = reading.identity_right, reading.form_right
    row.read_by_id = reading.read_by_id
    with deltas.recorded(unit_id=inspection.unit_id, chains=[row.form.chain_no]):
        row.save(update_fields=["identity_right", "form_right", "remark", "read_by"])
        open_findings(actor=actor, faults=_faults(row, wrong), at=clock.now())


def _faults(item: InspectionItem, wrong: Sequence[str]) -> list[Fault]:
    """One fault per kind: the identity, and everything else."""
    kinds: dict[Any, list[str]] = {
        FindingKind.IDENTITY: [field for field in wrong if field in IDENTITY],
        FindingKind.FORM: [field for field in wrong if field not in IDENTITY],
    }
    return [
        Fault(
            form=item.form,
            source=FindingSource.INSPECTION,
            kind=kind,
            field=str(kind),
            description=item.remark,
        )
        for kind, fields in kinds.items()
        if fields
    ]
