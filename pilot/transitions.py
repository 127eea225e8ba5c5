"""State changes of the kernel's machines: what each transition requires and what it brings about."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext as _

from pilot.actors import Actor
from pilot.enums import OrganisationKind, Role, WindowKind
from pilot.errors import Refused
from pilot.models import (
    AccessLink,
    Objection,
    Organisation,
    Person,
    ProviderRegistration,
    RoleChange,
    WindowExtension,
)
from pilot.selectors import people
from pilot.selectors.objections import had_part
from pilot.services import accounts, objections, register
from pilot.services.people import end_role, grant_role
from pilot.signals import objection_upheld
from pilot.workflow import Act, on


@cache
def another_person(field: str) -> Any:
    """Guard: whoever acts is not the person in ``field`` (four eyes; the table's check constraint says the same)."""

    def guard(case: Any, actor: Actor, at: datetime) -> str | None:
        if getattr(case, f"{field}_id") == actor.person_id:
            return _("须由另一人办理（四眼原则）")
        return None

    return guard


@cache  # one and the same before all transitions, so it is asked once for a page
def no_tie(path: str) -> Any:
    """Guard: whoever acts has no tie to the organisation whose id stands at ``path`` (R09)."""
    organisation = attrgetter(path)

    def guard(case: Any, actor: Actor, at: datetime) -> str | None:
        return people.tie(actor.person_id, organisation(case))

    return guard


# --- window extension -----------------------------------------------------------------------------
def _proposer(extension: WindowExtension) -> Any:
    return people.person(extension.proposed_by_id)


def _bureaus(extension: WindowExtension) -> Any:
    return people.bureaus()


@on(WindowExtension, "approve", guards=[another_person("proposed_by")], tell=[_proposer, _bureaus])
def grant_extension(extension: WindowExtension, act: Act) -> None:
    """Another person decides; the window's end moves from now on. The apps tell whom it lets in again."""
    extension.approved_by_id = act.actor.person_id
    if extension.window.kind == WindowKind.RUN:
        register.extend_run(actor=act.actor, programme=extension.window.programme, until=extension.closes)


@on(WindowExtension, "reject", guards=[another_person("proposed_by")], tell=[_proposer])
def reject_extension(extension: WindowExtension, act: Act) -> None:
    """The window's end stays where it was."""
    extension.approved_by_id = act.actor.person_id


# --- registration of providers --------------------------------------------------------------------
def _own_province(case: Any, actor: Actor, at: datetime) -> str | None:
    return None if case.province == actor.province else _("只能办理本省的事项")


@on(ProviderRegistration, "confirm", guards=[_own_province])
def confirm_registration(registration: ProviderRegistration, act: Act) -> None:
    """Make the organisation, its first person and the membership; a link to set the password goes to the address."""
    if Organisation.objects.filter(uscc=registration.uscc).exists():
        raise Refused(_("该统一社会信用代码已登记"))
    organisation = Organisation.objects.create(
        kind=OrganisationKind.PROVIDER,
        name=registration.name,
        uscc=registration.uscc,
        province=registration.province,
        phone=registration.phone,
    )
    person = Person.objects.create_user(
        f"u{registration.uscc}".lower(),
        name=registration.contact,
        email=registration.email,
        phone=registration.phone,
    )
    grant_role(person=person, organisation=organisation, role=Role.PROVIDER_ADMIN, at=act.at)
    accounts.send_link(person_id=person.pk, purpose=AccessLink.Purpose.INVITATION)
    registration.organisation = organisation


@on(ProviderRegistration, "reject", guards=[_own_province], reason_required=True)
def reject_registration(registration: ProviderRegistration, act: Act) -> None:
    """Nothing is made; the reason stands in the history."""


# --- role changes ---------------------------------------------------------------------------------
@on(RoleChange, "approve", guards=[another_person("requested_by"), another_person("person")])
def approve_role_change(change: RoleChange, act: Act) -> None:
    """The membership begins or ends at once, with the sessions; whoever has no password yet is sent a link."""
    change.approved_by_id = act.actor.person_id
    if change.reopen:
        accounts.reopen(change.person)
    elif change.grant:
        grant_role(person=change.person, organisation=change.organisation, role=change.role, at=act.at)
        if not change.person.has_usable_password():
            accounts.send_link(person_id=change.person_id, purpose=AccessLink.Purpose.INVITATION)
    else:
        end_role(person=change.person, organisation=change.organisation, role=change.role, at=act.at)
        accounts.end_sessions(change.person)


@on(RoleChange, "reject", guards=[another_person("requested_by")], reason_required=True)
def reject_role_change(change: RoleChange, act: Act) -> None:
    """The roles stay as they are."""
    change.approved_by_id = act.actor.person_id


# --- objections -----------------------------------------------------------------------------------
def _no_part_in_decision(objection: Objection, actor: Actor, at: datetime) -> str | None:
    barred = Objection.unscoped.filter(had_part(actor.person_id), pk=objection.pk)
    return _("您参与过原决定，须由其他人复核") if barred.exists() else None


def _own_review(objection: Objection, actor: Actor, at: datetime) -> str | None:
    return None if objection.reviewer_id == actor.person_id else _("由受理复核的人员作出决定")


def _objector(objection: Objection) -> Any:
    return people.providers(objection.organisation_id)


@on(Objection, "take", guards=[_no_part_in_decision], tell=[_objector])
def take(objection: Objection, act: Act) -> None:
    """The officer who takes it decides it."""
    objection.reviewer_id = act.actor.person_id


@on(Objection, "uphold", guards=[_own_review], tell=[_objector], reason_required=True)
def uphold(objection: Objection, act: Act) -> None:
    """The app that made the decision changes it in this same transaction."""
    objection.finding = act.reason
    objection_upheld.send(sender=Objection, objection=objection, actor=act.actor, at=act.at)


@on(Objection, "dismiss", guards=[_own_review], tell=[_objector], reason_required=True)
def dismiss(objection: Objection, act: Act) -> None:
    """The decision stands; both results are kept, and a letter says why."""
    objection.finding = act.reason
    objections.dismissal_letter(objection, at=act.at)
