"""House rule 10: a list asks the database as often for three rows as for one, and so does the page of a case."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Final

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessment.services import test_runs
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Membership, Person, Programme
from pilot.services import audit, export_limits, notices, phrases
from tests.factories import world
from tests.factories.cases import FIRST, Cast, build

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


# Machines in a state in which their list reads more than in the first.
LATER: Final = [("rectification", "issued"), ("sanction", "imposed")]


@pytest.mark.parametrize(("slug", "state"), [*((slug, "") for slug in sorted(FIRST.keys() - SINGLE)), *LATER])
def test_a_list_of_three_costs_what_a_list_of_one_costs(programme: Programme, slug: str, state: str) -> None:
    def begun() -> Any:
        return build(slug, state, Cast()) if state else FIRST[slug](Cast())

    viewer = world.ministry(Role.SYSTEM_ADMIN if slug == "role-change" else Role.MINISTRY_OFFICER)
    client = Client()
    client.force_login(Person.objects.get(pk=viewer.person_id), backend=BACKEND)
    cases: list[Any] = [begun()]
    urls = [reverse(f"{slug}_list"), *seen_by_viewer(client, slug, cases[0])]
    client.get(urls[0])  # fills per-process caches
    one = [queries(client, url) for url in urls]
    cases += [begun(), begun()]
    assert len({case.pk for case in cases}) == 3
    assert [queries(client, url) for url in urls] == one


# --- lists that are no machine's ------------------------------------------------------------------
SERIAL = count()


def notice(viewer: Actor) -> None:
    notices.send(
        members=Membership.objects.filter(person=viewer.person_id),
        subject="示例 · 办理",
        machine="application",
        object_id=next(SERIAL),
        source="示例",
    )


def phrase(viewer: Actor) -> None:
    phrases.keep(actor=viewer, text=f"示例常用语 {next(SERIAL)}", shared=True)


def export(viewer: Actor) -> None:
    audit.record(
        action=export_limits.EXPORT, actor=world.ministry(), detail={"machine": "application", "rows": 3}
    )


def capability_test(viewer: Actor) -> None:
    case = build("capability-assessment", "in_progress", Cast())
    test_runs.issue(
        case=case,
        actor=viewer,
        title="示例测试集",
        key=SimpleUploadedFile("key.csv", b"sample,expected\nG001,genuine\nI001,impostor"),
    )


PLAIN: Final[dict[str, tuple[str, Callable[[Actor], Any]]]] = {
    "notice_list": (Role.MINISTRY_OFFICER, notice),
    "phrase_list": (Role.MINISTRY_OFFICER, phrase),
    "disclosure_list": (Role.SECURITY_ADMIN, export),
    "audit_list": (Role.AUDIT_ADMIN, export),
    "person_list": (Role.SYSTEM_ADMIN, lambda viewer: world.ministry()),
    "pilot-unit_list": (Role.MINISTRY_OFFICER, lambda viewer: Cast().unit),
    "verification-form_list": (Role.MINISTRY_OFFICER, lambda viewer: Cast().form),
    "test_run_list": (Role.MINISTRY_OFFICER, capability_test),
    "faq": (Role.MINISTRY_OFFICER, lambda viewer: build("faq-entry", "published", Cast())),
}


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_a_plain_list_of_three_costs_what_a_list_of_one_costs(programme: Programme, name: str) -> None:
    role, add = PLAIN[name]
    viewer = world.ministry(role)
    client = Client()
    client.force_login(Person.objects.get(pk=viewer.person_id), backend=BACKEND)
    add(viewer)
    client.get(reverse(name))  # fills per-process caches
    shown = len(client.get(reverse(name)).content)
    one = queries(client, reverse(name))
    add(viewer)
    add(viewer)
    assert queries(client, reverse(name)) == one
    assert len(client.get(reverse(name)).content) > shown
