"""The pages of review and assessment through the generic views, as each role's browser asks for them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localtime

from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
    ProvincialReport,
    ScoreSheet,
)
from assessment.pages import approval_list, capability, declaration, opinion, report
from pilot.actors import Actor
from pilot.enums import FilingType
from pilot.models import Document, Person, Programme
from pilot.services import documents
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import EFFECT, FULL, MET
from tests.factories import world

pytestmark = pytest.mark.django_db

CONFIRMED = {"csrfmiddlewaretoken": "x"}  # all that a form without fields sends


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(
        Person.objects.get(pk=actor.person_id), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def url(name: str, *args: Any) -> str:
    return reverse(name, args=args)


def test_an_opinion_is_drafted_in_the_browser(staff: builders.Desk) -> None:
    case = builders.opinion_of(builders.accepted(staff))
    page = url("opinion_act", case.pk, "draft")
    assert browser(staff.reviewer).get(page).status_code == 200
    data = {f"{field}_{n}": item[field] for n, item in MET.items() for field in ("verdict", "evidence")}
    data |= {"remark": "材料齐全", "internal_remark": "电话核实过", "seen": "pending"}
    answer = browser(staff.reviewer).post(page, data)
    assert (answer.status_code, answer.headers["Location"]) == (302, url("opinion_detail", case.pk))
    case = builders.refreshed(case)
    assert (case.state, case.recommended, case.remark, case.internal_remark) == (
        "drafted",
        True,
        "材料齐全",
        "电话核实过",
    )


def test_a_verdict_without_evidence_gives_the_form_back(staff: builders.Desk) -> None:
    case = builders.opinion_of(builders.accepted(staff))
    data = {"verdict_1": "not_met", "verdict_2": "na", "evidence_3": "第2页", "remark": "保留的字"}
    answer = browser(staff.reviewer).post(url("opinion_act", case.pk, "draft"), data)
    assert answer.status_code == 422
    told = dict(answer.context["page"].form.errors)
    assert {name: told[name] for name in sorted(told)[:3]} == {
        "evidence_1": ["不符合、不适用的须写明依据"],
        "evidence_2": ["不符合、不适用的须写明依据"],
        "verdict_3": ["该字段是必填项。"],
    }
    assert "保留的字" in answer.text


def test_the_internal_remark_is_shown_to_the_bureau_alone(staff: builders.Desk) -> None:
    application = builders.accepted(staff)
    case = fire(
        builders.opinion_of(application),
        "draft",
        actor=staff.reviewer,
        checklist=MET,
        internal_remark="只给本局看的话",
    )
    fire(case, "sign", actor=staff.lead)
    page = url("opinion_detail", case.pk)
    assert "只给本局看的话" in browser(staff.lead).get(page).text
    ministry = browser(staff.officer).get(page)
    assert (ministry.status_code, "只给本局看的话" in ministry.text) == (200, False)


def test_what_the_lead_wrote_to_the_drafter_stays_in_the_bureau(staff: builders.Desk) -> None:
    application = builders.accepted(staff)
    fire(builders.drafted(application, staff), "send_back", actor=staff.lead, reason="只给本局看的理由")
    case = builders.signed(application, staff)
    page = url("opinion_detail", case.pk)
    assert "只给本局看的理由" in browser(staff.lead).get(page).text
    ministry = browser(staff.officer).get(page)
    assert (ministry.status_code, "只给本局看的理由" in ministry.text) == (200, False)


def test_signing_asks_for_the_password(staff: builders.Desk) -> None:
    case = builders.drafted(builders.accepted(staff), staff)
    page = url("opinion_act", case.pk, "sign")
    wrong = browser(staff.lead).post(page, {"password": "wrong", "seen": "drafted"})
    assert (wrong.status_code, builders.refreshed(case).state) == (422, "drafted")
    right = browser(staff.lead).post(page, {"password": world.PASSWORD, "seen": "drafted"})
    assert (right.status_code, builders.refreshed(case).state) == (302, "signed")


def test_a_report_is_sent_received_and_supplemented_in_the_browser(staff: builders.Desk) -> None:
    builders.recommended(staff)
    builders.begin_review()
    case = builders.report_of()
    lead = browser(staff.lead)
    assert lead.get(url("provincial-report_detail", case.pk)).status_code == 200
    data = {"filled_in_by": "示例一", "phone": "020-00000002", "seen": "open"}
    assert lead.post(url("provincial-report_act", case.pk, "send"), data).status_code == 302
    assert lead.get(url("provincial-report_detail", case.pk)).status_code == 200
    officer = browser(staff.officer)
    assert officer.post(url("provincial-report_act", case.pk, "receive"), {"seen": "sent"}).status_code == 302
    assert builders.refreshed(case).state == "received"
    answer = lead.post(url("provincial-report_create"), CONFIRMED)
    assert (answer.status_code, "没有尚未报送的申请" in answer.text) == (422, True)
    assert ProvincialReport.unscoped.filter(province=44).count() == 1


def test_an_assessor_reads_three_facts_before_declaring_and_nothing_of_the_case(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.planned(staff)
    builders.assigned(case, staff, assessors[:2])
    own = builders.declaration_of(case, assessors[0])
    client = browser(assessors[0])
    page = client.get(url("interest-declaration_detail", own.pk)).text
    shown = ("示例智能有限公司", case.application.uscc, case.application.provider.name)
    hidden = ("示例核验 2.0", "示例意见", "同意推荐", "B1-20180123")
    assert [text in page for text in (*shown, *hidden)] == [True] * 3 + [False] * 4
    for name, pk in (
        ("capability-assessment_detail", case.pk),
        ("application_detail", case.application_id),
        ("interest-declaration_detail", builders.declaration_of(case, assessors[1]).pk),
    ):
        assert client.get(url(name, pk)).status_code == 404
    fire(own, "declare_none", actor=assessors[0])
    assert client.get(url("capability-assessment_detail", case.pk)).status_code == 200
    assert client.get(url("application_detail", case.application_id)).status_code == 200


def test_an_assessment_goes_from_assignment_to_conclusion_in_the_browser(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.planned(staff)
    officer = browser(staff.officer)
    page = url("capability-assessment_act", case.pk, "assign")
    assert officer.get(page).status_code == 200
    chosen = [str(actor.membership_id) for actor in assessors[:2]]
    assert officer.post(page, {"assessors": chosen, "seen": "planned"}).status_code == 302
    for actor in assessors[:2]:
        own = builders.declaration_of(case, actor)
        act = url("interest-declaration_act", own.pk, "declare_none")
        assert browser(actor).post(act, {"seen": "asked"}).status_code == 302
    act = url("capability-assessment_act", case.pk, "conclude")
    early = officer.post(
        act, {"conclusion": "示例结论。", "seen": "in_progress"}
    )  # from a page that is old by now
    assert (early.status_code, "评估人员尚未全部评分（0/2）" in early.text) == (422, True)
    scores = {f"score_{code}": points for code, points in FULL.items()}
    for actor in assessors[:2]:
        task = url("interest-declaration_task", builders.declaration_of(case, actor).pk, "submit_scores")
        assert browser(actor).get(task).status_code == 200
        bad = browser(actor).post(task, scores | {"score_liveness": 99})
        assert bad.status_code == 422
        assert browser(actor).post(task, scores | {"comment": "示例评语"}).status_code == 302
    assert ScoreSheet.unscoped.count() == 2
    assert officer.post(act, {"conclusion": "示例结论。", "seen": "in_progress"}).status_code == 302
    assert officer.get(url("capability-assessment_detail", case.pk)).status_code == 200
    assert builders.refreshed(case).passed is True


def test_scores_apart_show_on_the_page_only_once_moderated(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.started(builders.planned(staff), staff, assessors[:2])
    builders.score(case, assessors[0], builders.less(7))
    page = url("capability-assessment_detail", case.pk)
    seen = [">93<" in browser(who).get(page).text for who in (staff.officer, assessors[1], assessors[0])]
    assert seen == [False, False, True]
    builders.score(case, assessors[1], builders.less(40))
    seen = [">93<" in browser(who).get(page).text for who in (staff.officer, assessors[1], assessors[0])]
    assert seen == [True, True, True]


def test_a_list_is_begun_prepared_approved_and_published_in_the_browser(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.concluded(builders.planned(staff), staff, assessors[:2])
    world.at("2019-05-14 09:00")
    officer, approver = browser(staff.officer), browser(staff.approver)
    page = officer.get(url("approval-list_create"))
    assert page.context["page"].form.fields["effective_from"].initial == EFFECT
    assert "现在没有可以列入名单的申请" not in page.text
    made = officer.post(url("approval-list_create"), {"effective_from": "2019-05-16 00:00"})
    case = ApprovalList.unscoped.get()
    assert (made.status_code, case.effective_from) == (302, EFFECT)
    assert officer.post(url("approval-list_task", case.pk, "refresh"), CONFIRMED).status_code == 302
    data = {"effective_from": "2019-05-16 00:00", "seen": "draft"}
    assert officer.post(url("approval-list_act", case.pk, "prepare"), data).status_code == 302
    for name, seen in (("approve", "prepared"), ("publish", "approved")):
        data = {"password": world.PASSWORD, "seen": seen}
        assert approver.post(url("approval-list_act", case.pk, name), data).status_code == 302
    assert builders.refreshed(case).state == "published"
    world.at("2019-05-20 09:00")  # nobody is left, and the beginning of the run phase has gone by
    page = officer.get(url("approval-list_create"))
    assert page.context["page"].form.fields["effective_from"].initial == world.moment("2019-05-21 00:00")
    assert "现在没有可以列入名单的申请" in page.text
    for client in (officer, approver, browser(staff.reviewer)):
        assert client.get(url("approval-list_detail", case.pk)).status_code == 200


def test_the_published_list_is_public_as_page_json_and_csv(
    programme: Programme, staff: builders.Desk, assessors: list[Actor]
) -> None:
    body = Client().get(url("published_list_json")).json()
    assert body.pop("as_of").startswith("2019-04-12T09:00:")
    assert body == {"version": 1, "programme": programme.number, "lists": []}
    declined = builders.not_recommended(staff)
    case = builders.planned(staff)
    builders.concluded(case, staff, assessors[:2])
    published = builders.published(staff)
    name = case.application.provider.name
    page = Client().get(url("published_list"))
    assert (page.status_code, name in page.text, declined.provider.name in page.text) == (200, True, False)
    world.at("2019-05-20 09:00")
    answer = Client().get(url("published_list_json"))
    paper = Document.objects.get(machine="approval-list", object_id=published.pk)
    pdf = url("published_list_pdf", 1)
    assert answer.json()["lists"] == [
        {
            "sequence": 1,
            "number": "MD-2019-01",
            "published_at": localtime(published.published_at).isoformat(timespec="seconds"),
            "effective_from": "2019-05-16T00:00:00+08:00",
            "amends": [],
            "amended_by": [],
            "document": {"url": f"http://testserver{pdf}", "sha256": paper.sha256},
            "units": [
                {
                    "code": "1001",
                    "name": name,
                    "province": "广东省",
                    "province_code": "44",
                    "licence": "B1-20180123",
                    "scope": {kind: ["44", "45"] for kind in FilingType.values},
                    "status": "active",
                    "status_label": "试点中",
                }
            ],
        }
    ]
    # Who has it already is told so; when a unit's status changes, the validator does.
    for name_of_page in ("published_list_json", "published_list_csv"):
        address = url(name_of_page)
        answer = Client().get(address)
        again = Client().get(address, headers={"If-None-Match": answer["ETag"]})
        assert (again.status_code, again["Cache-Control"]) == (304, "public, max-age=60")
        world.at("2020-01-02 09:00")
        ended = Client().get(address, headers={"If-None-Match": answer["ETag"]})
        assert ended.status_code == 200
        world.at("2019-05-20 09:00")
    assert [Client().get(url("published_list_pdf", n)).status_code for n in (1, 2)] == [200, 404]
    assert Client().get(pdf).content == documents.read_bytes(paper.sha256)
    assert "no-store" in Client().get(url("published_list"))["Cache-Control"]
    table = list(csv.reader(io.StringIO(Client().get(url("published_list_csv")).content.decode("utf-8-sig"))))
    opened = "广东省、广西壮族自治区；全部备案类型"
    assert [row[3:] for row in table[1:]] == [
        ["1001", name, "广东省", "B1-20180123", opened, "试点中", ""],
    ]


# --- what waits for whom --------------------------------------------------------------------------
def count(pages: Any, model: Any, actor: Actor) -> int | None:
    waiting = pages.waiting(actor)
    return None if waiting is None else model.objects.visible_to(actor).filter(waiting).count()


def test_opinions_wait_for_reviewer_then_lead(staff: builders.Desk) -> None:
    application = builders.accepted(staff)
    people = (staff.reviewer, staff.lead, staff.officer)

    def waits() -> list[int | None]:
        model = type(builders.opinion_of(application))
        return [count(opinion, model, person) for person in people]

    assert waits() == [1, 0, None]
    builders.drafted(application, staff)
    assert waits() == [0, 1, None]
    fire(builders.opinion_of(application), "sign", actor=staff.lead)
    assert waits() == [0, 0, None]


def test_reports_wait_for_lead_then_officer(staff: builders.Desk) -> None:
    builders.begin_review()
    assert [count(report, ProvincialReport, who) for who in (staff.lead, staff.officer)] == [1, 0]
    builders.sent(staff, nil=True)
    assert [count(report, ProvincialReport, who) for who in (staff.lead, staff.officer)] == [0, 1]


def test_assessments_wait_for_officer_and_assessors_in_turn(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.planned(staff)
    first, second, third = assessors

    def waits() -> tuple[int | None, list[int | None]]:
        officer = count(capability, CapabilityAssessment, staff.officer)
        return officer, [count(declaration, InterestDeclaration, actor) for actor in assessors]

    assert waits() == (1, [0, 0, 0])
    builders.assigned(case, staff, [first, second])
    assert waits() == (0, [1, 1, 0])
    fire(builders.declaration_of(case, first), "declare_none", actor=first)
    assert waits() == (0, [0, 1, 0])
    fire(builders.declaration_of(case, second), "declare_none", actor=second)
    assert waits() == (0, [1, 1, 0])
    builders.score(case, first)
    builders.score(case, second, builders.less(20))
    assert waits() == (1, [0, 0, 0])
    fire(case, "replace", actor=staff.officer, moderator=builders.membership(third))
    assert waits() == (0, [0, 0, 1])
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    assert waits() == (0, [0, 0, 1])
    builders.score(case, third)
    assert waits() == (1, [0, 0, 0])
    fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    assert waits() == (0, [0, 0, 0])


def test_lists_wait_for_officer_then_approver(staff: builders.Desk, assessors: list[Actor]) -> None:
    builders.concluded(builders.planned(staff), staff, assessors[:2])
    draft = builders.create_list(actor=staff.officer, effective_from=EFFECT)
    people = (staff.officer, staff.approver)
    assert [count(approval_list, ApprovalList, who) for who in people] == [1, 0]
    fire(draft, "prepare", actor=staff.officer)
    assert [count(approval_list, ApprovalList, who) for who in people] == [0, 1]
    fire(draft, "approve", actor=staff.approver)
    assert [count(approval_list, ApprovalList, who) for who in people] == [0, 1]
    fire(draft, "publish", actor=staff.approver)
    assert [count(approval_list, ApprovalList, who) for who in people] == [0, 0]


# --- speed ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "slug", ["opinion", "provincial-report", "capability-assessment", "interest-declaration"]
)
def test_a_list_page_asks_no_more_for_three_rows_than_for_one(
    staff: builders.Desk, assessors: list[Actor], slug: str
) -> None:
    client = browser(staff.officer)
    page = url(f"{slug}_list")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        return len(captured)

    desks = [staff, builders.desk(province=45), builders.desk(province=46)]
    for desk in desks:
        builders.recommended(desk)
    builders.begin_review()
    builders.received(desks[0])
    builders.assigned(builders.assessment_of_latest(), staff, assessors[:2])
    client.get(page)
    one = queries()
    for desk in desks[1:]:
        builders.received(desk)
        builders.assigned(builders.assessment_of_latest(), staff, assessors[:2])
    assert queries() == one
