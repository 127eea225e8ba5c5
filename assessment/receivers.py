"""Answers to signals from below; thin: one service call each."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from applications.enums import ApplicationState
from applications.models import Application
from applications.signals import application_visibility, withdrawal_obstacle
from assessment.models import InterestDeclaration
from assessment.selectors import lists
from assessment.selectors.applicants import open_to_assessor
from assessment.services import capability, opinions, scores
from assessment.services import lists as list_services
from pilot.models import Objection
from pilot.signals import case_moved, decision_hands, objection_upheld
from pilot.workflow import Act

withdrawal_obstacle(lists.obstacle_to_withdrawal)
application_visibility(open_to_assessor)


@receiver(case_moved, sender=Application)
def open_opinion(sender: Any, case: Application, act: Act, **kwargs: Any) -> None:
    """An accepted application is to be reviewed."""
    if case.state == ApplicationState.ACCEPTED and act.source == ApplicationState.SUBMITTED:
        opinions.open_opinion(application=case, actor=act.actor, at=act.at)


@receiver(case_moved, sender=Application)
def void_opinion(sender: Any, case: Application, act: Act, **kwargs: Any) -> None:
    """A withdrawn application, or one whose acceptance was taken back, needs no opinion."""
    if act.name in {"withdraw", "revert"}:
        opinions.void_opinion(application=case, act=act)


@receiver(case_moved, sender=Application)
def cancel_assessment(sender: Any, case: Application, act: Act, **kwargs: Any) -> None:
    """A withdrawn application is not assessed any more."""
    if act.name == "withdraw":
        capability.cancel(application=case, act=act)


@receiver(case_moved, sender=InterestDeclaration)
def start_assessment(sender: Any, case: InterestDeclaration, act: Act, **kwargs: Any) -> None:
    """The last declaration of no interest starts the assessment."""
    if act.name == "declare_none":
        capability.start_when_clear(declaration=case, act=act)


@receiver(case_moved, sender=InterestDeclaration)
def compare_after_recusal(sender: Any, case: InterestDeclaration, act: Act, **kwargs: Any) -> None:
    """Where somebody without scores leaves a larger panel, the others' scores may now be complete."""
    if act.name == "recuse":
        scores.compare(assessment=case.assessment, actor=act.actor, at=act.at)


@receiver(decision_hands)
def hands_on_the_list(sender: Any, person_id: int, **kwargs: Any) -> Q:
    """Whoever prepared, approved or published the list had a part in leaving the applicant off."""
    return Q(
        against_machine=Application.slug(),
        against_state=ApplicationState.NOT_LISTED,
        against_id__in=lists.decided_by(person_id),
    )


@receiver(objection_upheld)
def list_after_objection(sender: Any, objection: Objection, actor: Any, at: Any, **kwargs: Any) -> None:
    """Whoever was left off the list and objected with success stands on the next one."""
    if _left_off(objection):
        list_services.open_after_objection(application_id=objection.against_id, actor=actor, at=at)


def _left_off(objection: Objection) -> bool:
    decision = (objection.against_machine, objection.against_state)
    return decision == (Application.slug(), ApplicationState.NOT_LISTED)
