"""Notices: what they say in the portal and by mail, and the page on which a person reads them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from pilot import clock
from pilot.actors import Actor
from pilot.models import Notice, OutboxMessage, Person
from tests.applications.builders import client_of, submitted
from tests.pilot.lists.helpers import find, page

pytestmark = pytest.mark.django_db


def tell(actor: Actor, *subjects: str, later: timedelta = timedelta(), read: bool = False) -> None:
    now = clock.security_now()
    for subject in subjects:
        Notice.objects.create(
            person_id=actor.person_id,
            subject=subject,
            url="/",
            at=now,
            visible_from=now + later,
            read_at=now if read else None,
        )


def shown(actor: Actor, query: str = "") -> list[str]:
    found = page(client_of(actor), query, machine="notice")
    return [link.text_content() for link in find(found, ".grid tbody td:first-child a")]


def test_only_what_is_unread_can_be_asked_for(ministry_officer: Actor, provider: Actor) -> None:
    tell(ministry_officer, "甲", "乙")
    tell(ministry_officer, "丙", read=True)
    tell(ministry_officer, "丁", later=timedelta(hours=1))
    tell(provider, "戊")
    assert (shown(ministry_officer), shown(ministry_officer, "state=unread")) == (
        ["丙", "乙", "甲"],
        ["乙", "甲"],
    )


def test_all_of_ones_own_are_marked_as_read_at_once(ministry_officer: Actor, provider: Actor) -> None:
    tell(ministry_officer, "甲", "乙")
    tell(ministry_officer, "丁", later=timedelta(hours=1))
    tell(provider, "戊")
    answer = client_of(ministry_officer).post(reverse("notice_list"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("notice_list"))
    assert sorted(Notice.objects.filter(read_at=None).values_list("subject", flat=True)) == ["丁", "戊"]


def test_nothing_is_offered_to_mark_where_all_is_read(ministry_officer: Actor) -> None:
    tell(ministry_officer, "甲", read=True)
    assert find(page(client_of(ministry_officer), machine="notice"), ".toolbar form[method=post]") == []


def test_a_notice_says_whose_case_it_is_and_a_mail_does_not(provider: Actor, bureau_reviewer: Actor) -> None:
    Person.objects.filter(pk=bureau_reviewer.person_id).update(email="reviewer@example.cn")
    case = submitted(provider)
    (notice,) = Notice.objects.filter(person=bureau_reviewer.person_id)
    (mail,) = OutboxMessage.objects.filter(target="reviewer@example.cn")
    assert (notice.subject, mail.payload["subject"]) == (
        f"{case.number} · {provider.organisation_name} · 提交申请",
        f"{case.number} · 提交申请",
    )
    assert provider.organisation_name not in mail.payload["text"]
