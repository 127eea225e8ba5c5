"""The published lists as everyone may read them: only who was taken in, with the status of each unit as of now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg

from assessment.enums import ListState
from assessment.models import ApprovalList, ApprovalListEntry
from assessment.selectors import applicants
from pilot.enums import FilingType
from pilot.models import Document, PilotUnit, Programme, UnitScope, UnitStatus

NOT_STARTED = "not_started"  # published, but the day of effect has not come


@dataclass(frozen=True, slots=True)
class PublishedUnit:
    """One pilot unit. ``scope``: filing type → provinces opened now; before the day of effect, as they will be."""

    code: str
    name: str
    province: int
    licence: str
    scope: Mapping[str, tuple[int, ...]]
    status: str


@dataclass(frozen=True, slots=True)
class PublishedList:
    """One published list; ``amends``: earlier lists whose decisions it changes, ``amended_by``: later ones."""

    sequence: int
    number: str
    published_at: datetime
    effective_from: datetime
    amends: tuple[int, ...]
    amended_by: tuple[int, ...]
    document: str  # SHA-256 of the PDF
    units: tuple[PublishedUnit, ...]


def published(programme: Programme, *, at: datetime) -> list[PublishedList]:
    """The published lists, newest first, with the register as of ``at``. A fixed number of queries."""
    lists = list(_published(programme).order_by("-sequence"))
    every = ApprovalListEntry.unscoped.filter(approval_list__in=lists).select_related(
        "application__provider", "approval_list"
    )
    entries = list(
        every.order_by("application__province", "application__acceptance_number", "application_id")
    )
    units = _units([entry for entry in entries if entry.listed], programme, at=at)
    amends, amended_by = _amendments(entries)
    papers = dict(
        Document.objects.filter(machine=ApprovalList.slug(), object_id__in=[row.pk for row in lists])
        .order_by("pk")
        .values_list("object_id", "sha256")
    )
    return [
        PublishedList(
            sequence=row.sequence,
            number=row.number,
            published_at=row.published_at,
            effective_from=row.effective_from,
            amends=tuple(sorted(amends.get(row.sequence, ()))),
            amended_by=tuple(sorted(amended_by.get(row.sequence, ()))),
            document=papers.get(row.pk, ""),
            units=tuple(units.get(row.pk, ())),
        )
        for row in lists
    ]


def paper(programme: Programme, sequence: int) -> Document | None:
    """The PDF of a published list; None for a list that is not published."""
    lists = _published(programme).filter(sequence=sequence).values("pk")
    return Document.objects.filter(machine=ApprovalList.slug(), object_id__in=lists).last()


def _published(programme: Programme) -> Any:
    return ApprovalList.unscoped.filter(programme=programme, state=ListState.PUBLISHED)


def _amendments(entries: list[ApprovalListEntry]) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """List → earlier lists it changes, and list → later lists that change it: left off first, taken in later."""
    admitted = {e.application_id: e.approval_list.sequence for e in entries if e.listed}
    amends: dict[int, set[int]] = {}
    amended_by: dict[int, set[int]] = {}
    for entry in entries:
        later = admitted.get(entry.application_id)
        if not entry.listed and later is not None:
            amends.setdefault(later, set()).add(entry.approval_list.sequence)
            amended_by.setdefault(entry.approval_list.sequence, set()).add(later)
    return amends, amended_by


def _units(
    entries: list[ApprovalListEntry], programme: Programme, *, at: datetime
) -> dict[int, list[PublishedUnit]]:
    register = {
        unit.organisation_id: unit
        for unit in PilotUnit.unscoped.filter(programme=programme).only("organisation", "code")
    }
    status = dict(
        UnitStatus.objects.filter(unit__programme=programme, during__contains=at).values_list("unit", "kind")
    )
    opened = _opened(programme, at=at)
    facts = applicants.facts_of_many([entry.application for entry in entries])
    units: dict[int, list[PublishedUnit]] = {}
    for entry in entries:
        application = entry.application
        unit = register[application.provider_id]
        begun = unit.pk in status
        planned = {kind: tuple(entry.provinces) for kind in entry.filing_types}
        units.setdefault(entry.approval_list_id, []).append(
            PublishedUnit(
                code=unit.code,
                name=application.provider.name,
                province=application.province,
                licence=facts[application.pk].licence,
                scope=opened.get(unit.pk, {}) if begun else planned,
                status=status.get(unit.pk, NOT_STARTED),
            )
        )
    return units


def _opened(programme: Programme, *, at: datetime) -> dict[int, dict[str, tuple[int, ...]]]:
    """Unit → filing type → provinces opened at a moment, both in official order."""
    rows = (
        UnitScope.objects.filter(unit__programme=programme, during__contains=at)
        .values("unit", "filing_type")
        .annotate(provinces=ArrayAgg("province", order_by="province"))
        .values_list("unit", "filing_type", "provinces")
    )
    found: dict[int, dict[str, tuple[int, ...]]] = {}
    for unit, kind, provinces in rows:
        found.setdefault(unit, {})[kind] = tuple(provinces)
    order = FilingType.values
    return {
        unit: dict(sorted(kinds.items(), key=lambda k: order.index(k[0]))) for unit, kinds in found.items()
    }
