"""Reads of the V3.0 service: who has it, what waits to be fetched, what was called lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q, QuerySet

from filings.enums import JobState
from filings.models import UploadJob, V3Access, V3Upload
from pilot import clock
from pilot.actors import Actor
from pilot.models import AuditEntry, PilotUnit

OPEN: Final = (JobState.RECEIVED, JobState.PROCESSING)
ENDED: Final = (JobState.DONE, JobState.FAILED)
LOOK_BACK: Final = timedelta(days=30)
CALLS_SHOWN: Final = 20
ID_DIGITS: Final = 18


def is_offered() -> bool:
    """Whether any unit has the service on; while none has, it does not exist."""
    return V3Access.unscoped.filter(enabled=True).exists()


def access_of(unit: PilotUnit) -> V3Access | None:
    """The access of a unit, if it ever had one."""
    access: V3Access | None = V3Access.unscoped.select_related("unit__organisation").filter(unit=unit).first()
    return access


def unit_called(isp_id: str) -> PilotUnit | None:
    """The pilot unit whose national id a caller names."""
    if not (isp_id.isascii() and isp_id.isdigit() and len(isp_id) <= ID_DIGITS):
        return None
    unit: PilotUnit | None = (
        PilotUnit.unscoped.select_related("organisation", "programme").filter(national_id=int(isp_id)).first()
    )
    return unit


def own_unit(actor: Actor) -> PilotUnit | None:
    """The newest unit of the actor's organisation."""
    units = PilotUnit.objects.visible_to(actor).select_related("organisation")
    unit: PilotUnit | None = units.order_by("-pk").first()
    return unit


def results_waiting(unit: PilotUnit) -> QuerySet[V3Upload]:
    """Accepted files whose result is ready and not acknowledged, oldest first."""
    ready = Q(job__isnull=True) | Q(job__state__in=ENDED)
    rows: QuerySet[V3Upload] = V3Upload.unscoped.filter(ready, unit=unit, acknowledged_at__isnull=True)
    return rows.select_related("unit", "job").order_by("sequence")


def files_waiting(unit: PilotUnit) -> int:
    """How many accepted files are not processed yet."""
    jobs = UploadJob.unscoped.filter(v3_upload__unit=unit, state__in=OPEN)
    count: int = jobs.count()
    return count


def last_upload(unit: PilotUnit) -> V3Upload | None:
    """The last accepted file."""
    rows: QuerySet[V3Upload] = V3Upload.unscoped.filter(unit=unit).select_related("job")
    return rows.order_by("-sequence").first()


def last_calls(access: V3Access) -> list[AuditEntry]:
    """The newest calls of the last 30 days, from the audit log."""
    rows = AuditEntry.objects.filter(
        object_type=V3Access._meta.model_name,
        object_id=str(access.pk),
        action__startswith="v3.",
        at__gte=clock.security_now() - LOOK_BACK,
    )
    return list(rows.order_by("-pk")[:CALLS_SHOWN])
