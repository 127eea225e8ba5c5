"""Who works where: memberships in force, for sign-in, notices and assignments."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from pilot import clock
from pilot.actors import Actor
from pilot.enums import ADMIN_ROLES, BUREAU_ROLES, MINISTRY_ROLES, PROVIDER_ROLES, OrganisationKind, Role
from pilot.models import Membership, Organisation, Person


def memberships(person: Person) -> QuerySet[Membership]:
    """The memberships of a person that are in force now (business time)."""
    return in_force().filter(person=person).order_by("pk")


def in_force() -> QuerySet[Membership]:
    """All memberships in force now of people who may sign in."""
    now = clock.now()
    return (
        Membership.objects.filter(valid_from__lte=now, person__is_active=True)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now))
        .select_related("person", "organisation")
    )


def actor_of(person: Person, *, address: str | None = None) -> Actor | None:
    """The actor a person is who has chosen no membership yet: the first in force; None without any."""
    return chosen(memberships(person), membership_id=None, address=address)


def chosen(
    own: Iterable[Membership], *, membership_id: int | None, address: str | None = None
) -> Actor | None:
    """The actor somebody with these memberships is right now: the chosen one, else the first; None without any."""
    candidates = list(own)
    found = next((m for m in candidates if m.pk == membership_id), candidates[0] if candidates else None)
    return found.as_actor(address=address) if found else None


def providers(organisation_id: int) -> QuerySet[Membership]:
    """The people of one provider."""
    return in_force().filter(organisation=organisation_id, role__in=PROVIDER_ROLES)


def bureau(province: int, roles: Iterable[str] = BUREAU_ROLES) -> QuerySet[Membership]:
    """The people of the bureau of a province."""
    return in_force().filter(
        organisation__kind=OrganisationKind.BUREAU, organisation__province=province, role__in=roles
    )


def bureaus() -> QuerySet[Membership]:
    """The people of all bureaus."""
    return in_force().filter(organisation__kind=OrganisationKind.BUREAU, role__in=BUREAU_ROLES)


def ministry(roles: Iterable[str] = MINISTRY_ROLES) -> QuerySet[Membership]:
    """The people of the ministry."""
    return in_force().filter(organisation__kind=OrganisationKind.MINISTRY, role__in=roles)


def administrators() -> QuerySet[Membership]:
    """Those who look after accounts: system and security administrators."""
    return in_force().filter(role__in=(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN))


def held_alone(person: Person) -> set[str]:
    """The kinds of administrator that nobody but this person is now: without one nobody could put things right."""
    held = set(memberships(person).filter(role__in=ADMIN_ROLES).values_list("role", flat=True))
    others = in_force().filter(role__in=held).exclude(person=person)
    return held - set(others.values_list("role", flat=True))


def person(person_id: int) -> QuerySet[Membership]:
    """One person, wherever he or she works."""
    return in_force().filter(person=person_id)


def tie(person_id: int | None, organisation_id: int) -> str | None:
    """Why a person has no say in an applicant's case, in words: works there, or did at any time (R09); else None."""
    tied = Membership.objects.filter(person=person_id, organisation=organisation_id).exists()
    return _("在申请单位任职或曾任职，应予回避") if tied else None


def bureau_names() -> dict[int, str]:
    """Province → name of its bureau. One query."""
    bureaus = Organisation.objects.filter(kind=OrganisationKind.BUREAU, province__isnull=False)
    return {province: name for province, name in bureaus.values_list("province", "name") if province}


def bureau_of(province: int) -> Organisation:
    """The bureau of a province."""
    return Organisation.objects.get(kind=OrganisationKind.BUREAU, province=province)
