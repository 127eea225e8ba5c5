"""Organisations, people and memberships outside the machines: first set-up, registration and role-change requests."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from stdnum.cn import uscc as uscc_number

from pilot.actors import Actor
from pilot.enums import ROLES_OF_KIND, OrganisationKind, Role
from pilot.errors import Refused
from pilot.models import Membership, Organisation, Person, ProviderRegistration, RoleChange
from pilot.services import audit
from pilot.workflow import open_case


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
    membership = Membership.objects.create(
        person=person, organisation=organisation, role=role, valid_from=valid_from
    )
    audit.record(action="person.add", actor=actor, subject=person, detail={"role": role})
    return membership


@transaction.atomic
def request_registration(
    *, actor: Actor, name: str, uscc: str, province: int, contact: str, email: str, phone: str
) -> ProviderRegistration:
    """A provider asks for its account. Raises :class:`Refused` for a bad code, or while one request is open."""
    code = uscc_number.compact(uscc).upper()
    if not uscc_number.is_valid(code):
        raise Refused(_("统一社会信用代码不正确，请核对"))
    if Organisation.objects.filter(uscc=code).exists():
        raise Refused(_("该单位已登记，请联系本单位管理员开通账号"))
    registration = ProviderRegistration(
        name=name, uscc=code, province=province, contact=contact, email=email, phone=phone, case_key=uuid4()
    )
    try:
        with transaction.atomic():
            open_case(registration, actor=actor)
    except IntegrityError as error:
        raise Refused(_("该单位的登记申请正在由通信管理局确认")) from error
    return registration


@transaction.atomic
def request_role_change(
    *, actor: Actor, person: Person, organisation: Organisation, role: str, grant: bool, reason: str
) -> RoleChange:
    """An administrator asks for a role to be given or taken; another one approves."""
    if Role(role) not in ROLES_OF_KIND[OrganisationKind(organisation.kind)]:
        raise Refused(_("该角色不适用于此类单位"))
    change = RoleChange(
        person=person,
        organisation=organisation,
        role=role,
        grant=grant,
        reason=reason,
        requested_by_id=actor.acting_person,
        case_key=uuid4(),
    )
    open_case(change, actor=actor)
    return change
