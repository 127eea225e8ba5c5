"""The register of pilot units: enrolment by a published list, status by effect date, scope."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from psycopg.types.range import Range

from pilot import signals
from pilot.actors import Actor
from pilot.enums import FilingType, Province, UnitStatusKind, WindowKind
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import Organisation, PilotUnit, Programme, UnitScope, UnitStatus
from pilot.selectors import programmes
from pilot.services import audit

FIRST_NATIONAL_ID = 1001
ENROL_LOCK = 872


@transaction.atomic
def enrol_unit(
    *,
    actor: Actor,
    programme: Programme,
    organisation: Organisation,
    case_key: UUID,
    at: datetime,
    effective_from: datetime,
    licence_expires_on: date | None = None,
) -> PilotUnit:
    """Enter a provider into the register, active from ``effective_from`` until the run phase closes.

    Raises :class:`Refused` when it already stands there.
    """
    if PilotUnit.unscoped.filter(programme=programme, organisation=organisation).exists():
        raise Refused(_("%(name)s 已在试点单位名录中") % {"name": organisation.name})
    national_id = _next_national_id()
    unit: PilotUnit = PilotUnit.unscoped.create(
        programme=programme,
        organisation=organisation,
        code=str(national_id),
        national_id=national_id,
        province=organisation.province,
        case_key=case_key,
        licence_expires_on=licence_expires_on,
        enrolled_at=at,
    )
    run_opens, run_closes = programmes.window(programme, WindowKind.RUN)
    start = max(run_opens, effective_from)
    with on_record():
        listed, ended = str(_("列入试点单位名单")), str(_("试点运行阶段结束"))
    UnitStatus.objects.create(
        unit=unit, kind=UnitStatusKind.ACTIVE, during=Range(start, run_closes), reason=listed
    )
    UnitStatus.objects.create(
        unit=unit,
        kind=UnitStatusKind.COMPLETED,
        during=Range(run_closes, None),
        reason=ended,
    )
    UnitScope.objects.bulk_create(
        UnitScope(unit=unit, province=province, filing_type=filing_type, during=Range(start, None))
        for province in Province
        for filing_type in FilingType
    )
    audit.record(action="register.enrol", actor=actor, subject=unit)
    return unit


def _next_national_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ENROL_LOCK])
    highest = PilotUnit.unscoped.aggregate(top=Max("national_id"))["top"]
    return FIRST_NATIONAL_ID if highest is None else int(highest) + 1


@transaction.atomic
def set_status(*, actor: Actor, unit: PilotUnit, kind: str, start: datetime, reason: str) -> None:
    """From ``start`` on the unit has another status, until the next planned change (the end of the run phase).

    Removal has no end. Raises :class:`Refused` when the unit has left the pilot before ``start``.
    """
    locked = PilotUnit.unscoped.select_for_update().get(pk=unit.pk)
    ranges = list(locked.statuses.order_by("during"))
    current = next((r for r in ranges if start in r.during), None)
    if current is None or current.kind in {UnitStatusKind.REMOVED, UnitStatusKind.COMPLETED}:
        raise Refused(_("该单位在生效时间已不在试点中"))
    end: Any = None if kind == UnitStatusKind.REMOVED else current.during.upper
    for later in ranges:
        if later.during.lower >= start and later.pk != current.pk and end is None:
            later.delete()
    _end(current, start)
    UnitStatus.objects.create(unit=locked, kind=kind, during=Range(start, end), reason=reason[:255])
    audit.record(
        action="register.status",
        actor=actor,
        subject=locked,
        detail={"kind": kind, "from": start.isoformat()},
    )
    signals.unit_status_changed.send(sender=PilotUnit, unit=locked, at=start, kind=kind, reason=reason)


def _end(status: UnitStatus, at: datetime) -> None:
    """A range ends at ``at``; one that would begin there never takes effect and goes."""
    if status.during.lower == at:
        status.delete()
    else:
        status.during = Range(status.during.lower, at)
        status.save(update_fields=["during"])


@transaction.atomic
def annul_status(*, actor: Actor, unit: PilotUnit, start: datetime, reason: str) -> None:
    """After an upheld objection a new active range starts; what lay before stays on record."""
    locked = PilotUnit.unscoped.select_for_update().get(pk=unit.pk)
    current = next((r for r in locked.statuses.all() if start in r.during), None)
    if current is not None and current.kind == UnitStatusKind.ACTIVE:
        return
    _opens, run_closes = programmes.window(locked.programme, WindowKind.RUN)
    upper = current.during.upper if current is not None else None
    if current is not None:
        _end(current, start)
    if start < run_closes:
        UnitStatus.objects.create(
            unit=locked,
            kind=UnitStatusKind.ACTIVE,
            during=Range(start, upper or run_closes),
            reason=reason[:255],
        )
    if upper is None:
        with on_record():
            ended = str(_("试点运行阶段结束"))
        UnitStatus.objects.create(
            unit=locked,
            kind=UnitStatusKind.COMPLETED,
            during=Range(max(start, run_closes), None),
            reason=ended,
        )
    audit.record(action="register.reinstate", actor=actor, subject=locked, detail={"from": start.isoformat()})
    if start < run_closes:
        kind = UnitStatusKind.ACTIVE
        signals.unit_status_changed.send(sender=PilotUnit, unit=locked, at=start, kind=kind, reason=reason)
