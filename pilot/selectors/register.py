"""Reads of the register: status and scope as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.enums import UnitStatusKind
from pilot.errors import Refused
from pilot.models import AuditEntry, Organisation, PilotUnit, Programme, UnitScope, UnitStatus
from pilot.scope import Cell, Span
from pilot.selectors import programmes

LEFT = (UnitStatusKind.REMOVED, UnitStatusKind.COMPLETED)
EXPIRED = "expired"
DECIDED = ("register.status", "register.reinstate", "register.run_extended", "register.licence")


def units(actor: Actor, *, at: datetime) -> QuerySet[PilotUnit]:
    """The units this actor may know of, each with ``status`` as of ``at``."""
    status = UnitStatus.objects.filter(unit=OuterRef("pk"), during__contains=at).values("kind")[:1]
    visible: QuerySet[PilotUnit] = PilotUnit.objects.visible_to(actor)
    return (
        visible.select_related("organisation", "programme").annotate(status=Subquery(status)).order_by("code")
    )


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


def scope_of(unit: PilotUnit) -> dict[Cell, list[Span]]:
    """Everything ever opened or planned for the unit, by province and filing type, in order of time."""
    scope: dict[Cell, list[Span]] = {}
    for province, filing_type, start, end in sorted(scopes(unit), key=lambda row: row[:3]):
        scope.setdefault((province, filing_type), []).append((start, end))
    return scope


@dataclass(frozen=True, slots=True)
class Opened:
    """How much is open for a unit at a moment: provinces, filing types, and pairs of both."""

    provinces: int = 0
    filing_types: int = 0
    cells: int = 0


def opened(unit_ids: Iterable[int], *, at: datetime) -> dict[int, Opened]:
    """How much is open for each of these units, in one query; a unit with nothing open is left out."""
    rows = UnitScope.objects.filter(unit__in=list(unit_ids), during__contains=at).values("unit")
    counted = rows.annotate(
        provinces=Count("province", distinct=True),
        types=Count("filing_type", distinct=True),
        cells=Count("pk"),
    )
    return {row["unit"]: Opened(row["provinces"], row["types"], row["cells"]) for row in counted}


def open_in(rows: QuerySet[PilotUnit], province: int, *, at: datetime) -> QuerySet[PilotUnit]:
    """Those of the units for which some filing type of a province is open."""
    return rows.filter(
        Exists(UnitScope.objects.filter(unit=OuterRef("pk"), province=province, during__contains=at))
    )


# --- licences ---------------------------------------------------------------------------------------
def watch_days(programme: Programme) -> list[int]:
    """The days before a licence's last day at which people are told, most first; none without such a rule."""
    return sorted(programmes.rule(programme, "licence_watch_days") or [], reverse=True)


def watch_stage(expires_on: date | None, *, today: date, days: Sequence[int]) -> int | None:
    """The last of the watch's marks that a licence has reached; None before the first and without a date."""
    if expires_on is None:
        return None
    return min((mark for mark in days if (expires_on - today).days <= mark), default=None)


def in_pilot(rows: QuerySet[PilotUnit]) -> QuerySet[PilotUnit]:
    """Those of the units, as :func:`units` gives them, that have not left the pilot."""
    return rows.alias(now=F("status")).exclude(now__in=LEFT)


def licence_within(rows: QuerySet[PilotUnit], wanted: str, *, today: date) -> QuerySet[PilotUnit]:
    """Units in the pilot whose licence has expired (``EXPIRED``), or has at most so many days left (a number).

    ``rows`` are those of :func:`units`. A licence is good on its last day; a unit that has left is not watched.
    """
    staying = in_pilot(rows)
    if wanted == EXPIRED:
        return staying.filter(licence_expires_on__lt=today)
    last = today + timedelta(days=int(wanted))
    return staying.filter(licence_expires_on__gte=today, licence_expires_on__lte=last)


# --- who decided ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Decision:
    """An entry into the register, from the audit log: what, when, by which office and person."""

    action: str
    at: datetime
    office: str
    person: str
    detail: dict[str, Any]

    @property
    def effect(self) -> datetime | None:
        """From when it holds; None where the entry says nothing of it."""
        start = self.detail.get("from", "")
        return datetime.fromisoformat(start) if "T" in start else None


def decisions(unit: PilotUnit) -> list[Decision]:
    """Who listed a unit, and everything done to its status and its licence, oldest first.

    The system is no office and no person.
    """
    rows = AuditEntry.objects.filter(object_type="pilotunit", object_id=str(unit.pk), outcome="done")
    # By time, for which the entries about an act have an index: there is one of this act for each unit.
    listed = rows.filter(action="register.enrol").order_by("at").values("pk")[:1]
    rows = rows.filter(Q(action__in=DECIDED) | Q(pk__in=listed)).order_by("pk")
    entries = list(
        rows.values_list("action", "business_at", "organisation_id", "person_id", "actor", "detail")
    )
    offices = {office for _action, _at, office, *_rest in entries if office}
    names = dict(Organisation.objects.filter(pk__in=offices).values_list("pk", "name"))
    return [
        Decision(action, at, names.get(office or 0, ""), name if person else "", detail)
        for action, at, office, person, name, detail in entries
    ]
