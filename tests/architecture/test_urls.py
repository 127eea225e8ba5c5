"""House rule 8: every URL stands in the policy file, and the portal answers every role exactly as it says.

``PILOT_MATRIX_METHODS=all`` asks every role at every URL with every method; else with GET and another one by turns.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

from pilot import policy
from pilot.enums import Role
from pilot.models import Person
from tests.factories import world
from tests.factories.cases import Cast
from tests.factories.viewers import GONE, gone

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ALL = os.environ.get("PILOT_MATRIX_METHODS") == "all"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def url_names(patterns: Any = None) -> Iterator[tuple[str, URLPattern]]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            yield from url_names(entry.url_patterns)
        else:
            yield entry.name or "", entry


URLS = dict(url_names())


def test_every_url_has_a_name_in_the_policy() -> None:
    assert {name for name in URLS if name not in policy.pages() and name not in policy.api()} == set()


def test_whatever_all_may_open_says_why() -> None:
    """Nobody is let in by habit: a row for everyone, or for every role, tells its reason on its line."""
    lines = re.findall(
        r'^"?([\w-]+)"? = \[.*?\](?: +# (.+))?$', policy.POLICY_FILE.read_text("utf-8"), re.MULTILINE
    )
    reasons = {name: why for name, why in lines if name in policy.pages()}
    assert sorted(reasons) == sorted(policy.pages())
    whole = {policy.PUBLIC, policy.SIGNED_IN}
    wide = {name for name, roles in policy.pages().items() if roles & whole or roles >= policy.PEOPLE}
    assert [name for name in sorted(wide) if not reasons[name]] == []


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
    clients |= dict(zip(GONE, gone(Cast()), strict=True))
    return clients


# Fired without a body they end the session of whoever asks, who would be nobody in what follows.
ENDING = {"account_logout", "usersessions_list"}
FAULT = {"v3_service"}  # SOAP tells of faults with status 500


def opens(name: str, role: str | None) -> bool:
    """Whether the policy lets somebody in; who has lost every role is nobody."""
    return policy.may_open(name, None if role in GONE else role)


def wrong_answers(
    clients: dict[str | None, Client], name: str, asked: Iterable[tuple[str | None, str]]
) -> list[Any]:
    """What these roles get from a URL by a method against the policy; behind the login nothing is kept by a cache."""
    wrong = []
    for role, method in asked:
        open_to = opens(name, role)
        if open_to and method == "POST" and name in ENDING:
            continue
        with transaction.atomic():
            response = clients[role].generic(method, address(name))
            transaction.set_rollback(True)
        status = response.status_code
        if open_to:
            right = status in {200, 302, 404, 405} if method == "GET" else status < 500 or name in FAULT
        elif role in {None, "disabled person"}:
            right = status == 302 and response["Location"].startswith("/account/login/")
        else:
            right = status == 403
        kept = role and not policy.is_public(name) and "no-store" not in response.get("Cache-Control", "")
        if not right or kept:
            wrong.append((name, role, method, status, response.get("Cache-Control")))
    return wrong


def test_nobody_and_one_role_either_way_at_every_url(clients: dict[str | None, Client]) -> None:
    """Without login, one role that may and one that may not; another pair, and another method, at the next URL."""
    wrong: list[Any] = []
    for turn, name in enumerate(policy.pages()):
        roles = [*clients][turn % len(clients) :] + [*clients][: turn % len(clients)]
        may = [role for role in roles if role and opens(name, role)]
        may_not = [role for role in roles if role and not opens(name, role)]
        method = METHODS[turn % len(METHODS)]
        asked = [
            (None, method),
            *((role, "GET") for role in may[:1]),
            *((role, method) for role in may_not[:1]),
        ]
        wrong += wrong_answers(clients, name, asked)
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_role_at_every_url(clients: dict[str | None, Client]) -> None:
    others = cycle(METHODS[1:])
    wrong: list[Any] = []
    for name in policy.pages():
        for role in clients:
            methods = METHODS if ALL else ("GET", next(others))
            wrong += wrong_answers(clients, name, [(role, method) for method in methods])
    assert wrong == []
