"""Reads around the approval list: who still waits for a decision, what a decision rests on, what stands against it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from assessment.enums import AssessmentState, ListState, OpinionState
from assessment.models import (
    ApprovalList,
    ApprovalListEntry,
    CapabilityAssessment,
    Deferral,
    OpinionVersion,
)
from pilot import clock, rules
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.models import Objection, PilotUnit, Programme, TransitionRecord
from pilot.selectors import programmes

FIXED = (ListState.PREPARED, ListState.APPROVED, ListState.PUBLISHED)


def undecided(programme: Programme) -> QuerySet[Application]:
    """The reported applications that stand on no list yet, in the order of the list."""
    on_a_list = Exists(ApprovalListEntry.unscoped.filter(application=OuterRef("pk")))
    applications: QuerySet[Application] = Application.unscoped.filter(
        ~on_a_list, programme=programme, state=ApplicationState.REPORTED
    )
    return applications.select_related("provider").order_by("province", "acceptance_number", "pk")


def first_effect() -> datetime:
    """The earliest midnight from which a list that is begun today may take effect: of the run phase, none gone by."""
    opens, _closes = programmes.window(programmes.current(), WindowKind.RUN)
    return max(opens, rules.end_of(rules.local_day(clock.now())))


def offered(approval_list: ApprovalList) -> QuerySet[Application]:
    """The undecided whom a draft takes in; who was left out of it is offered to the next list only."""
    left_out = Deferral.unscoped.filter(approval_list=approval_list).values("application")
    return undecided(approval_list.programme).exclude(pk__in=left_out)


def deferrals(applications: Collection[Application]) -> dict[int, Deferral]:
    """Application id → why it was last left out of a draft. One query."""
    rows = Deferral.unscoped.filter(application__in=applications).select_related("approval_list")
    rows = rows.only("application", "reason", "approval_list__sequence")
    return {row.application_id: row for row in rows.order_by("pk")}


def entries(approval_list: ApprovalList) -> QuerySet[ApprovalListEntry]:
    """The entries in the order of the list: by province, then number."""
    rows: QuerySet[ApprovalListEntry] = ApprovalListEntry.unscoped.filter(approval_list=approval_list)
    return rows.select_related("application__provider").order_by(
        "application__province", "application__acceptance_number", "application_id"
    )


def decision(application: Application, actor: Actor) -> ApprovalListEntry | None:
    """The line of the last published list that stands for an application, if this actor may read it."""
    lines: QuerySet[ApprovalListEntry] = ApprovalListEntry.objects.visible_to(actor).filter(
        application=application, approval_list__state=ListState.PUBLISHED
    )
    return lines.select_related("approval_list").order_by("approval_list__sequence").last()


def signed_opinions(applications: Collection[Application]) -> dict[int, OpinionVersion]:
    """Application id → the opinion as it was last signed. One query."""
    versions = (
        OpinionVersion.unscoped.filter(
            opinion__application__in=applications, opinion__state=OpinionState.SIGNED
        )
        .select_related("opinion")
        .order_by("opinion__application_id", "-number")
        .distinct("opinion__application_id")
    )
    return {version.opinion.application_id: version for version in versions}


def assessments(applications: Collection[Application]) -> dict[int, CapabilityAssessment]:
    """Application id → its last assessment, if it came to one. One query."""
    found = _last_assessments(applications).select_related("application__programme")
    return {assessment.application_id: assessment for assessment in found}


def assessment_states(applications: Collection[Application]) -> dict[int, str]:
    """Application id → how far its last assessment is, if it came to one. One query."""
    return dict(_last_assessments(applications).values_list("application_id", "state"))


def _last_assessments(applications: Collection[Application]) -> QuerySet[CapabilityAssessment]:
    rows: QuerySet[CapabilityAssessment] = CapabilityAssessment.unscoped.filter(application__in=applications)
    return rows.order_by("application_id", "-pk").distinct("application_id")


def unconcluded(approval_list: ApprovalList) -> QuerySet[CapabilityAssessment]:
    """The assessments of applicants on the list that have no conclusion yet, in the order of the list."""
    assessments: QuerySet[CapabilityAssessment] = CapabilityAssessment.unscoped.filter(
        application__list_entries__approval_list=approval_list
    )
    return (
        assessments.exclude(state__in=[AssessmentState.CONCLUDED, AssessmentState.CANCELLED])
        .select_related("application__provider")
        .order_by("application__province", "application__acceptance_number", "application_id")
    )


def obstacle_to_withdrawal(application: Application) -> str | None:
    """An application that stands on a prepared, approved or published list stays (design.md, Application)."""
    fixed = ApprovalListEntry.unscoped.filter(application=application, approval_list__state__in=FIXED)
    return _("该申请已列入提请批准的名单，不能撤回") if fixed.exists() else None


def enrolled(programme: Programme, applications: Collection[Application]) -> set[int]:
    """The providers among these applicants that stand in the register already."""
    providers = [application.provider_id for application in applications]
    units = PilotUnit.unscoped.filter(programme=programme, organisation__in=providers)
    return set(units.values_list("organisation_id", flat=True))


def unit_codes(programme: Programme) -> dict[int, str]:
    """Provider id → code in the register."""
    return dict(PilotUnit.unscoped.filter(programme=programme).values_list("organisation_id", "code"))


def amended(approval_list: ApprovalList) -> dict[int, int]:
    """Application id → number of the published list that left it off and that this list changes. One query."""
    earlier = ApprovalListEntry.unscoped.filter(
        approval_list__programme=approval_list.programme_id,
        approval_list__sequence__lt=approval_list.sequence,
        approval_list__state=ListState.PUBLISHED,
        listed=False,
    )
    admitted = ApprovalListEntry.unscoped.filter(approval_list=approval_list, listed=True)
    rows = earlier.filter(application__in=admitted.values("application")).order_by("approval_list__sequence")
    return dict(rows.values_list("application_id", "approval_list__sequence"))


def upheld_objection(application: Application) -> Objection | None:
    """The objection to having been left off that was upheld, if any."""
    upheld = Q(against_machine=Application.slug(), against_state=ApplicationState.NOT_LISTED, state="upheld")
    found: Objection | None = Objection.unscoped.filter(upheld, against_id=application.pk).last()
    return found


def decided_by(person_id: int) -> QuerySet[Any]:
    """The applications on published lists on which this person took a step, beyond beginning them (ids)."""
    steps = TransitionRecord.objects.filter(machine=ApprovalList.slug(), person=person_id)
    decided = ApprovalListEntry.unscoped.filter(
        approval_list__in=steps.exclude(name="open").values("object_id"),
        approval_list__state=ListState.PUBLISHED,
    )
    return decided.order_by().values("application")
