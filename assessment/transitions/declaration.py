"""Declarations of interest: the case opens to those without an interest; an interest may become known later."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assessment.models import CapabilityAssessment, InterestDeclaration
from assessment.selectors import capability
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import Membership
from pilot.selectors import people
from pilot.workflow import Act, on


def own_declaration(declaration: InterestDeclaration, actor: Actor, at: datetime) -> str | None:
    """Guard: assessors declare for themselves; an officer may recuse somebody."""
    if actor.is_assessor and declaration.assessor_id != actor.person_id:
        return _("只能由本人申报")
    return None


def still_on_case(declaration: InterestDeclaration, actor: Actor, at: datetime) -> str | None:
    """Guard: the case still runs and nobody else was asked instead."""
    if declaration.released_at is not None:
        return _("已改派其他评估人员")
    if declaration.assessment.state in capability.OVER:
        return _("评估已经结束")
    return None


def officers(declaration: InterestDeclaration) -> QuerySet[Membership]:
    """The officers who have to find somebody else."""
    return people.ministry([Role.MINISTRY_OFFICER])


@on(InterestDeclaration, "declare_none", guards=[own_declaration, still_on_case])
def declare_none(declaration: InterestDeclaration, act: Act) -> None:
    """The case opens to this assessor; the last one of the panel starts the assessment (``receivers``)."""
    declaration.statement = act.reason


@on(
    InterestDeclaration,
    "declare",
    guards=[own_declaration, still_on_case],
    tell=[officers],
    reason_required=True,
)
def declare(declaration: InterestDeclaration, act: Act) -> None:
    """The interest in words; the assessor never sees the case."""
    declaration.statement = act.reason


@on(
    InterestDeclaration,
    "recuse",
    guards=[own_declaration, still_on_case],
    tell=[officers],
    reason_required=True,
)
def recuse(declaration: InterestDeclaration, act: Act) -> None:
    """Scores already handed in stay on record and no longer count.

    The assessment is locked and looked at again: a conclusion drawn at this moment stands.
    """
    declaration.assessment = CapabilityAssessment.unscoped.select_for_update().get(
        pk=declaration.assessment_id
    )
    if declaration.assessment.state in capability.OVER:
        raise Refused(_("评估已经结束"))
    declaration.statement = act.reason
