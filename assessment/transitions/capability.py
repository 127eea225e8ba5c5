"""Capability assessment: assigned, started when all is declared, scored, moderated when scores part, concluded."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assessment import documents
from assessment.enums import DeclarationState
from assessment.models import CapabilityAssessment
from assessment.selectors import capability as selectors
from assessment.services import capability as services
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Membership
from pilot.selectors import people
from pilot.workflow import Act, on


def panel_clear(assessment: CapabilityAssessment, actor: Actor, at: datetime) -> str | None:
    """Guard: everybody has declared, nobody is conflicted."""
    members = selectors.panel(assessment)
    if len(members) < selectors.LEAST_ASSESSORS or not services.all_clear(members):
        return _("评估人员尚未全部声明无利害关系")
    return None


def somebody_missing(assessment: CapabilityAssessment, actor: Actor, at: datetime) -> str | None:
    """Guard: reassigning needs a vacancy, by recusal or because somebody does not answer."""
    return None if selectors.vacancies(assessment).exists() else _("没有回避或未申报的评估人员，无需改派")


def moderator_missing(assessment: CapabilityAssessment, actor: Actor, at: datetime) -> str | None:
    """Guard: a moderator who has declared no interest stays, unless recused."""
    current = selectors.moderator(assessment)
    if current is not None and current.state == DeclarationState.CLEAR:
        return _("现任复议人员没有回避，无需更换")
    return None


def scores_apart(assessment: CapabilityAssessment, actor: Actor, at: datetime) -> str | None:
    """Guard: only scores that part go to moderation."""
    members = selectors.panel(assessment)
    sheets = selectors.sheets_of(members)
    if len(sheets) < len(members) or not selectors.are_apart(sheets, assessment.application.programme):
        return _("评分没有超过限值的分歧")
    return None


def ready_to_conclude(assessment: CapabilityAssessment, actor: Actor, at: datetime) -> str | None:
    """Guard: agreeing scores of at least two, or the moderator's."""
    return selectors.obstacle_to_conclusion(assessment)


def no_assessor(assessment: CapabilityAssessment, actor: Actor, at: datetime) -> str | None:
    """Guard: whoever concludes has not assessed (persons, not roles)."""
    if assessment.declarations.filter(assessor=actor.person_id).exists():
        return _("您是本案评估人员，不能作出结论")
    return None


def officers(assessment: CapabilityAssessment) -> QuerySet[Membership]:
    """The officers who staff and conclude assessments."""
    return people.ministry([Role.MINISTRY_OFFICER])


@on(CapabilityAssessment, "assign")
def assign(assessment: CapabilityAssessment, act: Act) -> None:
    """Ask ``assessors`` (memberships of at least two people) for their interests.

    From now on the case is scored by the catalogue as it stands, whatever edition follows.
    """
    assessment.catalogue_version = selectors.newest_version(assessment.application.programme)
    services.ask(assessment, services.distinct(act.data["assessors"], least=selectors.LEAST_ASSESSORS), act)


@on(CapabilityAssessment, "start", guards=[panel_clear])
def start(assessment: CapabilityAssessment, act: Act) -> None:
    """From now on every assessor of the panel may score."""


@on(CapabilityAssessment, "reassign", guards=[somebody_missing])
def reassign(assessment: CapabilityAssessment, act: Act) -> None:
    """Ask ``assessors`` (memberships) in place of those recused, or where nobody is, of those who do not answer.

    At least two are then on the case.
    """
    vacancies = selectors.vacancies(assessment)
    conflicted = vacancies.filter(state=DeclarationState.CONFLICTED)
    (conflicted if conflicted.exists() else vacancies).update(released_at=act.at)
    staying = len(selectors.panel(assessment))
    new = services.distinct(act.data["assessors"], least=max(1, selectors.LEAST_ASSESSORS - staying))
    services.ask(assessment, new, act)


@on(
    CapabilityAssessment,
    "moderate",
    guards=[scores_apart],
    tell=[officers],
)
def moderate(assessment: CapabilityAssessment, act: Act) -> None:
    """The officer is told to call in a third assessor."""


@on(CapabilityAssessment, "replace", guards=[moderator_missing])
def replace(assessment: CapabilityAssessment, act: Act) -> None:
    """Ask ``moderator`` (a membership) to moderate, in place of one recused or silent."""
    selectors.on_case(assessment).filter(moderator=True).update(released_at=act.at)
    services.ask(assessment, [act.data["moderator"]], act, moderator=True)


@on(CapabilityAssessment, "conclude", guards=[no_assessor, ready_to_conclude])
def conclude(assessment: CapabilityAssessment, act: Act) -> None:
    """Points, verdict and ``conclusion`` in words are fixed; the report is made."""
    assessment.points, assessment.passed = selectors.settled(assessment)
    assessment.conclusion = act.data.get("conclusion", "")
    assessment.concluded_by_id = act.actor.person_id
    documents.assessment_report(assessment, at=act.at)


@on(CapabilityAssessment, "cancel")
def cancel(assessment: CapabilityAssessment, act: Act) -> None:
    """The application was withdrawn; nobody is asked for scores any more."""
