"""Findings (差错): opened by comparison, inspection, or an official's report; each with its time to dispute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from filings.enums import FindingKind, FindingSource, FindingState
from filings.models import Finding, FindingCause, VerificationForm
from filings.services import deltas
from filings.signals import findings_opened
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import PilotUnit
from pilot.selectors import people, programmes
from pilot.services import audit, notices
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
        with deltas.recorded(unit_id=unit.pk, chains={fault.form.chain_no for fault in by_unit[unit.pk]}):
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


# --- causes -----------------------------------------------------------------------------------------
def record_cause_of(
    *, unit: PilotUnit, actor: Actor, at: datetime, cause: FindingCause | None = None, text: str | None = None
) -> FindingCause | None:
    """The cause that findings are put down to: one the unit recorded before, or a new one; None where none is named.

    Words that the unit used before are the same cause. Raises :class:`Refused` for a cause of another unit.
    """
    if cause is not None:
        if cause.unit_id != unit.pk:
            raise Refused(_("只能选用本单位记录的差错原因"))
        return cause
    words = (text or "").strip()
    if not words:
        return None
    known = FindingCause.unscoped.filter(unit=unit, text=words).order_by("pk").first()
    return known or FindingCause.unscoped.create(
        unit=unit, text=words, recorded_by_id=actor.person_id, recorded_at=at
    )


COUNTED = (FindingState.CONFIRMED, FindingState.UPHELD)


@transaction.atomic
def put_down_to_cause(
    *,
    case: Finding,
    actor: Actor,
    others: Iterable[Finding] = (),
    cause: FindingCause | None = None,
    cause_text: str = "",
) -> FindingCause:
    """The unit says afterwards why confirmed findings came about: one cause for all of them, recorded once.

    Raises :class:`Refused` for another unit's findings, for ones not confirmed or upheld, for ones that have their
    cause, and without a cause.
    """
    unit = PilotUnit.unscoped.select_related("organisation").get(pk=case.unit_id)
    if (
        not policy.may_act(Finding.slug(), "record_cause", actor.role)
        or unit.organisation_id != actor.organisation_id
    ):
        raise Refused(_("只能办理本单位的事项"))
    keys = {case.pk, *(other.pk for other in others)}
    rows = list(
        Finding.unscoped.select_for_update(of=("self",)).filter(pk__in=keys, unit=unit).order_by("pk")
    )
    if len(rows) != len(keys) or any(row.state not in COUNTED or row.cause_id is not None for row in rows):
        raise Refused(_("只能为已确认或维持、尚未记录原因的本单位差错记录原因"))
    found = record_cause_of(unit=unit, actor=actor, at=clock.now(), cause=cause, text=cause_text)
    if found is None:
        raise Refused(_("请填写或选择差错原因"))
    Finding.unscoped.filter(pk__in=keys).update(cause=found)
    audit.record(
        action="finding.record_cause", actor=actor, subject=found, detail={"findings": sorted(keys)[:200]}
    )
    return found
