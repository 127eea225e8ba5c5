"""Reads of the register: status and scope as plain data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.enums import UnitStatusKind
from pilot.errors import Refused
from pilot.models import PilotUnit, UnitStatus


def units(actor: Actor, *, at: datetime) -> QuerySet[PilotUnit]:
    """The units this actor may know of, each with ``status`` as of ``at``."""
    status = UnitStatus.objects.filter(unit=OuterRef("pk"), during__contains=at).values("kind")[:1]
    visible: QuerySet[PilotUnit] = PilotUnit.objects.visible_to(actor)
    return visible.select_related("organisation").annotate(status=Subquery(status)).order_by("code")


def by_code(code: str) -> PilotUnit:
    """The unit with this code; raises :class:`Refused` in words when there is none."""
    unit: PilotUnit | None = (
        PilotUnit.unscoped.select_related("organisation", "programme").filter(code=code).first()
    )
    if unit is None:
        raise Refused(_("没有代码为 %(code)s 的试点单位") % {"code": code})
    return unit


def status_at(unit: PilotUnit, at: datetime) -> str | None:
    """The status of a unit at a moment; None before it was active."""
    return UnitStatus.objects.filter(unit=unit, during__contains=at).values_list("kind", flat=True).first()


def active_ranges(unit: PilotUnit) -> list[tuple[datetime, datetime | None]]:
    """When the unit was or will be active, as half-open ranges."""
    rows = unit.statuses.filter(kind=UnitStatusKind.ACTIVE).values_list("during", flat=True)
    return [(r.lower, r.upper) for r in rows]


def scopes(unit: PilotUnit) -> list[tuple[int, str, datetime, datetime | None]]:
    """Province, filing type and half-open range of everything opened for the unit."""
    rows: Any = unit.scopes.values_list("province", "filing_type", "during")
    return [(province, filing_type, r.lower, r.upper) for province, filing_type, r in rows]
