"""Organisations, people and memberships outside the machines: first set-up, registration and role-change requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from stdnum.cn import uscc as uscc_number

from pilot import preferences
from pilot.actors import Actor
from pilot.enums import ROLES_OF_KIND, OrganisationKind, Role
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import AuditEntry, Membership, Organisation, Person, ProviderRegistration, RoleChange
from pilot.selectors import people as selectors
from pilot.services import audit, notices
from pilot.workflow import open_case

ADMIN_LOCK: Final = 870  # advisory lock: one administrator at a time is taken away


class AlreadyKnown(Refused):
    """The provider has an account, or has asked for one."""


def keep_display(*, actor: Actor, classes: Sequence[str]) -> None:
    """Keep how pages look to a person with the account; what is no choice is dropped. A taste, so not on record."""
    Person.objects.filter(pk=actor.acting_person).update(display=preferences.of_account(classes))


@transaction.atomic
def add_organisation(
    *, actor: Actor, kind: str, name: str, province: int | None = None, uscc: str = "", phone: str = ""
) -> Organisation:
    """Enter an organisation (set-up by command; in the portal providers come through registration)."""
    organisation = Organisation.objects.create(
        kind=kind, name=name, province=province, uscc=uscc, phone=phone
    )
    audit.record(action="organisation.add", actor=actor, subject=organisation)
    return organisation


@transaction.atomic
def add_person(
    *,
    actor: Actor,
    username: str,
    name: str,
    password: str,
    organisation: Organisation,
    role: str,
    valid_from: datetime,
    email: str = "",
) -> Membership:
    """Enter a person with a first membership. Raises :class:`Refused` if the role does not fit the organisation."""
    if Role(role) not in ROLES_OF_KIND[OrganisationKind(organisation.kind)]:
        raise Refused(_("该角色不适用于此类单位"))
    person = Person.objects.create_user(username, password, name=name, email=email)
    membership = grant_role(person=person, organisation=organisation, role=role, at=valid_from)
    audit.record(action="person.add", actor=actor, subject=person, detail={"role": role})
    return membership


def grant_role(*, person: Person, organisation: Organisation, role: str, at: datetime) -> Membership:
    """Give a person a role from ``at`` on. Raises :class:`Refused` where the duties of two roles exclude each other."""
    try:
        with transaction.atomic():
            return Membership.objects.create(
                person=person, organisation=organisation, role=role, valid_from=at
            )
    except IntegrityError as error:
        if "duties_apart" in str(error):
            raise Refused(
                _("系统、安全、审计管理员须由不同人员担任，且不能同时承担业务角色（三员分立）")
            ) from error
        raise Refused(_("该人员已有此角色")) from error


def hold_administrators() -> None:
    """Until this transaction ends nobody else takes an administrator away: those counted from here on stay.

    Whoever locks people's rows besides locks them before, and so that rows which name them do not wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADMIN_LOCK])


def need_another(person: Person, *, roles: Collection[str]) -> None:
    """Raise :class:`Refused` where nobody else is an administrator of one of these kinds: who could undo it?"""
    hold_administrators()
    if alone := sorted(selectors.held_alone(person) & set(roles)):
        raise Refused(_("该人员是唯一的%(role)s，请先任命另一人") % {"role": Role(alone[0]).label})


def end_role(*, person: Person, organisation: Organisation, role: str, at: datetime) -> None:
    """Take a role from a person at ``at``.

    Raises :class:`Refused` where there is none to be taken, and for the last administrator of a kind.
    """
    need_another(person, roles={role})
    if not _held(person, organisation, role).update(valid_until=at):
        raise Refused(_("该人员没有此角色"))


def _held(person: Person, organisation: Organisation, role: str) -> QuerySet[Membership]:
    return Membership.objects.filter(
        person=person, organisation=organisation, role=role, valid_until__isnull=True
    )


@transaction.atomic
def request_registration(
    *, actor: Actor, name: str, uscc: str, province: int, contact: str, email: str, phone: str
) -> ProviderRegistration:
    """A provider asks for its account.

    Raises :class:`Refused` for a bad code, :class:`AlreadyKnown` for a provider that has one or has asked already.
    """
    code = uscc_number.compact(uscc).upper()
    if not uscc_number.is_valid(code):
        raise Refused(_("统一社会信用代码不正确，请核对"))
    if Organisation.objects.filter(uscc=code).exists():
        raise AlreadyKnown(_("该单位已登记，请联系本单位管理员开通账号"))
    registration = ProviderRegistration(
        name=name, uscc=code, province=province, contact=contact, email=email, phone=phone, case_key=uuid4()
    )
    try:
        with transaction.atomic():
            open_case(registration, actor=actor)
    except IntegrityError as error:
        raise AlreadyKnown(_("该单位的登记申请正在由通信管理局确认")) from error
    return registration


def ask_for_account(
    *, actor: Actor, name: str, uscc: str, province: int, contact: str, email: str, phone: str
) -> ProviderRegistration | None:
    """The same from before sign-in: whoever asks does not learn which providers are known (None: this one is).

    The people of a known provider are told that somebody asked in its name. Raises :class:`Refused` for a bad code.
    """
    try:
        return request_registration(
            actor=actor, name=name, uscc=uscc, province=province, contact=contact, email=email, phone=phone
        )
    except AlreadyKnown:
        _tell_known(actor=actor, code=uscc_number.compact(uscc).upper())
        return None


@transaction.atomic
def _tell_known(*, actor: Actor, code: str) -> None:
    known = Organisation.objects.filter(uscc=code).first()
    audit.record(
        action="provider-registration.known", actor=actor, outcome=AuditEntry.Outcome.DENIED, subject=known
    )
    if known is not None:
        with on_record():
            subject = _("有人再次以本单位名义申请登记账号，如非本单位人员请告知通信管理局")
        notices.send(
            members=selectors.providers(known.pk),
            subject=subject,
            machine="",
            object_id=0,
            source=f"known:{known.pk}",
            url="/me/",
        )


@transaction.atomic
def request_role_change(
    *,
    actor: Actor,
    person: Person,
    organisation: Organisation,
    role: str,
    grant: bool,
    reason: str,
    reopen: bool = False,
) -> RoleChange:
    """An administrator asks for a role to be given or taken, or an account reopened; another one approves.

    Raises :class:`Refused` for the administrator's own roles, a role that does not fit the organisation, or one to be
    taken that is not held.
    """
    if person.pk == actor.acting_person:
        raise Refused(_("不能申请变更自己的角色"))
    if Role(role) not in ROLES_OF_KIND[OrganisationKind(organisation.kind)]:
        raise Refused(_("该角色不适用于此类单位"))
    if not grant and not _held(person, organisation, role).exists():
        raise Refused(_("该人员没有此角色"))
    change = RoleChange(
        person=person,
        organisation=organisation,
        role=role,
        grant=grant,
        reopen=reopen,
        reason=reason,
        requested_by_id=actor.acting_person,
        case_key=uuid4(),
    )
    open_case(change, actor=actor)
    return change
