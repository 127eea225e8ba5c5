"""催办: the applicant's own, while somebody else has the application, once a day of business time."""

from __future__ import annotations

import pytest
from django.urls import reverse

from applications.models import Application, Urge
from applications.services import urges
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.masking import mask_name
from pilot.models import AuditEntry, Notice
from tests.applications import builders
from tests.applications.test_races import at_once
from tests.factories import world

TODAY = "今天已催办，明天可再次催办"


def test_urging_tells_the_bureau_and_stays_on_record(
    provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    case = builders.submitted(provider)
    Notice.objects.all().delete()
    made = urges.urge(case=case, actor=provider)
    assert (made.day.isoformat(), made.by_id) == ("2019-04-12", provider.person_id)
    told = Notice.objects.values_list("person", "subject")
    subject = f"{case.case_number} · 申请单位催办"
    assert sorted(told) == sorted((who.person_id, subject) for who in (bureau_reviewer, bureau_lead))
    entry = AuditEntry.objects.get(action="application.urge")
    assert (entry.person_id, entry.object_id) == (provider.person_id, str(case.pk))
    page = builders.client_of(bureau_reviewer).get(reverse("application_detail", args=[case.pk]))
    section = next(s for s in page.context["page"].sections if s.title == "催办记录")
    assert [[at, str(name)] for at, name in (row.cells for row in section.rows)] == [
        [made.at, mask_name(provider.name)]
    ]


def test_once_a_day_by_the_calendar_of_shanghai(provider: Actor) -> None:
    world.at("2019-04-12 23:58")
    case = builders.submitted(provider)
    urges.urge(case=case, actor=provider)
    with pytest.raises(Refused, match=rf"^{TODAY}$"):
        urges.urge(case=case, actor=provider)
    world.at("2019-04-13 00:00")
    urges.urge(case=case, actor=provider)
    assert [urge.day.isoformat() for urge in Urge.unscoped.order_by("pk")] == ["2019-04-12", "2019-04-13"]


def test_nobody_urges_for_another_or_while_the_ball_is_in_the_own_court(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    with pytest.raises(Refused, match=r"^申请不在办理机关手中，无需催办$"):
        urges.urge(case=case, actor=provider)
    for stranger in (world.provider(), bureau_reviewer):
        with pytest.raises(Refused, match=r"^只能催办本单位的申请$"):
            urges.urge(case=case, actor=stranger)
    assert Urge.unscoped.count() == 0


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_are_one(programme: object) -> None:
    provider = world.provider()
    case = builders.submitted(provider)

    def urge() -> None:
        urges.urge(case=Application.unscoped.get(pk=case.pk), actor=provider)

    assert at_once([urge] * 10) == {"done": 1, "condition": 9}
    assert Urge.unscoped.count() == 1


def test_in_the_browser(provider: Actor) -> None:
    case = builders.submitted(provider)
    client, url = builders.client_of(provider), reverse("application_urge", args=[case.pk])
    for words in ("已催办，办理机关将收到提醒", TODAY):
        answer = client.post(url, follow=True)
        assert [str(message) for message in answer.context["messages"]] == [words]
    assert client.get(url).status_code == 405
    assert builders.client_of(world.provider()).post(url).status_code == 404
