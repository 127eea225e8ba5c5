"""S13 for pages: signed in as each role, any address with any method and any words: never an error of the server.

The interface for programs has its own (tests/filings/api/test_contract.py). ``PILOT_FUZZ_REQUESTS`` says how many
requests a role sends; before a release it is 10,000.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.converters import IntConverter

from pilot import policy
from pilot.enums import Role
from pilot.models import Person
from tests.factories import cases
from tests.factories.cases import Cast
from tests.security.strings import CORPUS

REQUESTS = int(os.environ.get("PILOT_FUZZ_REQUESTS", "20"))
STANDING = ("coordination-case", "finding", "sanction", "upload-job", "bulletin", "alert")
METHODS = ("GET",) * 5 + ("POST",) * 4 + ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
NUMBERS = (0, 1, 2, 2**31, 2**63 - 1, 2**63, 10**30)
PARAMETERS = (
    "q",
    "page",
    "sort",
    "state",
    "columns",
    "next",
    "month",
    "show",
    "seen",
    "reason",
    "name",
    "file",
    "all",
)
TYPES = (
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=x",
    "x",
)
# Ends the session or the second factor of whoever asks, so that the rest would be asked by nobody.
ENDING = {"account_logout", "usersessions_list"}


def actors(cast: Cast) -> dict[str, Any]:
    from tests.factories import world

    return {
        "nobody": None,
        Role.PROVIDER_ADMIN: cast.provider,
        Role.PROVIDER_OPERATOR: world.provider(role=Role.PROVIDER_OPERATOR),
        Role.BUREAU_REVIEWER: cast.reviewer,
        Role.BUREAU_LEAD: cast.lead,
        Role.MINISTRY_OFFICER: cast.officer,
        Role.MINISTRY_APPROVER: cast.approver,
        Role.ASSESSOR: cast.assessor,
        Role.SYSTEM_ADMIN: cast.system_admin,
        Role.SECURITY_ADMIN: cast.security_admin,
        Role.AUDIT_ADMIN: world.ministry(Role.AUDIT_ADMIN),
    }


def address(name: str, chance: random.Random, known: list[int]) -> str:
    """An address of this URL with some object that there is, or none, or a word no number."""
    possibilities, _pattern, _defaults, converters = get_resolver().reverse_dict.getlist(name)[0]
    _format, params = chance.choice(possibilities)
    values = {
        key: chance.choice([*known * 3, *NUMBERS])
        if isinstance(converters.get(key), IntConverter)
        else chance.choice(["x-x", "application", "finding", "issue", "csv", "pdf", "0" * 64])
        for key in params
    }
    return reverse(name, kwargs=values)


@pytest.mark.slow
@pytest.mark.timeout(60 + 2 * REQUESTS)
@pytest.mark.parametrize("role", ["nobody", *(str(role) for role in Role if role != Role.SYSTEM)])
def test_no_request_of_a_role_is_an_error_of_the_server(role: str, programme: Any) -> None:
    cast = Cast()
    known = [cases.FIRST[slug](cast).pk for slug in STANDING]
    actor = actors(cast)[role]
    chance = random.Random(role)  # noqa: S311 (the same requests every time)
    client = Client(raise_request_exception=False)
    names = sorted(
        name for name in policy.pages() if name not in ENDING and policy.may_open(name, actor and actor.role)
    )
    wrong = []
    for _ in range(REQUESTS):
        if actor and SESSION_KEY not in client.session:
            person = Person.objects.get(pk=actor.person_id)
            client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        method, url = chance.choice(METHODS), address(chance.choice(names), chance, known)
        said = {chance.choice(PARAMETERS): chance.choice(CORPUS) for _ in range(chance.randrange(4))}
        body: dict[str, Any] = {}
        if method in {"POST", "PUT", "PATCH"}:
            kind = chance.choice(TYPES)
            body = {"data": said} if method == "POST" and kind == TYPES[0] else {
                "data": chance.choice(CORPUS).encode(), "content_type": kind,
            }  # fmt: skip
        query = said if chance.random() < 0.5 and method != "POST" else {}
        response = getattr(client, method.lower())(url, query_params=query, **body)
        # A fault of the V3.0 service is a 500, as SOAP 1.1 (6.2) has it: somebody turned the service on.
        fault = url == reverse("v3_service") and b"faultcode" in response.content
        if response.status_code >= 500 and not fault:
            wrong.append((method, url, said, body, response.status_code))
    assert wrong == []
