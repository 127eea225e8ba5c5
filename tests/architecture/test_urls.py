"""House rule 8: every URL stands in the policy file, and the portal answers every role exactly as it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

from pilot import policy
from pilot.enums import Role
from pilot.models import Person
from tests.factories import world

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def url_names(patterns: Any = None) -> Iterator[tuple[str, URLPattern]]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            yield from url_names(entry.url_patterns)
        else:
            yield entry.name or "", entry


URLS = dict(url_names())


def test_every_url_has_a_name_in_the_policy() -> None:
    assert {name for name in URLS if name not in policy.pages() and name not in policy.api()} == set()


def test_every_row_of_the_policy_is_a_url() -> None:
    assert {name for name in [*policy.pages(), *policy.api()] if name not in URLS} == set()


def test_a_key_opens_nothing_that_a_role_opens() -> None:
    assert policy.pages().keys() & policy.api().keys() == set()


def address(name: str) -> str:
    """An address of this URL with an object that nobody has."""
    possibilities, _pattern, _defaults, converters = get_resolver().reverse_dict.getlist(name)[0]
    _format, params = possibilities[0]
    values = {key: 0 if isinstance(converters.get(key), IntConverter) else "x-x" for key in params}
    return reverse(name, kwargs=values)


@pytest.fixture
def clients(programme: Any) -> dict[str | None, Client]:
    people = {
        Role.PROVIDER_OPERATOR: world.provider(role=Role.PROVIDER_OPERATOR),
        Role.PROVIDER_ADMIN: world.provider(),
        Role.BUREAU_REVIEWER: world.bureau(Role.BUREAU_REVIEWER),
        Role.BUREAU_LEAD: world.bureau(Role.BUREAU_LEAD),
        Role.ASSESSOR: world.assessor(),
        **{
            role: world.ministry(role)
            for role in (
                Role.MINISTRY_OFFICER,
                Role.MINISTRY_APPROVER,
                Role.SYSTEM_ADMIN,
                Role.SECURITY_ADMIN,
                Role.AUDIT_ADMIN,
            )
        },
    }
    clients: dict[str | None, Client] = {None: Client()}
    for role, actor in people.items():
        client = Client()
        client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
        clients[str(role)] = client
    return clients


def wrong_answers(clients: dict[str | None, Client], name: str, roles: Iterable[str | None]) -> list[Any]:
    """What these roles get from a URL against the policy; behind the login nothing is kept by a cache."""
    wrong = []
    for role in roles:
        response = clients[role].get(address(name))
        if policy.may_open(name, role):
            right = response.status_code in {200, 302, 404, 405}
        elif role is None:
            right = response.status_code == 302 and response["Location"].startswith("/account/login/")
        else:
            right = response.status_code == 403
        kept = role and not policy.is_public(name) and "no-store" not in response.get("Cache-Control", "")
        if not right or kept:
            wrong.append((name, role, response.status_code, response.get("Cache-Control")))
    return wrong


def test_nobody_and_one_role_either_way_at_every_url(clients: dict[str | None, Client]) -> None:
    """Without login, one role that may and one that may not; another pair at the next URL."""
    wrong: list[Any] = []
    for turn, name in enumerate(policy.pages()):
        roles = [*clients][turn % len(clients) :] + [*clients][: turn % len(clients)]
        may = [role for role in roles if role and policy.may_open(name, role)]
        may_not = [role for role in roles if role and not policy.may_open(name, role)]
        wrong += wrong_answers(clients, name, [None, *may[:1], *may_not[:1]])
    assert wrong == []


@pytest.mark.slow
def test_every_role_at_every_url(clients: dict[str | None, Client]) -> None:
    assert [answer for name in policy.pages() for answer in wrong_answers(clients, name, clients)] == []
