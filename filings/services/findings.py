"""Findings (差错): opened by comparison, inspection, or an official's report; each with its time to dispute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import FindingKind, FindingSource
from filings.models import Finding, VerificationForm
from filings.signals import findings_opened
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import PilotUnit
from pilot.selectors import people, programmes
from pilot.services import notices
from pilot.workflow import open_case


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of one form, before it is a finding. ``field`` tells faults of one form and source apart."""

    form: VerificationForm
    source: str
    kind: str
    field: str
    description: str


@transaction.atomic
def open_findings(*, actor: Actor, faults: Iterable[Fault], at: datetime) -> list[Finding]:
    """Open a finding per fault, start the unit's time to dispute, and tell the unit once.

    A fault that already has its finding (same form, source and field) opens no second one.
    """
    by_unit: dict[int, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_unit[fault.form.unit_id].append(fault)
    opened: list[Finding] = []
    for unit in PilotUnit.unscoped.filter(pk__in=by_unit).select_related("programme").order_by("pk"):
        new = _open_for_unit(unit, by_unit[unit.pk], actor, at)
        opened += new
        if new:
            _tell(unit, new)
            findings_opened.send(sender=Finding, unit=unit, findings=new, at=at)
    return opened


def _open_for_unit(unit: PilotUnit, faults: list[Fault], actor: Actor, at: datetime) -> list[Finding]:
    days = programmes.rule(unit.programme, "dispute_days")
    due = programmes.deadline(unit.programme, start=at, days=days)
    known = set(
        Finding.unscoped.filter(form__in=[fault.form.pk for fault in faults]).values_list(
            "form_id", "source", "field"
        )
    )
    opened = []
    for fault in faults:
        key = (fault.form.pk, str(fault.source), fault.field)
        if key in known:
            continue
        known.add(key)
        finding = Finding(
            case_key=uuid4(),
            unit=unit,
            form=fault.form,
            chain_no=fault.form.chain_no,
            day=fault.form.day,
            subject_province=fault.form.subject_province,
            source=fault.source,
            kind=fault.kind,
            field=fault.field,
            description=fault.description,
            found_by_id=actor.person_id,
            due_at=due,
        )
        open_case(finding, actor=actor, at=at)
        opened.append(finding)
    return opened


def _tell(unit: PilotUnit, opened: list[Finding]) -> None:
    """One notice for a batch: a file with a thousand differences is one message, not a thousand."""
    first = opened[0]
    words = {"count": len(opened), "number": first.number}
    with on_record():
        subject = _("新增差错 %(count)s 条（自 %(number)s 起），请在期限内确认或提出异议") % words
    notices.send(
        members=people.providers(unit.organisation_id),
        subject=subject,
        machine=Finding.slug(),
        object_id=first.pk,
        source=f"{Finding.slug()}:{first.pk}:1",
    )


@transaction.atomic
def report_finding(
    *,
    actor: Actor,
    form: VerificationForm,
    field: str,
    kind: str,
    description: str,
    source: str = FindingSource.REPORT,
) -> Finding:
    """An official records a fault known from outside: a report, a letter, a check in the national system.

    Raises :class:`Refused` outside the official's province, for a source that only the portal makes, or where the
    fault is already recorded.
    """
    if not has_jurisdiction(actor, form.subject_province, form.unit.province):
        raise Refused(_("只能记录主体所在省或单位注册省的核验单差错"))
    if source not in {FindingSource.REPORT, FindingSource.NATIONAL} or kind not in FindingKind.values:
        raise Refused(_("差错来源或类型不正确"))
    fault = Fault(form=form, source=source, kind=kind, field=field.strip(), description=description.strip())
    opened = open_findings(actor=actor, faults=[fault], at=clock.now())
    if not opened:
        raise Refused(_("该核验单的此项差错已有记录"))
    return opened[0]


def has_jurisdiction(actor: Actor, *provinces: int) -> bool:
    """Whether an official may decide on something of these provinces: the ministry on all, a bureau on its own."""
    return actor.is_ministry or (actor.is_bureau and actor.province in provinces)
