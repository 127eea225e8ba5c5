"""Opinions: opened by acceptance, drafted by one, signed by another, opened again until reported."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdfium2 import PdfDocument
from python_calamine import CalamineWorkbook

from applications.models import Application, ApplicationFile, ChecklistMark
from applications.rules.checklist import items_of
from applications.services import review
from applications.services.review import Given
from assessment.models import CapabilityAssessment, Opinion, OpinionVersion, ProvincialReport
from assessment.selectors import material
from pilot import policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import Document, Membership, Programme, TransitionRecord
from pilot.registry import Group, all_pages
from pilot.workflow import fire
from tests.applications import builders as applications
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.assessment.builders import MET, NOT_MET
from tests.assessment.refusals import refusal
from tests.factories import world

pytestmark = pytest.mark.django_db

FOUR_EYES = "须由另一人办理（四眼原则）"


def test_acceptance_opens_a_pending_opinion_on_the_same_timeline(staff: builders.Desk) -> None:
    application = builders.accepted(staff)
    opinion = builders.opinion_of(application)
    assert (opinion.state, opinion.version, opinion.province) == ("pending", 1, 44)
    assert opinion.case_key == application.case_key
    rows = TransitionRecord.objects.filter(case_key=application.case_key).values_list("machine", "name")
    assert list(rows)[-2:] == [("application", "accept"), ("opinion", "open")]


def test_a_recommendation_is_signed_frozen_and_set(staff: builders.Desk) -> None:
    application = builders.accepted(staff)
    opinion = builders.signed(application, staff)
    assert (opinion.state, opinion.recommended, application.state) == ("signed", True, "recommended")
    version = OpinionVersion.unscoped.get(opinion=opinion)
    assert (version.number, version.recommended, version.remark) == (1, True, "示例意见")
    assert version.checklist == {str(n): item for n, item in MET.items()}
    assert (version.drafted_by_id, version.signed_by_id) == (staff.reviewer.person_id, staff.lead.person_id)


def test_an_unmet_condition_forbids_a_recommendation(staff: builders.Desk) -> None:
    application = builders.accepted(staff)
    opinion = builders.opinion_of(application)
    assert refusal(opinion, "draft", actor=staff.reviewer, checklist=NOT_MET, recommended=True) == (
        Refused,
        "有条件不符合，不能同意推荐",
    )
    builders.signed(application, staff, NOT_MET)
    assert application.state == "not_recommended"


def test_without_an_unmet_condition_nothing_speaks_against(staff: builders.Desk) -> None:
    opinion = builders.opinion_of(builders.accepted(staff))
    assert refusal(opinion, "draft", actor=staff.reviewer, checklist=MET, recommended=False) == (
        Refused,
        "各项条件均无不符合，不能作出不同意推荐的意见",
    )


@pytest.mark.parametrize(
    ("checklist", "words"),
    [
        ({1: MET[1], 2: MET[2]}, "请逐条核对 3 项参与条件"),
        ({**MET, 4: MET[1]}, "请逐条核对 3 项参与条件"),
        ({**MET, 2: {"verdict": "perhaps", "evidence": "x"}}, "第 2 项条件没有核对结论"),
        ({**MET, 2: {"verdict": "not_met", "evidence": " "}}, "第 2 项条件须写明依据"),
        ({**MET, 2: {"verdict": "na"}}, "第 2 项条件须写明依据"),
    ],
)
def test_a_checklist_is_complete(staff: builders.Desk, checklist: dict[int, Any], words: str) -> None:
    opinion = builders.opinion_of(builders.accepted(staff))
    assert refusal(opinion, "draft", actor=staff.reviewer, checklist=checklist) == (Refused, words)
    assert Opinion.unscoped.get(pk=opinion.pk).state == "pending"


def test_whoever_drafted_does_not_sign_by_guard_and_by_constraint(staff: builders.Desk) -> None:
    opinion = builders.drafted(builders.accepted(staff), staff)
    both = Membership.objects.create(
        person_id=staff.reviewer.person_id,
        organisation_id=staff.reviewer.organisation_id,
        role=Role.BUREAU_LEAD,
        valid_from=world.moment("2019-01-01 00:00"),
    ).as_actor()
    assert refusal(opinion, "sign", actor=both) == (Refused, FOUR_EYES)
    with pytest.raises(IntegrityError, match="opinion_four_eyes"), transaction.atomic():
        Opinion.unscoped.filter(pk=opinion.pk).update(signed_by=staff.reviewer.person_id)
    with pytest.raises(IntegrityError, match="opinion_version_four_eyes"), transaction.atomic():
        OpinionVersion.unscoped.create(
            opinion=opinion,
            number=1,
            checklist={},
            recommended=True,
            drafted_by_id=staff.reviewer.person_id,
            signed_by_id=staff.reviewer.person_id,
            signed_at=world.moment("2019-04-12 10:00"),
        )


def test_an_opinion_is_the_province_s_own(staff: builders.Desk) -> None:
    opinion = builders.opinion_of(builders.accepted(staff))
    elsewhere = builders.desk(province=45)
    assert refusal(opinion, "draft", actor=elsewhere.reviewer, checklist=MET) == (
        Refused,
        "只能办理本省的事项",
    )
    assert refusal(opinion, "draft", actor=staff.officer, checklist=MET)[0] is NotPermitted
    assert refusal(opinion, "sign", actor=staff.lead)[0] is StateChanged


def test_send_back_needs_a_reason_that_stays_inside(staff: builders.Desk) -> None:
    opinion = builders.drafted(builders.accepted(staff), staff)
    assert refusal(opinion, "send_back", actor=staff.lead) == (Refused, "请填写理由")
    opinion = fire(opinion, "send_back", actor=staff.lead, reason="第2项依据不足")
    assert opinion.state == "pending"
    row = TransitionRecord.objects.get(machine="opinion", object_id=opinion.pk, name="send_back")
    assert (row.internal, row.reason) == (True, "第2项依据不足")


def test_reopening_begins_a_new_version_and_keeps_the_signed_one(staff: builders.Desk) -> None:
    application = builders.accepted(staff)
    opinion = builders.signed(application, staff)
    opinion = fire(opinion, "reopen", actor=staff.lead, reason="发现新材料")
    application.refresh_from_db()
    assert (opinion.state, opinion.version, opinion.signed_by_id) == ("pending", 2, None)
    assert application.state == "accepted"
    builders.signed(application, staff, NOT_MET)
    kept = OpinionVersion.unscoped.filter(opinion=opinion).values_list("number", "recommended")
    assert list(kept) == [(1, True), (2, False)]
    assert application.state == "not_recommended"


def test_what_officials_write_to_each_other_stays_off_the_application(
    programme: Programme, staff: builders.Desk
) -> None:
    application = builders.accepted(staff)
    fire(builders.drafted(application, staff), "sign", actor=staff.lead, reason="签发时的备注")
    fire(builders.opinion_of(application), "reopen", actor=staff.lead, reason="重新审核的理由")
    builders.signed(application, staff)
    builders.begin_review()
    fire(builders.sent(staff), "receive", actor=staff.officer, reason="接收时的备注")
    rows = TransitionRecord.objects.filter(machine="application", object_id=application.pk).order_by("pk")
    assert list(rows.values_list("name", "reason"))[-4:] == [
        ("recommend", ""),
        ("reopen", ""),
        ("recommend", ""),
        ("report", ""),
    ]


def test_what_is_reported_is_not_reopened_until_returned(staff: builders.Desk) -> None:
    application = builders.recommended(staff)
    builders.begin_review()
    report = builders.sent(staff)
    opinion = builders.opinion_of(application)
    assert refusal(opinion, "reopen", actor=staff.lead, reason="x") == (
        Refused,
        "该申请已列入报送的汇总表，须由部退回汇总表后才能重新审核",
    )
    fire(report, "return_to_bureau", actor=staff.officer, reason="请核对")
    assert fire(opinion, "reopen", actor=staff.lead, reason="核对").state == "pending"


def test_reverted_acceptance_voids_the_opinion_and_the_next_one_opens_anew(staff: builders.Desk) -> None:
    application = builders.accepted(staff)
    fire(application, "revert", actor=staff.reviewer)
    fire(application, "accept", actor=staff.reviewer)
    states = Opinion.unscoped.filter(application=application).order_by("pk").values_list("state", flat=True)
    assert list(states) == ["void", "pending"]


def test_withdrawal_voids_a_signed_opinion(programme: Programme, staff: builders.Desk) -> None:
    provider = world.provider()
    application = builders.recommended(staff, provider)
    fire(application, "withdraw", actor=provider, reason="示例")
    assert builders.opinion_of(application).state == "void"


def test_only_the_bureau_sees_a_draft_and_the_ministry_what_is_signed(staff: builders.Desk) -> None:
    provider = world.provider()
    application = applications.accepted(provider, staff.reviewer)
    opinion = builders.drafted(application, staff)
    elsewhere = builders.desk(province=45)

    def readers() -> list[bool]:
        people = [staff.reviewer, staff.lead, elsewhere.reviewer, staff.officer, provider, world.assessor()]
        return [Opinion.objects.visible_to(person).filter(pk=opinion.pk).exists() for person in people]

    assert readers() == [True, True, False, False, False, False]
    fire(opinion, "sign", actor=staff.lead)
    assert readers() == [True, True, False, True, False, False]


# --- what stands beside the conditions -----------------------------------------------------------------
@pytest.fixture
def marked(staff: builders.Desk) -> Application:
    """An application accepted after its checklist was marked, the licence with the page it was seen on."""
    case = applications.submitted(world.provider())
    licence = ApplicationFile.unscoped.get(application=case, kind="licence")
    review.mark(
        case=case,
        actor=staff.reviewer,
        version=1,
        given=[
            Given(item.key, "met", file=licence.pk, page=1)
            if item.key == "licence_valid"
            else Given(item.key, "not_applicable" if item.key == "error_rates" else "met")
            for item in items_of("2019-87")
        ],
    )
    accepted: Application = fire(case, "accept", actor=staff.reviewer)
    return accepted


def test_beside_each_condition_stands_what_the_material_shows(
    marked: Application, staff: builders.Desk
) -> None:
    opinion = builders.opinion_of(marked)
    licence = ApplicationFile.unscoped.get(application=marked, kind="licence")
    page = client_of(staff.reviewer).get(reverse("opinion_act", args=[opinion.pk, "draft"]))
    desk, form = page.context["page"].form.desk, page.context["page"].form
    first, second, _third = desk.conditions
    assert [len(card.marks) for card in desk.conditions] == [5, 5, 4]
    assert {fact.label: fact.value for fact in first.facts}["许可证编号"] == "B1-20180123"
    place = f"{reverse('application_review', args=[marked.pk])}?file={licence.pk}&page=1"
    assert [(row.mark.label, row.place and row.place.url) for row in first.marks] == [
        ("符合", None),
        ("符合", place),
        ("符合", None),
        ("符合", None),
        ("符合", None),
    ]
    assert [link.label for link in first.files] == ["盖章申请表第1页", "增值电信业务经营许可证第1页"]
    assert (first.review.label, second.marks[2].mark.label) == ("受理审核：符合", "不适用")
    assert form["evidence_1"].initial == (
        "许可证持有人与申请单位一致；许可证在有效期内，编号与扫描件一致（见增值电信业务经营许可证第1页）；"
        "业务种类包括B11、B12或B14；许可证覆盖范围包含拟试点省份；申请表已加盖公章，且与网上所填一致"
    )
    assert "误识率、拒识率与测试报告一致：不适用" in form["evidence_2"].initial
    assert [form[f"verdict_{n}"].initial for n in (1, 2, 3)] == [None] * 3
    assert page.content.decode().count("自动带入，请核对") == 3
    assert client_of(staff.reviewer).get(place).context["page"].viewer.file == licence
    builders.drafted(marked, staff)
    fire(builders.opinion_of(marked), "send_back", actor=staff.lead, reason="请补充")
    again = client_of(staff.reviewer).get(reverse("opinion_act", args=[opinion.pk, "draft"]))
    assert again.content.decode().count("自动带入，请核对") == 0
    assert again.context["page"].form["evidence_1"].initial == "示例材料第1页"


def test_of_a_condition_with_something_wrong_only_that_is_the_evidence() -> None:
    first, second, *_rest = [item for item in items_of("2019-87") if item.condition == 1]
    met = ChecklistMark(item=first.key, mark="met")
    wrong = ChecklistMark(item=second.key, mark="not_met", text="有效期已届满")
    said = material.in_words([(first, met), (second, wrong)])
    assert (said, material.in_words([(second, ChecklistMark(item=second.key, mark="not_met"))])) == (
        "有效期已届满",
        f"{second.words}：不符合",
    )
    assert len(material.in_words([(second, ChecklistMark(mark="not_met", text="长" * 2000))])) == 1000


def test_the_page_goes_on_to_the_next_case(staff: builders.Desk) -> None:
    cases = [builders.opinion_of(builders.accepted(staff)) for _ in range(3)]
    urls = [reverse("opinion_act", args=[case.pk, "draft"]) for case in cases]
    client = client_of(staff.reviewer)
    places = [client.get(url).context["page"].form.desk.place for url in urls]
    assert [(place.text, place.previous, place.following) for place in places] == [
        ("待办第 1 / 3 件", "", urls[1]),
        ("待办第 2 / 3 件", urls[0], urls[2]),
        ("待办第 3 / 3 件", urls[1], ""),
    ]
    fields = {f"verdict_{n}": "met" for n in (1, 2, 3)} | {"remark": "同意"}
    done = client.post(urls[1], fields, follow=True)
    assert [(a.label, a.url) for a in done.context["page"].actions if a.primary] == [
        ("办理下一件（还有 2 件）", urls[0])
    ]
    sign = client_of(staff.lead).get(reverse("opinion_act", args=[cases[1].pk, "sign"]))
    desk = sign.context["page"].form.desk
    assert (desk.drafting, desk.outside, desk.conditions[0].drafted_verdict.label) == (False, "同意", "符合")
    assert desk.recommended.label == "同意推荐"


def test_a_draft_is_signed_before_it_is_sent_back(staff: builders.Desk) -> None:
    case = builders.drafted(builders.accepted(staff), staff)
    page = client_of(staff.lead).get(reverse("opinion_detail", args=[case.pk])).context["page"]
    assert [(a.label, a.danger, a.primary) for a in page.actions] == [
        ("签发", False, True),
        ("退回重拟", True, False),
    ]


def test_the_page_of_a_draft_asks_no_more_of_the_database_for_more_cases(staff: builders.Desk) -> None:
    url = reverse("opinion_act", args=[builders.opinion_of(builders.accepted(staff)).pk, "draft"])
    client = client_of(staff.reviewer)

    def queries() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    one = queries()
    for _ in range(2):
        builders.accepted(staff)
    assert queries() == one


# --- who reads what ------------------------------------------------------------------------------------
INSIDE = ("内部乙乙", "退回丙丙")  # never leave the bureau
DRAFT = ("草稿甲甲", "依据丁丁")  # leave it only when signed


def leaked(actor: Actor, application: Application, opinion: Opinion) -> list[str]:
    """The words of the opinion that this actor finds anywhere: pages, lists, search, export, papers."""
    client = client_of(actor)
    slugs = [
        pages.slug
        for pages in all_pages()
        if pages.group in {Group.INTAKE, Group.REVIEW} and policy.may_open(f"{pages.slug}_list", actor.role)
    ]
    addresses = [reverse(f"{slug}_list") for slug in slugs]
    addresses += [
        reverse("opinion_detail", args=[opinion.pk]),
        reverse("opinion_act", args=[opinion.pk, "draft"]),
    ]
    addresses += [
        reverse("application_detail", args=[application.pk]),
        reverse("application_review", args=[application.pk]),
    ]
    addresses += [
        reverse("application_progress", args=[application.pk]),
        reverse("dashboard"),
        reverse("notice_list"),
    ]
    addresses += [
        reverse("provincial-report_detail", args=[report.pk]) for report in ProvincialReport.unscoped.all()
    ]
    addresses += [
        reverse("capability-assessment_detail", args=[case.pk])
        for case in CapabilityAssessment.unscoped.all()
    ]
    addresses += [reverse("published_list_json"), reverse("published_list_csv")]
    text = [client.get(address).content.decode(errors="replace") for address in addresses]
    for slug in slugs:
        exported = client.post(reverse("list_export", args=[slug]), {"reason": "work"})
        if exported.status_code == 200:
            book = CalamineWorkbook.from_filelike(BytesIO(exported.content))
            text.append(str(book.get_sheet_by_index(0).to_python()))
    for document in Document.objects.all():
        answer = client.get(reverse("document", args=[document.pk]))
        if answer.status_code == 200 and document.content_type == "application/pdf":
            text += [page.get_textpage().get_text_range() for page in PdfDocument(answer.content)]
        elif answer.status_code == 200:
            book = CalamineWorkbook.from_filelike(BytesIO(answer.content))
            text.append(str(book.get_sheet_by_index(0).to_python()))
    # What a search shows back to whoever typed it is no leak, a row it finds would be.
    for word in (*INSIDE, *DRAFT):
        answer = client.get(reverse("opinion_list"), {"q": word})
        if answer.status_code == 200:
            assert answer.context["page"].total == 0
    return [word for word in (*INSIDE, *DRAFT) if word in "".join(text)]


@pytest.mark.slow
def test_drafts_and_internal_remarks_never_leave_the_bureau(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    provider = world.provider()
    application = builders.accepted(staff, provider)
    words = {n: {"verdict": "met", "evidence": f"依据丁丁{n}"} for n in (1, 2, 3)}
    data = {"checklist": words, "remark": "草稿甲甲", "internal_remark": "内部乙乙"}
    elsewhere = builders.desk(45)
    opinion = builders.opinion_of(application)

    def found(*actors: Actor) -> list[list[str]]:
        return [leaked(actor, application, opinion) for actor in actors]

    fire(opinion, "draft", actor=staff.reviewer, **data)
    fire(opinion, "send_back", actor=staff.lead, reason="退回丙丙")
    assert found(staff.reviewer, staff.officer) == [[*INSIDE, *DRAFT], []]
    fire(opinion, "draft", actor=staff.reviewer, **data)
    assert found(staff.officer, provider, elsewhere.lead) == [[]] * 3
    fire(opinion, "sign", actor=staff.lead)
    builders.begin_review()
    builders.received(staff)
    builders.concluded(builders.assessment_of(application), staff, assessors[:2])
    assert found(staff.officer, assessors[0], provider, elsewhere.lead) == [list(DRAFT), [], [], []]
