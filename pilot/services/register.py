"""The register of pilot units: enrolment by a published list, status by effect date, scope."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from psycopg.types.range import Range

from pilot import clock, policy, signals
from pilot.actors import Actor
from pilot.enums import FilingType, Province, UnitStatusKind, WindowKind
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.language import on_record
from pilot.models import Organisation, PilotUnit, Programme, ScopeChange, UnitScope, UnitStatus
from pilot.rules import SHANGHAI, local_day
from pilot.scope import Cell, Span, leaves_nothing_open, switched
from pilot.selectors import people, programmes
from pilot.selectors import register as selectors
from pilot.services import audit, notices

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
    provinces: Collection[int] = tuple(Province),
    filing_types: Collection[str] = tuple(FilingType),
) -> PilotUnit:
    """Enter a provider into the register, active from ``effective_from`` until the run phase closes.

    Exactly these provinces and filing types are opened from then on. Raises :class:`Refused` when the provider already
    stands there, or nothing would be opened.
    """
    if not provinces or not filing_types:
        raise Refused(_("请至少开通一个省份和一类备案"))
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
        for province in provinces
        for filing_type in filing_types
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
def annul_status(*, actor: Actor, unit: PilotUnit, kind: str, start: datetime, reason: str) -> None:
    """After an upheld objection to a status a new active range starts; what lay before stays on record.

    Where the unit no longer has that status at ``start``, another decision has taken its place, and that one stands.
    """
    locked = PilotUnit.unscoped.select_for_update().get(pk=unit.pk)
    current = next((r for r in locked.statuses.filter(kind=kind) if start in r.during), None)
    if current is None:
        return
    _opens, run_closes = programmes.window(locked.programme, WindowKind.RUN)
    upper = current.during.upper
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
        active = UnitStatusKind.ACTIVE
        signals.unit_status_changed.send(sender=PilotUnit, unit=locked, at=start, kind=active, reason=reason)


def extend_run(*, actor: Actor, programme: Programme, until: datetime) -> None:
    """The run phase is to close at ``until``: whoever would be in the pilot up to its present end stays until then.

    To be called before the new end holds; units that left before the end, or came back after it, stay as they are.
    """
    _opens, closes = programmes.window(programme, WindowKind.RUN)
    if until <= closes:
        return
    for unit in PilotUnit.unscoped.select_for_update().filter(programme=programme).order_by("pk"):
        ended = unit.statuses.filter(kind=UnitStatusKind.COMPLETED, during__startswith=closes).first()
        if ended is None:
            continue
        last = unit.statuses.filter(during__endswith=closes).first()
        ended.during = Range(until, None)
        ended.save(update_fields=["during"])  # first, for ranges never overlap
        if last is not None:
            last.during = Range(last.during.lower, until)
            last.save(update_fields=["during"])
        detail = {"from": closes.isoformat(), "until": until.isoformat()}
        audit.record(action="register.run_extended", actor=actor, subject=unit, detail=detail)


# --- switches ---------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Switch:
    """What opening or closing would do: from ``moment`` on, the cells that change, as they were and as they will be.

    ``same`` counts the chosen cells that stand so already; ``seen`` is the unit's last change on record (0: none).
    """

    opened: bool
    moment: datetime
    before: dict[Cell, list[Span]]
    after: dict[Cell, list[Span]]
    same: int
    seen: int

    @property
    def provinces(self) -> list[int]:
        """The provinces in which something changes, in official order."""
        return sorted({province for province, _filing_type in self.after})


def plan_switch(
    *,
    unit: PilotUnit,
    provinces: Collection[int],
    filing_types: Collection[str],
    opened: bool,
    effective_from: date,
) -> Switch:
    """What :func:`set_scope` would change now, without changing it; raises :class:`Refused` where it would."""
    if (
        not provinces
        or not filing_types
        or set(provinces) - set(Province)
        or set(filing_types) - set(FilingType)
    ):
        raise Refused(_("请选择省份和备案类型"))
    moment = _effect(unit, effective_from)
    scope = selectors.scope_of(unit)
    chosen = [(province, filing_type) for province in sorted(provinces) for filing_type in filing_types]
    after = {cell: switched(scope.get(cell, []), opened=opened, at=moment) for cell in chosen}
    changed = {cell: spans for cell, spans in after.items() if spans != scope.get(cell, [])}
    if not changed:
        raise Refused(
            _("所选范围自生效时间起已经是开通的") if opened else _("所选范围自生效时间起已经是关闭的")
        )
    if not opened and leaves_nothing_open(scope, scope | changed, since=moment):
        raise Refused(_("关闭后该单位不再有任何开通的范围，等同于暂停，须依暂停程序办理"))
    return Switch(
        opened=opened,
        moment=moment,
        before={cell: scope.get(cell, []) for cell in changed},
        after=changed,
        same=len(chosen) - len(changed),
        seen=ScopeChange.objects.filter(unit=unit).aggregate(last=Max("pk"))["last"] or 0,
    )


def _effect(unit: PilotUnit, day: date) -> datetime:
    """The moment at which a switch of this day takes effect: its first, or, today, at once."""
    now = clock.now()
    if day < local_day(now):
        raise Refused(_("生效日期不得早于今天"))
    moment = max(now, datetime.combine(day, time.min, SHANGHAI))
    opens, closes = programmes.window(unit.programme, WindowKind.RUN)
    if not opens <= moment < closes:
        raise Refused(_("生效日期须在试点运行阶段之内"))
    if selectors.status_at(unit, moment) in {UnitStatusKind.REMOVED, UnitStatusKind.COMPLETED}:
        raise Refused(_("该单位在生效时间已不在试点中"))
    return moment


@audit.denials_recorded("register.scope")
@transaction.atomic
def set_scope(
    *,
    actor: Actor,
    unit: PilotUnit,
    provinces: Collection[int],
    filing_types: Collection[str],
    opened: bool,
    effective_from: date,
    reason: str,
    seen: int | None = None,
) -> ScopeChange:
    """Open or close provinces and filing types of a unit from a day on (today: from now on).

    The last decision holds from its effect on: later openings and closings planned before give way to it. What was
    collected before a closing's effect still counts, whenever it is received.

    Raises :class:`Refused` for a day before today or outside the run phase, for a unit that has left the pilot by
    then, where nothing would change, without a reason, and for closing all that is open: that would be a suspension
    without a hearing. With ``seen``, raises :class:`StateChanged` when the unit's scope was changed since.
    """
    if not policy.may_act("pilot-unit", "set_scope", actor.role):
        raise NotPermitted(_("开通范围由部经办人员调整"))
    if not reason.strip():
        raise Refused(_("请填写理由"), field="reason")
    locked: PilotUnit = PilotUnit.unscoped.select_for_update(of=("self",)).get(pk=unit.pk)
    plan = plan_switch(
        unit=locked,
        provinces=provinces,
        filing_types=filing_types,
        opened=opened,
        effective_from=effective_from,
    )
    if seen is not None and seen != plan.seen:
        raise StateChanged(_("开通范围在此期间已有变更，请核对后重新确认"))
    change: ScopeChange = ScopeChange.objects.create(
        unit=locked,
        opened=opened,
        provinces=sorted(provinces),
        filing_types=[kind for kind in FilingType if kind in filing_types],
        effective_from=plan.moment,
        reason=reason.strip()[:255],
        decided_at=clock.now(),
        decided_by_id=actor.acting_person,
    )
    _apply(locked, plan)
    audit.record(
        action="register.scope",
        actor=actor,
        subject=locked,
        detail={
            "change": change.pk,
            "opened": opened,
            "from": plan.moment.isoformat(),
            "cells": len(plan.after),
        },
    )
    _tell_switched(locked, plan, change)
    return change


def _apply(unit: PilotUnit, plan: Switch) -> None:
    """Bring the unit's ranges in line with the plan; ranges that stay as they are keep their rows."""
    gone = [
        row.pk
        for row in unit.scopes.all()
        if (cell := (row.province, row.filing_type)) in plan.after
        and (row.during.lower, row.during.upper) not in plan.after[cell]
    ]
    UnitScope.objects.filter(pk__in=gone).delete()
    UnitScope.objects.bulk_create(
        UnitScope(unit=unit, province=province, filing_type=filing_type, during=Range(*span))
        for (province, filing_type), spans in plan.after.items()
        for span in spans
        if span not in plan.before[province, filing_type]
    )


def _tell_switched(unit: PilotUnit, plan: Switch, change: ScopeChange) -> None:
    """Tell the unit, its bureau and the bureaus of the provinces in which something changes."""
    with on_record():
        words = (
            _("%(code)s · 自 %(day)s 起开通 %(count)s 个省的备案范围")
            if plan.opened
            else _("%(code)s · 自 %(day)s 起关闭 %(count)s 个省的备案范围")
        )
        day, count = local_day(plan.moment).isoformat(), len(plan.provinces)
        subject = words % {"code": unit.code, "day": day, "count": count}
    concerned = people.bureaus().filter(organisation__province__in=[*plan.provinces, unit.province])
    notices.send(
        members=people.providers(unit.organisation_id) | concerned,
        subject=subject,
        machine="pilot-unit",
        object_id=unit.pk,
        source=f"scope-change:{change.pk}",
        url=f"/units/{unit.code}/",
    )
