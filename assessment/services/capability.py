"""Capability assessments: planned on receipt, staffed with assessors who have no ties, started when all is declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import Application
from assessment.enums import AssessmentState, DeclarationState
from assessment.models import CapabilityAssessment, InterestDeclaration
from assessment.selectors import candidates, capability
from assessment.services import criteria
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import Membership
from pilot.selectors import people
from pilot.services import notices
from pilot.workflow import Act, fire, open_case


@transaction.atomic
def plan(*, application: Application, actor: Actor, at: datetime) -> CapabilityAssessment:
    """A planned assessment for a recommended application that the ministry received, on the same timeline."""
    criteria.install(application.programme, actor=actor)
    assessment = CapabilityAssessment(application=application, case_key=application.case_key)
    open_case(assessment, actor=actor.downward(), at=at)
    return assessment


def cancel(*, application: Application, act: Act) -> None:
    """End the running assessment of an application that was withdrawn."""
    running = CapabilityAssessment.unscoped.filter(application=application).exclude(state__in=capability.OVER)
    for assessment in running:
        act.downward(assessment, "cancel")


def start_when_clear(*, declaration: InterestDeclaration, act: Act) -> None:
    """Start the assessment once everybody on the panel has declared no interest.

    The assessment is locked first: of two assessors declaring at once the second sees the first.
    """
    assessment: CapabilityAssessment = CapabilityAssessment.unscoped.select_for_update().get(
        pk=declaration.assessment_id
    )
    if assessment.state != AssessmentState.ASSIGNED:
        return
    members = capability.panel(assessment)
    if len(members) >= capability.LEAST_ASSESSORS and all_clear(members):
        fire(assessment, "start", actor=act.actor.downward(), at=act.at)


def all_clear(members: Sequence[InterestDeclaration]) -> bool:
    """Whether all of them have declared no interest."""
    return all(member.state == DeclarationState.CLEAR for member in members)


def ask(
    assessment: CapabilityAssessment, members: Iterable[Membership], act: Act, *, moderator: bool = False
) -> None:
    """Ask assessors to declare their interests and tell them. Raises :class:`Refused` for anybody with ties."""
    asked = list(members)
    against = candidates.ties(assessment, asked, act.actor)
    for member in asked:
        if words := against.get(member.pk):
            raise Refused(_("%(person)s：%(words)s") % {"person": member.person, "words": words})
        declaration = InterestDeclaration(
            assessment=assessment,
            assessor=member.person,
            agency=member.organisation,
            moderator=moderator,
            case_key=assessment.case_key,
        )
        open_case(declaration, actor=act.actor, at=act.at)
        with on_record():
            subject = _("%(number)s · 请申报有无利害关系") % {"number": assessment.number}
        notices.send(
            members=people.person(member.person_id),
            subject=subject,
            machine=InterestDeclaration.slug(),
            object_id=declaration.pk,
            source=act.key,
        )


def distinct(members: Iterable[Membership], *, least: int) -> list[Membership]:
    """The members, one per person. Raises :class:`Refused` when they are fewer than ``least`` people."""
    by_person: dict[Any, Membership] = {member.person_id: member for member in members}
    if len(by_person) < least:
        raise Refused(_("须至少选定 %(n)s 名评估人员") % {"n": least})
    return list(by_person.values())
