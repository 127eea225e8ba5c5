"""Capability assessment: assigned without ties, opened by declarations, scored apart, moderated, concluded."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from applications.models import Application
from assessment.models import (
    CapabilityAssessment,
    InterestDeclaration,
    ScoreSheet,
)
from assessment.services.scores import obstacle, submit_scores
from pilot.actors import Actor
from pilot.enums import OrganisationKind, Role
from pilot.errors import NotPermitted, Refused
from pilot.masking import mask_name
from pilot.models import Document, Membership, Notice
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.assessment.builders import FULL, less
from tests.assessment.refusals import refusal
from tests.factories import world
from tests.factories.audited import audited

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def case(staff: builders.Desk) -> CapabilityAssessment:
    return builders.planned(staff)


def states(assessment: CapabilityAssessment) -> list[tuple[str, bool, bool]]:
    """Of every declaration in order: state, moderator or not, taken off or not."""
    rows = InterestDeclaration.unscoped.filter(assessment=assessment).order_by("pk")
    return [(row.state, row.moderator, row.released_at is not None) for row in rows]


def waits_for(assessment: CapabilityAssessment, reader: Actor) -> str:
    """Whom the page of the case says it waits for."""
    address = reverse("capability-assessment_detail", args=[assessment.pk])
    words: str = client_of(reader).get(address).context["page"].waiting_for
    return words


def test_the_page_says_whom_the_case_really_waits_for(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    """Who has still to declare or to score, by name for the ministry; the officer when it is the officer's turn."""
    officer, (first, second, third) = staff.officer, assessors
    assert waits_for(case, officer) == "部经办人员"
    builders.assigned(case, staff, [first, second])
    assert waits_for(case, officer) == f"评估人员（{mask_name(first.name)}、{mask_name(second.name)}）"
    for actor in (first, second):
        fire(builders.declaration_of(case, actor), "declare_none", actor=actor)
    builders.score(case, second)
    assert [waits_for(case, one) for one in (officer, second)] == [
        f"评估人员（{mask_name(first.name)}）",
        "评估人员",
    ]
    builders.score(case, first, less(20))
    assert [waits_for(case, one) for one in (officer, first)] == ["部经办人员"] * 2
    fire(case, "replace", actor=officer, moderator=builders.membership(third))
    assert waits_for(case, officer) == f"评估人员（{mask_name(third.name)}）"
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    assert waits_for(case, officer) == f"评估人员（{mask_name(third.name)}）"
    fire(builders.declaration_of(case, third), "recuse", actor=third, reason="示例")
    assert waits_for(case, officer) == "部经办人员"


