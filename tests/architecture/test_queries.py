"""House rule 10: a list asks the database as often for three rows as for one, and so does the page of a case."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pilot.enums import Role
from pilot.models import Person, Programme
from tests.factories import world
from tests.factories.cases import FIRST, Cast

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
# One open case at a time, or one for all: their lists are as long as the register or the calendar makes them.
SINGLE = {"provider-registration", "provincial-report", "approval-list", "bulletin"}


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


def seen_by_viewer(client: Client, slug: str, case: Any) -> list[str]:
    """The page of a case, where the viewer has it (drafts belong to their owners)."""
    url = reverse(f"{slug}_detail", args=[case.pk])
    return [url] if client.get(url).status_code == 200 else []


@pytest.mark.parametrize("slug", sorted(FIRST.keys() - SINGLE))
def test_a_list_of_three_costs_what_a_list_of_one_costs(programme: Programme, slug: str) -> None:
    viewer = world.ministry(Role.SYSTEM_ADMIN if slug == "role-change" else Role.MINISTRY_OFFICER)
    client = Client()
    client.force_login(Person.objects.get(pk=viewer.person_id), backend=BACKEND)
    cases: list[Any] = [FIRST[slug](Cast())]
    urls = [reverse(f"{slug}_list"), *seen_by_viewer(client, slug, cases[0])]
    client.get(urls[0])  # fills per-process caches
    one = [queries(client, url) for url in urls]
    cases += [FIRST[slug](Cast()), FIRST[slug](Cast())]
    assert len({case.pk for case in cases}) == 3
    assert [queries(client, url) for url in urls] == one
