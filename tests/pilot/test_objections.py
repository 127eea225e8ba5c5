"""Objections: against a decision, by the organisation concerned, in time, one at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from applications.models import Application
from pilot import workflow
from pilot.errors import Refused
from pilot.models import Objection, Person, Programme
from pilot.pages import objection_section
from pilot.services import objections
from pilot.ui import Link, Tag
from tests.applications import builders as intake
from tests.factories import world
from tests.factories.cases import Cast


@pytest.fixture
def cast(programme: Programme) -> Cast:
    return Cast()


@pytest.fixture
def refused(cast: Cast) -> Application:
    return intake.refused(cast.provider, cast.reviewer)


def file(cast: Cast, machine: str, object_id: int) -> Objection:
    return objections.file_objection(
        actor=cast.provider, machine=machine, object_id=object_id, grounds="示例理由"
    )


def test_a_refusal_can_be_objected_to_once(cast: Cast, refused: Application) -> None:
    file(cast, "application", refused.pk)
    with pytest.raises(Refused, match="针对该决定的申诉正在办理"):
        file(cast, "application", refused.pk)


def test_ten_working_days_and_no_more(cast: Cast, refused: Application) -> None:
    world.at("2019-05-20 09:00")
    with pytest.raises(Refused, match="已超过 10 个工作日的申诉期限"):
        file(cast, "application", refused.pk)


@pytest.mark.parametrize(("machine", "offset"), [("nothing", 0), ("application", 1000)])
def test_there_must_be_a_decision(cast: Cast, refused: Application, machine: str, offset: int) -> None:
    with pytest.raises(Refused, match="没有可以申诉的决定"):
        file(cast, machine, refused.pk + offset)


def test_nobody_else_objects(refused: Application) -> None:
    with pytest.raises(Refused, match="没有可以申诉的决定"):
        file(Cast(), "application", refused.pk)


def test_only_the_officer_who_took_it_decides(cast: Cast, refused: Application) -> None:
    objection = file(cast, "application", refused.pk)
    taken = workflow.fire(objection, "take", actor=cast.officer)
    with pytest.raises(Refused, match="由受理复核的人员作出决定"):
        workflow.fire(taken, "dismiss", actor=cast.approver, reason="示例")
    assert workflow.fire(taken, "dismiss", actor=cast.officer, reason="示例").finding == "示例"


def test_a_decision_is_reviewed_once(cast: Cast, refused: Application) -> None:
    objection = workflow.fire(file(cast, "application", refused.pk), "take", actor=cast.officer)
    workflow.fire(objection, "dismiss", actor=cast.officer, reason="示例")
    with pytest.raises(Refused, match="针对该决定的申诉已有复核结果，不能再次申诉"):
        file(cast, "application", refused.pk)


def test_whoever_decides_reads_decision_and_grounds_above_the_form(cast: Cast, refused: Application) -> None:
    objection = workflow.fire(file(cast, "application", refused.pk), "take", actor=cast.officer)
    page = (
        intake.client_of(cast.officer)
        .get(reverse("objection_act", args=[objection.pk, "uphold"]))
        .context["page"]
    )
    [section] = page.sections
    case = Link(f"试点申请 {refused.number} 不予受理", reverse("application_detail", args=[refused.pk]))
    assert [(fact.label, fact.value) for fact in section.facts] == [
        ("原决定", case),
        ("原决定的理由", "未提供权威库比对授权"),
        ("申诉理由", "示例理由"),
    ]
    assert str(objection) == cast.provider.organisation_name


def test_the_page_of_the_decision_says_until_when_and_how_to_object(cast: Cast, refused: Application) -> None:
    def read() -> tuple[Any, ...]:
        section = objection_section(refused, cast.provider)
        assert section is not None
        return tuple(fact.value for fact in section.facts)

    last = date(2019, 4, 26)
    world.at("2019-04-26 23:59")
    page = f"{reverse('objection_create')}?machine=application&object_id={refused.pk}"
    assert read() == (last, Link("提出申诉", page, "scale"))
    assert objection_section(refused, cast.officer) is None
    client = Client()
    client.force_login(
        Person.objects.get(pk=cast.provider.person_id),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    assert "申诉期限" in client.get(reverse("application_detail", args=[refused.pk])).text
    world.at("2019-04-27 00:00")
    assert read() == (last, Tag("期限已过，不能再提出申诉", "muted"))
    assert "期限已过" in client.get(reverse("application_detail", args=[refused.pk])).text
    world.at("2019-04-26 23:59")
    objection = file(cast, "application", refused.pk)
    filed = Link(f"#{objection.pk} 已提出", reverse("objection_detail", args=[objection.pk]))
    assert read() == (last, filed)
