"""催办: an applicant asks those who have its application on the desk to hurry, once a day."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application, Urge
from applications.selectors import tellings
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.language import on_record
from pilot.rules import local_day
from pilot.services import audit, notices

ON_THE_DESK = (
    ApplicationState.SUBMITTED,
    ApplicationState.ACCEPTED,
    ApplicationState.RECOMMENDED,
    ApplicationState.NOT_RECOMMENDED,
    ApplicationState.REPORTED,
)


@transaction.atomic
def urge(*, case: Application, actor: Actor) -> Urge:
    """Put one request to hurry on record and tell the officials who have the application.

    Raises :class:`Refused` when the application is not the actor's, waits for nobody else, or was urged today
    (the day of business time in Asia/Shanghai) already. Colleagues who urge at once queue for the application's row.
    """
    locked: Application = Application.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
    if why := obstacle(locked, actor):
        raise Refused(why)
    now = clock.now()
    made: Urge = Urge.unscoped.create(
        application=locked, day=local_day(now), at=now, by_id=actor.acting_person
    )
    with on_record():
        subject = _("%(number)s · 申请单位催办") % {"number": locked.number}
    notices.send(
        members=tellings.officials(locked),
        subject=subject,
        machine=locked.slug(),
        object_id=locked.pk,
        source=f"{locked.slug()}:{locked.pk}:urge:{made.pk}",
    )
    audit.record(action="application.urge", actor=actor, subject=locked)
    return made


def obstacle(case: Application, actor: Actor) -> str | None:
    """Why the actor cannot urge now, in words; None if it is possible."""
    if not policy.may_act(case.slug(), "urge", actor.role) or case.provider_id != actor.organisation_id:
        return _("只能催办本单位的申请")
    if case.state not in ON_THE_DESK:
        return _("申请不在办理机关手中，无需催办")
    if Urge.unscoped.filter(application=case, day=local_day(clock.now())).exists():
        return _("今天已催办，明天可再次催办")
    return None
