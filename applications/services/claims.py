"""Taking an application on the desk and putting it back (R05). Time here is security time: a desk is no deadline."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application, Claim
from applications.selectors import review
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused
from pilot.selectors import people
from pilot.services import audit


@audit.denials_recorded("application.claim")
@transaction.atomic
def claim(*, case: Application, actor: Actor) -> Claim:
    """Take the application on the actor's desk; on it already, this is a sign of life.

    Raises :class:`NotPermitted` for another role or province, :class:`Refused` in words while somebody else has it,
    when it does not wait for the bureau's word, or from whoever works or worked for the applicant.
    """
    locked = lock(case, actor, "claim")
    return take(locked, actor)


def take(locked: Application, actor: Actor) -> Claim:
    """:func:`claim` for a service that has locked the application and checked the actor's right."""
    if locked.state != ApplicationState.SUBMITTED:
        raise Refused(_("只有待受理的申请可以认领"))
    if barred := people.tie(actor.person_id, locked.provider_id) or review.on_another_desk(locked, actor):
        raise Refused(barred)
    now = clock.security_now()
    held: Claim | None = Claim.unscoped.filter(application=locked).first()
    if held is not None and held.person_id == actor.person_id:
        held.seen_at = now
        held.save(update_fields=["seen_at"])
        return held
    if held is None:
        held = Claim(application=locked)
    held.person_id = actor.acting_person
    held.claimed_at = held.seen_at = now
    held.save()
    audit.record(action="application.claim", actor=actor, subject=locked)
    return held


@audit.denials_recorded("application.release")
@transaction.atomic
def release(*, case: Application, actor: Actor) -> None:
    """Put it back for anyone. One's own, or, by the bureau's lead, anybody's. Nothing happens when nobody has it.

    Raises :class:`NotPermitted` for another role or province, :class:`Refused` when it is on another desk.
    """
    locked = lock(case, actor, "release")
    held: Claim | None = Claim.unscoped.filter(application=locked).first()
    if held is None:
        return
    if actor.role != Role.BUREAU_LEAD and (other := review.on_another_desk(locked, actor)):
        raise Refused(_("%(who)s；须由其本人或省局负责人释放") % {"who": other})
    audit.record(action="application.release", actor=actor, subject=locked, detail={"person": held.person_id})
    held.delete()


def touch(*, case: Application, actor: Actor) -> None:
    """A sign of life from whoever has it on the desk; nothing for anybody else."""
    Claim.unscoped.filter(application=case, person=actor.person_id).update(seen_at=clock.security_now())


def lock(case: Application, actor: Actor, act: str) -> Application:
    """The application, locked, when this actor's office may do this to it. Raises :class:`NotPermitted`."""
    locked: Application = (
        Application.unscoped.select_for_update(of=("self",)).select_related("programme").get(pk=case.pk)
    )
    if not policy.may_act(locked.slug(), act, actor.role) or locked.province != actor.province:
        raise NotPermitted(_("只能办理本省的申请"))
    return locked
