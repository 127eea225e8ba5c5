"""Inspections (抽查): planning, and the verdict on every drawn form."""

from __future__ import annotations

from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import FindingKind, FindingSource, InspectionState
from filings.models import Inspection, InspectionItem
from filings.services.acting import beginner
from filings.services.figures import read_period
from filings.services.findings import Fault, has_jurisdiction, open_findings
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import PilotUnit
from pilot.services import audit
from pilot.workflow import open_case

MAX_SIZE = 20_000


@transaction.atomic
def plan_inspection(*, actor: Actor, unit: PilotUnit, period: str, size: int) -> Inspection:
    """Plan an inspection of ``size`` forms of one unit and period (``2019-06``, a day, or ``to-date``).

    Raises :class:`Refused` for a unit of another province, an unknown period or a size outside 1 … 20,000.
    """
    if not has_jurisdiction(actor, unit.province):
        raise Refused(_("只能抽查本省注册的试点单位"))
    if not 1 <= size <= MAX_SIZE:
        raise Refused(_("样本量应为 1 至 %(most)s") % {"most": MAX_SIZE})
    by = beginner(actor)
    inspection = Inspection(
        case_key=uuid4(),
        unit=unit,
        organisation_id=by.organisation,
        period=read_period(period).name,
        size=size,
        planned_by_id=by.person,
    )
    open_case(inspection, actor=actor)
    return inspection


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
    """Record what the reader found in one drawn form; what is wrong opens findings of source inspection.

    A form whose identity is wrong is wrong as a form, too. Raises :class:`Refused` outside the reading phase, for
    another office, a form already read, or a fault without a remark.
    """
    inspection = Inspection.unscoped.select_for_update(of=("self",)).select_related("unit").get(pk=case.pk)
    if inspection.state != InspectionState.IN_PROGRESS:
        raise Refused(_("检查尚未开始或已经结束"))
    if inspection.organisation_id != actor.organisation_id:
        raise Refused(_("由制定抽查计划的单位办理"))
    row = inspection.items.select_related("form").filter(pk=item.pk, identity_right__isnull=True).first()
    if row is None:
        raise Refused(_("该核验单不在样本中，或已有检查结果"))
    remark = remark.strip()
    if not (identity_right and form_right) and not remark:
        raise Refused(_("有差错时请说明差错内容"))
    row.identity_right, row.form_right = identity_right, form_right and identity_right
    row.remark, row.read_by_id = remark, actor.person_id
    row.save(update_fields=["identity_right", "form_right", "remark", "read_by"])
    open_findings(actor=actor, faults=_faults(row, form_right=form_right), at=clock.now())
    audit.record(
        action="inspection.verdict",
        actor=actor,
        subject=inspection,
        detail={"item": row.pk, "identity_right": identity_right, "form_right": form_right},
    )
    return row


def _faults(item: InspectionItem, *, form_right: bool) -> list[Fault]:
    wrong = []
    if item.identity_right is False:
        wrong.append((FindingKind.IDENTITY, "identity"))
    if not form_right:
        wrong.append((FindingKind.FORM, "form"))
    return [
        Fault(
            form=item.form, source=FindingSource.INSPECTION, kind=kind, field=field, description=item.remark
        )
        for kind, field in wrong
    ]
