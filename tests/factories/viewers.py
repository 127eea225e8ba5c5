"""Everybody who may stand before an object of provider A in Guangdong, and those who may not any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.test import Client

from pilot import clock
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.models import Membership, Organisation, Person
from pilot.services import accounts
from tests.factories import world
from tests.factories.cases import Cast

BACKEND: Final = "allauth.account.auth_backends.AuthenticationBackend"
ELSEWHERE: Final = Province.GUANGXI
VIEWERS: Final = (
    "own operator",
    "own administrator",
    "other provider",
    "own reviewer",
    "own lead",
    "other bureau",
    "officer",
    "approver",
    "assessor of the case",
    "other assessor",
    "system administrator",
    "security administrator",
    "audit administrator",
    "anonymous",
)
GONE: Final = ("former member", "disabled person")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody with the browser in which he or she has signed in; without an actor nobody in particular."""

    name: str
    actor: Actor | None
    client: Client

    @property
    def role(self) -> str | None:
        return self.actor.role if self.actor else None


def viewers(cast: Cast) -> dict[str, Actor | None]:
    """Whoever stands in a column of the table of own and foreign objects."""
    provider = Organisation.objects.get(pk=cast.provider.organisation_id)
    actors = (
        world.person(provider, Role.PROVIDER_OPERATOR),
        cast.provider,
        world.provider(),
        cast.reviewer,
        cast.lead,
        world.bureau(Role.BUREAU_LEAD, ELSEWHERE),
        cast.officer,
        cast.approver,
        cast.assessor,
        cast.assessors[3],
        cast.system_admin,
        cast.security_admin,
        world.ministry(Role.AUDIT_ADMIN),
        None,
    )
    return dict(zip(VIEWERS, actors, strict=True))


def client_of(actor: Actor | None) -> Client:
    """The browser in which somebody has signed in; an error of the server is an answer, too."""
    client = Client(raise_request_exception=False)
    if actor is not None:
        client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def everybody(cast: Cast) -> dict[str, Viewer]:
    """All of them, and two of the own provider whose rights ended after they had signed in."""
    found = {name: Viewer(name, actor, client_of(actor)) for name, actor in viewers(cast).items()}
    for name, member in zip(GONE, gone(cast), strict=True):
        found[name] = Viewer(name, None, member)
    return found


def gone(cast: Cast) -> tuple[Client, Client]:
    """Signed in as administrators of the own provider; then the one's role was taken, the other was disabled."""
    provider = Organisation.objects.get(pk=cast.provider.organisation_id)
    former = world.person(provider, Role.PROVIDER_ADMIN)
    disabled = world.person(provider, Role.PROVIDER_ADMIN)
    clients = client_of(former), client_of(disabled)
    now = clock.now()
    Membership.objects.filter(pk=former.membership_id).update(
        valid_from=now.replace(year=2018), valid_until=now
    )
    person = Person.objects.get(pk=disabled.person_id)
    accounts.disable(actor=cast.security_admin, person=person, reason="示例")
    return clients