def test_a_place_that_fell_vacant_is_for_the_officer_to_fill(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.assigned(case, staff, assessors[:2])
    fire(builders.declaration_of(case, assessors[0]), "declare", actor=assessors[0], reason="示例")
    assert waits_for(case, staff.officer) == "部经办人员"
    fire(case, "reassign", actor=staff.officer, assessors=builders.memberships(assessors[2:]))
    assert (
        waits_for(case, staff.officer)
        == f"评估人员（{mask_name(assessors[1].name)}、{mask_name(assessors[2].name)}）"
    )


# --- assignment -----------------------------------------------------------------------------------
def test_two_assessors_are_asked_and_told(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.assigned(case, staff, assessors[:2])
    assert (case.state, states(case)) == ("assigned", [("asked", False, False)] * 2)
    told = Notice.objects.filter(url__startswith="/cases/interest-declaration/").values_list(
        "person", flat=True
    )
    assert sorted(told) == sorted(actor.person_id for actor in assessors[:2])


def test_one_person_twice_is_one_assessor(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    one = builders.membership(assessors[0])
    assert refusal(case, "assign", actor=staff.officer, assessors=[one, one]) == (
        Refused,
        "须至少选定 2 名评估人员",
    )


def _works_for_applicant(application: Application, staff: builders.Desk) -> Membership:
    tied = builders.membership(world.assessor())
    Membership.objects.create(
        person=tied.person,
        organisation=application.provider,
        role=Role.PROVIDER_OPERATOR,
        valid_from=world.moment("2018-01-01 00:00"),
        valid_until=world.moment("2018-12-31 00:00"),
    )
    return tied


def _of_supplier(application: Application, staff: builders.Desk) -> Membership:
    agency = world.people.add_organisation(
        actor=world.SETUP, kind=OrganisationKind.AGENCY, name="示例智能有限公司"
    )
    return builders.membership(world.assessor(agency))


def _no_assessor(application: Application, staff: builders.Desk) -> Membership:
    return builders.membership(staff.reviewer)


def _the_officer(application: Application, staff: builders.Desk) -> Membership:
    return Membership.objects.create(
        person_id=staff.officer.person_id,
        organisation=world.agency(),
        role=Role.ASSESSOR,
        valid_from=world.moment("2019-01-01 00:00"),
    )


@pytest.mark.parametrize(
    ("tied", "words"),
    [
        (_works_for_applicant, "在申请单位任职或曾任职，应予回避"),
        (_of_supplier, "所在机构是核验产品供应方，应予回避"),
        (_no_assessor, "不是评估机构的在任评估人员"),
        (_the_officer, "不得指派本人"),
    ],
)
def test_nobody_with_ties_is_asked(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor], tied: Any, words: str
) -> None:
    member = tied(case.application, staff)
    panel = [builders.membership(assessors[0]), member]
    assert refusal(case, "assign", actor=staff.officer, assessors=panel) == (
        Refused,
        f"{member.person}：{words}",
    )
    assert (builders.refreshed(case).state, states(case)) == ("planned", [])


# --- declarations ---------------------------------------------------------------------------------
def test_nothing_but_three_facts_is_open_before_the_declaration(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.assigned(case, staff, assessors[:2])
    first, second, outsider = assessors

    def opened(actor: Actor) -> list[int]:
        models = (InterestDeclaration, CapabilityAssessment, Application, ScoreSheet)
        return [model.objects.visible_to(actor).count() for model in models]

    assert [opened(actor) for actor in assessors] == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    fire(builders.declaration_of(case, first), "declare_none", actor=first)
    assert [opened(actor) for actor in (first, second, outsider)] == [
        [1, 1, 1, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_the_last_declaration_starts_the_assessment(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.assigned(case, staff, assessors[:2])
    fire(builders.declaration_of(case, assessors[0]), "declare_none", actor=assessors[0])
    assert builders.refreshed(case).state == "assigned"
    assert refusal(case, "start", actor=builders.applications.system()) == (
        Refused,
        "评估人员尚未全部声明无利害关系",
    )
    fire(builders.declaration_of(case, assessors[1]), "declare_none", actor=assessors[1])
    assert builders.refreshed(case).state == "in_progress"


def test_an_assessor_declares_for_nobody_else(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.assigned(case, staff, assessors[:2])
    declaration = builders.declaration_of(case, assessors[0])
    assert refusal(declaration, "declare_none", actor=assessors[1]) == (Refused, "只能由本人申报")
    assert refusal(declaration, "declare_none", actor=staff.officer)[0] is NotPermitted
    assert refusal(declaration, "declare", actor=assessors[0]) == (Refused, "请填写理由")


def test_a_declared_interest_closes_the_case_and_calls_for_another(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.assigned(case, staff, [first, second])
    fire(builders.declaration_of(case, first), "declare", actor=first, reason="持有申请单位股份")
    assert refusal(case, "reassign", actor=staff.officer, assessors=[])[1] == "须至少选定 1 名评估人员"
    fire(builders.declaration_of(case, second), "declare_none", actor=second)
    assert builders.refreshed(case).state == "assigned"
    assert CapabilityAssessment.objects.visible_to(first).count() == 0
    member = builders.membership(first)
    assert (
        refusal(case, "reassign", actor=staff.officer, assessors=[member])[1]
        == f"{mask_name(first.name)}：已参与过本案"
    )
    fire(case, "reassign", actor=staff.officer, assessors=builders.memberships([third]))
    assert states(case) == [("conflicted", False, True), ("clear", False, False), ("asked", False, False)]
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    assert builders.refreshed(case).state == "in_progress"


def test_whoever_does_not_answer_is_replaced_and_may_not_answer_later(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.assigned(case, staff, [first, second])
    fire(builders.declaration_of(case, first), "declare_none", actor=first)
    fire(case, "reassign", actor=staff.officer, assessors=builders.memberships([third]))
    assert states(case) == [("clear", False, False), ("asked", False, True), ("asked", False, False)]
    assert refusal(builders.declaration_of(case, second), "declare_none", actor=second) == (
        Refused,
        "已改派其他评估人员",
    )


def test_recusal_during_scoring_leads_back_to_assignment_and_the_sheet_no_longer_counts(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.started(case, staff, [first, second])
    assert refusal(case, "reassign", actor=staff.officer, assessors=builders.memberships([third])) == (
        Refused,
        "没有回避或未申报的评估人员，无需改派",
    )
    builders.score(case, first, less(40))
    fire(builders.declaration_of(case, first), "recuse", actor=staff.officer, reason="查明持股")
    assert refusal(case, "conclude", actor=staff.officer) == (Refused, "有评估人员回避，请先改派")
    fire(case, "reassign", actor=staff.officer, assessors=builders.memberships([third]))
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    builders.score(case, second)
    builders.score(case, third)
    concluded = fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    assert (concluded.state, concluded.points, concluded.passed) == ("concluded", 100, True)


def test_after_the_conclusion_nobody_is_recused(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.concluded(case, staff, assessors[:2])
    declaration = builders.declaration_of(case, assessors[0])
    assert refusal(declaration, "recuse", actor=staff.officer, reason="x") == (Refused, "评估已经结束")


def test_where_a_silent_third_leaves_the_others_scores_are_compared(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.started(case, staff, assessors)
    builders.score(case, assessors[0])
    builders.score(case, assessors[1], less(20))
    assert builders.refreshed(case).state == "in_progress"
    fire(builders.declaration_of(case, assessors[2]), "recuse", actor=assessors[2], reason="新近任职")
    assert builders.refreshed(case).state == "in_moderation"


# --- scores ---------------------------------------------------------------------------------------
def test_scores_wait_for_the_start_and_are_handed_in_once(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, _third = assessors
    builders.assigned(case, staff, [first, second])
    declaration = builders.declaration_of(case, first)
    assert obstacle(declaration, first) == "声明无利害关系后方可评分"
    fire(declaration, "declare_none", actor=first)
    assert obstacle(builders.declaration_of(case, first), first) == "评估尚未开始或已经结束"
    fire(builders.declaration_of(case, second), "declare_none", actor=second)
    assert obstacle(builders.declaration_of(case, first), second) == "只能由本人评分"
    builders.score(case, first)
    assert obstacle(builders.declaration_of(case, first), first) == "您已提交评分"
    assert audited("interest-declaration.submit_scores") == (
        "done",
        first.person_id,
        "interestdeclaration",
        str(declaration.pk),
    )
    with pytest.raises(Refused, match="您已提交评分"):
        builders.score(case, first)
    with pytest.raises(NotPermitted):
        submit_scores(case=declaration, actor=staff.officer, scores=FULL)
    assert audited("interest-declaration.submit_scores")[:2] == ("denied", staff.officer.person_id)
    assert ScoreSheet.unscoped.count() == 1


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({**FULL, "liveness": 11}, "指标“liveness”应为 0 到 10 的整数"),
        ({**FULL, "liveness": -1}, "指标“liveness”应为 0 到 10 的整数"),
        ({**FULL, "liveness": 7.5}, "指标“liveness”应为 0 到 10 的整数"),
        ({**FULL, "liveness": True}, "指标“liveness”应为 0 到 10 的整数"),
        ({**FULL, "beauty": 1}, "请为全部 12 项指标评分"),
        ({"liveness": 10}, "请为全部 12 项指标评分"),
    ],
)
def test_a_sheet_is_whole_numbers_for_every_criterion(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor], scores: Any, words: str
) -> None:
    builders.started(case, staff, assessors[:2])
    with pytest.raises(Refused, match=words):
        builders.score(case, assessors[0], scores)


def test_sheets_stay_hidden_until_all_are_in(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.started(case, staff, [first, second])

    def seen() -> list[int]:
        return [
            ScoreSheet.objects.visible_to(actor).count() for actor in (first, second, third, staff.officer)
        ]

    builders.score(case, first)
    assert seen() == [1, 0, 0, 0]
    builders.score(case, second)
    assert seen() == [1, 1, 0, 2]
    fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    assert seen() == [2, 2, 0, 2]


# --- conclusion -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scores", "points", "passed"),
    [(less(40), 60, True), (less(41), 59, False), (FULL, 100, True)],
)
def test_agreeing_scores_are_concluded(
    case: CapabilityAssessment,
    staff: builders.Desk,
    assessors: list[Actor],
    scores: Any,
    points: int,
    passed: bool,
) -> None:
    concluded = builders.concluded(case, staff, assessors[:2], scores)
    assert (concluded.state, concluded.points, concluded.passed) == ("concluded", points, passed)
    made = Document.objects.filter(machine="capability-assessment", object_id=case.pk)
    assert [document.kind for document in made] == ["assessment-report"]


def test_a_criterion_below_its_least_points_fails_the_whole(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    concluded = builders.concluded(case, staff, assessors[:2], {**FULL, "protection": 3})
    assert (concluded.points, concluded.passed) == (96, False)


def test_there_is_no_conclusion_before_all_have_scored(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.started(case, staff, assessors[:2])
    builders.score(case, assessors[0])
    assert refusal(case, "conclude", actor=staff.officer) == (Refused, "评估人员尚未全部评分（1/2）")


def test_an_assessor_does_not_conclude(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.scored(case, staff, assessors[:2])
    both = Membership.objects.create(
        person_id=assessors[0].person_id,
        organisation_id=staff.officer.organisation_id,
        role=Role.MINISTRY_OFFICER,
        valid_from=world.moment("2019-01-01 00:00"),
    ).as_actor()
    assert refusal(case, "conclude", actor=both) == (Refused, "您是本案评估人员，不能作出结论")


# --- moderation -----------------------------------------------------------------------------------
def test_scores_within_the_margin_stay(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.started(case, staff, assessors[:2])
    builders.score(case, assessors[0])
    builders.score(case, assessors[1], less(15))
    assert builders.refreshed(case).state == "in_progress"
    assert refusal(case, "moderate", actor=builders.applications.system()) == (
        Refused,
        "评分没有超过限值的分歧",
    )


def test_scores_apart_are_moderated_by_a_third_whose_scores_decide(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.started(case, staff, [first, second])
    builders.score(case, first)
    builders.score(case, second, less(16))
    assert builders.refreshed(case).state == "in_moderation"
    assert refusal(case, "conclude", actor=staff.officer) == (Refused, "复议人员尚未评分")
    fire(case, "replace", actor=staff.officer, moderator=builders.membership(third))
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    assert ScoreSheet.objects.visible_to(third).count() == 2
    assert refusal(case, "replace", actor=staff.officer, moderator=builders.membership(world.assessor())) == (
        Refused,
        "现任复议人员没有回避，无需更换",
    )
    builders.score(case, third, less(20))
    concluded = fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    assert (concluded.state, concluded.points, concluded.passed) == ("concluded", 80, True)


def test_a_moderator_is_replaced_after_recusal_or_silence(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    fourth, fifth = world.assessor(), world.assessor()
    builders.started(case, staff, [first, second])
    builders.score(case, first)
    builders.score(case, second, less(16))
    fire(case, "replace", actor=staff.officer, moderator=builders.membership(third))
    fire(case, "replace", actor=staff.officer, moderator=builders.membership(fourth))
    fire(builders.declaration_of(case, fourth), "declare_none", actor=fourth)
    fire(builders.declaration_of(case, fourth), "recuse", actor=fourth, reason="新近任职")
    fire(case, "replace", actor=staff.officer, moderator=builders.membership(fifth))
    assert states(case)[2:] == [("asked", True, True), ("conflicted", True, False), ("asked", True, False)]


def test_a_different_verdict_on_the_least_points_is_moderated_too(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.started(case, staff, assessors[:2])
    builders.score(case, assessors[0])
    builders.score(case, assessors[1], {**FULL, "protection": 3})
    assert builders.refreshed(case).state == "in_moderation"
