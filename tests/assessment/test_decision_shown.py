"""What a published list decides on an application, as the page of the application says it."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from applications.models import Application
from assessment.models import ApprovalList
from pilot.actors import Actor
from pilot.ui import Link, Tag
from tests.applications.builders import client_of
from tests.assessment import builders, looking

pytestmark = pytest.mark.django_db


def facts(reader: Actor, application: Application) -> dict[str, Any]:
    page = client_of(reader).get(reverse("application_detail", args=[application.pk])).context["page"]
    return {fact.label: fact.value for fact in page.facts}


def test_what_the_list_decides_stands_among_the_facts_of_the_application(
    decided: list[Application], staff: builders.Desk
) -> None:
    passed, failed, _unwanted = decided
    provider = looking.applicant(failed)
    assert "名单决定" not in facts(provider, failed)
    published: ApprovalList = builders.published(staff)
    there = Link(f"{published} {published.number}", reverse("approval-list_detail", args=[published.pk]))
    reason = next(words for pk, listed, words in builders.entries(published) if pk == failed.pk)
    for reader in (provider, staff.lead, staff.officer):
        found = facts(reader, failed)
        assert (found["名单决定"], found["未列入名单的理由"]) == ([Tag("不列入", "danger"), there], reason)
    found = facts(looking.applicant(passed), passed)
    assert (found["名单决定"], "未列入名单的理由" in found) == ([Tag("列入名单", "success"), there], False)
