"""Objections: against a decision, by the organisation concerned, in time, one at a time."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from pilot import workflow
from pilot.actors import Actor
from pilot.context import waiting
from pilot.enums import Role
from pilot.errors import Refused
from pilot.masking import mask_name
from pilot.models import Document, Objection, Person, Programme
from pilot.pages import objection_section
from pilot.services import documents, objections
from pilot.tones import state_tag
from pilot.ui import Link, Tag
from pilot.views import case_parts
from tests.applications import builders as intake
from tests.documents.reading import squeezed, text_of
from tests.factories import world
from tests.factories.cases import Cast


@pytest.fixture
def cast(programme: Programme) -> Cast:
    return Cast()


@pytest.fixture
def refused(cast: Cast) -> Application:
    return intake.refused(cast.provider, cast.reviewer)


def waiting_for(actor: Actor) -> int:
    """How many objections wait for this actor."""
    return waiting(actor).get("objection", 0)


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


@pytest.mark.parametrize(("seconds_before", "filed"), [(3, 1), (0, 0)])
def test_it_counts_when_the_request_came_though_it_is_served_after_the_bell(
    settings: Any, cast: Cast, refused: Application, seconds_before: int, filed: int
) -> None:
    settings.PILOT_ARRIVAL_HEADER = "X-Arrived"
    client, bell = intake.client_of(cast.provider), world.moment("2019-04-27 00:00")
    world.at("2019-04-27 00:00:01")
    client.post(
        reverse("objection_create"),
        {"machine": "application", "object_id": refused.pk, "grounds": "示例理由"},
        headers={"X-Arrived": f"t={time.time() - seconds_before:.3f}"},
    )
    assert Objection.unscoped.filter(opened_at__lt=bell).count() == filed == Objection.unscoped.count()


def test_it_is_never_dated_before_the_decision_it_is_against(cast: Cast, refused: Application) -> None:
    objection = objections.file_objection(
        actor=cast.provider, machine="application", object_id=refused.pk, grounds="示例",
        at=refused.state_since - timedelta(seconds=30),
    )  # fmt: skip
    assert objection.opened_at == objections.decision(objection).at
    assert objections.against(refused) == objection


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


def test_people_of_one_office_are_told_apart_by_what_they_acted_as(cast: Cast, refused: Application) -> None:
    objection = workflow.fire(file(cast, "application", refused.pk), "take", actor=cast.officer)
    address = reverse("objection_detail", args=[objection.pk])
    page = intake.client_of(cast.approver).get(address).context["page"]
    name = mask_name(cast.officer.name)
    office = cast.officer.organisation_name
    assert str(page.timeline[0].by) == f"{office} · 部经办人员 {name}"
    workflow.fire(objection, "uphold", actor=cast.officer, reason="示例")  # and by it the refusal falls
    page = (
        intake.client_of(cast.approver).get(reverse("application_detail", args=[refused.pk])).context["page"]
    )
    follows = next(entry for entry in page.timeline if entry.title == "恢复受理审查")
    assert str(follows.by) == f"{office} · {name}"


def test_a_decision_is_reviewed_once(cast: Cast, refused: Application) -> None:
    objection = workflow.fire(file(cast, "application", refused.pk), "take", actor=cast.officer)
    workflow.fire(objection, "dismiss", actor=cast.officer, reason="示例")
    with pytest.raises(Refused, match="针对该决定的申诉已有复核结果，不能再次申诉"):
        file(cast, "application", refused.pk)


def test_a_dismissal_is_a_letter_of_the_ministry(cast: Cast, refused: Application) -> None:
    assert waiting_for(cast.officer) == 0
    objection = file(cast, "application", refused.pk)
    other = world.ministry(Role.MINISTRY_OFFICER)
    assert [waiting_for(one) for one in (cast.officer, other, cast.reviewer)] == [1, 1, 0]
    taken = workflow.fire(objection, "take", actor=cast.officer)
    assert [waiting_for(one) for one in (cast.officer, other)] == [1, 0]  # whoever took it goes on
    workflow.fire(taken, "dismiss", actor=cast.officer, reason="授权书确未提交")
    [letter] = Document.objects.filter(machine="objection", object_id=objection.pk)
    number = f"SS-2019-{objection.pk:04d}"
    assert (letter.title, str(objection), objection.number) == (
        "关于电子化核验试点申诉复核结果的函",
        cast.provider.organisation_name,
        number,
    )
    text = squeezed(text_of(documents.content_of(letter)))
    said = (
        "信管试点函〔2019〕1号",
        f"{cast.provider.organisation_name}：",
        f"不服广东省通信管理局于2019年4月12日作出的不予受理申请的决定（编号：{refused.number}）",
        f"于2019年4月12日提出申诉（申诉编号：{number}）",
        "原决定的理由：未提供权威库比对授权。",
        "复核结论：授权书确未提交。",
        "据此，维持原决定。",
        "抄送：广东省通信管理局。",
    )
    assert [words for words in said if words not in text] == []
    page = (
        intake.client_of(cast.provider).get(reverse("objection_detail", args=[objection.pk])).context["page"]
    )
    assert ([item.title for item in page.documents], page.number) == ([letter.title], number)
    fetched = intake.client_of(cast.provider).get(reverse("document", args=[letter.pk]))
    assert (fetched.status_code, fetched["Content-Type"]) == (200, "application/pdf")


def test_the_work_list_costs_the_same_however_many_objections(cast: Cast, refused: Application) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(reverse("objection_list")).status_code == 200
        return len(caught)

    file(cast, "application", refused.pk)
    client = intake.client_of(cast.officer)
    client.get(reverse("objection_list"))  # fills per-process caches
    before = queries()
    for _more in range(2):
        other = Cast()
        file(other, "application", intake.refused(other.provider, cast.reviewer).pk)
    assert (queries(), waiting_for(cast.officer)) == (before, 3)


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
    upheld = workflow.fire(objection, "uphold", actor=cast.officer, reason="示例理由")
    assert state_tag(upheld) == Tag("申诉成立", "success")
    own = [entry.state for entry in case_parts.timeline(upheld, cast.officer) if not entry.machine]
    assert own[0] == state_tag(upheld)


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
    filed = Link(f"SS-2019-{objection.pk:04d} 已提出", reverse("objection_detail", args=[objection.pk]))
    assert read() == (last, filed)


def test_the_form_names_the_decision_or_offers_those_still_open(cast: Cast, refused: Application) -> None:
    client = intake.client_of(cast.provider)
    address = reverse("objection_create")
    world.at("2019-04-26 23:59")
    page = client.get(address, {"machine": "application", "object_id": refused.pk}).context["page"]
    decision, until = page.sections[0].facts
    assert (decision.value.label, until.value) == (f"试点申请 {refused.number} 不予受理", date(2019, 4, 26))
    for data in (
        {},
        {"machine": "application"},
        {"machine": "x", "object_id": "y"},
        {"machine": "sanction", "object_id": 1},
    ):
        page = client.get(address, data).context["page"]
        [row] = page.sections[0].rows
        there = Link("提出申诉", f"{address}?machine=application&object_id={refused.pk}", "scale")
        assert page.blocked, data
        assert row.cells == [decision.value, date(2019, 4, 26), there]
    world.at("2019-04-27 00:00")
    page = client.get(address).context["page"]
    assert (page.blocked, page.sections[0].rows, page.sections[0].empty) == (True, [], "没有仍可申诉的决定")


def test_a_case_is_found_by_the_number_people_quote(cast: Cast, refused: Application) -> None:
    objection = file(cast, "application", refused.pk)
    client = intake.client_of(cast.officer)

    def found(words: str) -> list[Any]:
        page = client.get(reverse("objection_list"), {"q": words}).context["page"]
        return [row.cells[0] for row in page.rows]

    number = f"SS-2019-{objection.pk:04d}"
    assert [found(words) for words in (number, f" {number.lower()} ")] == [[number], [number]]
    others = (number.replace("2019", "2020"), number.replace("SS", "CW"), number + "1", number[:-1])
    assert [found(words) for words in others] == [[], [], [], []]
