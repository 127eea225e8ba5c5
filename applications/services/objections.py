"""What an upheld objection does to an application."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from applications.enums import ApplicationState
from applications.models import Application
from pilot.actors import Actor
from pilot.models import Objection
from pilot.workflow import fire


@transaction.atomic
def answer(*, objection: Objection, actor: Actor, at: datetime) -> Application | None:
    """Reinstate the refused application an upheld objection is about; None when it is about something else.

    A decision not to list is changed by a new list, which the app of the lists makes.
    """
    if objection.against_machine != Application.slug() or objection.against_state != ApplicationState.REFUSED:
        return None
    case = Application.unscoped.get(pk=objection.against_id)
    reinstated: Application = fire(case, "reinstate", actor=actor.downward(), at=at, reason=objection.finding)
    return reinstated
