"""Reads around the approval list: who still waits for a decision, what was published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from assessment.enums import AssessmentState, ListState
from assessment.models import ApprovalList, ApprovalListEntry, CapabilityAssessment
from assessment.selectors import applicants
from pilot.enums import Province
from pilot.models import PilotUnit, Programme

FIXED = (ListState.PREPARED, ListState.APPROVED, ListState.PUBLISHED)


def undecided(programme: Programme) -> QuerySet[Application]:
    """The reported applications that stand on no list yet, in the order of the list."""
    on_a_list = Exists(ApprovalListEntry.unscoped.filter(application=OuterRef("pk")))
    applications: QuerySet[Application] = Application.unscoped.filter(
        ~on_a_list, programme=programme, state=ApplicationState.REPORTED
    )
    return applications.select_related("provider").order_by("province", "acceptance_number", "pk")


def entries(approval_list: ApprovalList) -> QuerySet[ApprovalListEntry]:
    """The entries in the order of the list: by province, then number."""
    rows: QuerySet[ApprovalListEntry] = ApprovalListEntry.unscoped.filter(approval_list=approval_list)
    return rows.select_related("application__provider").order_by(
        "application__province", "application__acceptance_number", "application_id"
    )


def unconcluded(approval_list: ApprovalList) -> QuerySet[CapabilityAssessment]:
    """The assessments of applicants on the list that have no conclusion yet."""
    assessments: QuerySet[CapabilityAssessment] = CapabilityAssessment.unscoped.filter(
        application__list_entries__approval_list=approval_list
    )
    return assessments.exclude(state__in=[AssessmentState.CONCLUDED, AssessmentState.CANCELLED])


def obstacle_to_withdrawal(application: Application) -> str | None:
    """An application that stands on a prepared, approved or published list stays (design.md, Application)."""
    fixed = ApprovalListEntry.unscoped.filter(application=application, approval_list__state__in=FIXED)
    return _("该申请已列入提请批准的名单，不能撤回") if fixed.exists() else None


@dataclass(frozen=True, slots=True)
class PublishedUnit:
    """One pilot unit as everyone may read it."""

    code: str
    name: str
    province: str
    licence: str


@dataclass(frozen=True, slots=True)
class PublishedList:
    """One published list as everyone may read it."""

    sequence: int
    published_at: datetime
    effective_from: datetime
    units: tuple[PublishedUnit, ...]


def published(programme: Programme) -> list[PublishedList]:
    """The published lists, newest first: only who was taken in. Three queries, whatever the length."""
    lists = ApprovalList.unscoped.filter(programme=programme, state=ListState.PUBLISHED).order_by("-sequence")
    rows = list(
        ApprovalListEntry.unscoped.filter(approval_list__in=lists, listed=True)
        .select_related("application__provider")
        .order_by("application__province", "application__acceptance_number", "application_id")
    )
    codes = unit_codes(programme)
    facts = applicants.facts_of_many([row.application for row in rows])
    units: dict[Any, list[PublishedUnit]] = {}
    for row in rows:
        application = row.application
        units.setdefault(row.approval_list_id, []).append(
            PublishedUnit(
                code=codes.get(application.provider_id, ""),
                name=application.provider.name,
                province=str(Province(application.province).label),
                licence=facts[application.pk].licence,
            )
        )
    return [
        PublishedList(row.sequence, row.published_at, row.effective_from, tuple(units.get(row.pk, ())))
        for row in lists
    ]


def unit_codes(programme: Programme) -> dict[int, str]:
    """Provider id → code in the register."""
    return dict(PilotUnit.unscoped.filter(programme=programme).values_list("organisation_id", "code"))
