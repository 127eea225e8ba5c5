"""Who gets to know what, and when: three facts before declaring, nobody's scores before all are in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from assessment.models import CapabilityAssessment, ScoreSheet
from assessment.selectors.evidence import Evidence
from assessment.services.scores import submit_scores
from assessment.services.test_runs import issue
from pilot.actors import Actor
from pilot.masking import mask_name
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders, reach
from tests.assessment.builders import FULL, less
from tests.factories import world

pytestmark = pytest.mark.django_db
KEY = b"sample,expected\nA,genuine\nB,impostor"
TITLE = "只给在案人员看的测试集"
# What the application says beyond name, code and supplier, and what was written about it.
SECRETS = (
    "示例核验 2.0",
    "B1-20180123",
    "示例意见",
    "人脸识别",
    TITLE,
    "内部情况说明",
    "提交复议",
    "改派理由",
)


@pytest.fixture(scope="module")
def case(staff: builders.Desk) -> CapabilityAssessment:
    return builders.planned(staff)


def with_test_run(case: CapabilityAssessment, staff: builders.Desk) -> None:
    issue(case=case, actor=staff.officer, title=TITLE, key=SimpleUploadedFile("key.csv", KEY))


def own_pages(case: CapabilityAssessment, actor: Actor, *others: str) -> set[str]:
    """The addresses that may answer an assessor to whom the case is closed."""
    lists = {f"{slug}_list" for slug in ("interest-declaration", "capability-assessment", "application")}
    always = {reverse(name) for name in lists | {"dashboard", "notice_list", "test_run_list", "criteria"}}
    own = builders.declaration_of(case, actor)
    return always | {reverse("interest-declaration_detail", args=[own.pk])} | set(others)


def closed_to(actor: Actor, case: CapabilityAssessment) -> None:
    """This assessor reads name, code and supplier, and nothing else of the case anywhere."""
    opened, words = reach.of(actor, reach.of_everything(case))
    assert opened == own_pages(case, actor)
    shown = (case.application.provider.name, case.application.uscc, "示例智能有限公司")
    assert [text for text in shown if text not in words] == []
    assert [text for text in SECRETS if text in words] == []


def test_the_case_is_closed_to_an_assessor_who_was_asked(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, _third = assessors
    fire(
        case,
        "assign",
        actor=staff.officer,
        assessors=builders.memberships([first, second]),
        reason="内部情况说明",
    )
    with_test_run(case, staff)
    closed_to(first, case)
    fire(builders.declaration_of(case, first), "declare_none", actor=first)
    opened, words = reach.of(first, reach.of_everything(case))
    assert reverse("capability-assessment_detail", args=[case.pk]) in opened
    assert [text for text in ("示例核验 2.0", TITLE, "内部情况说明") if text not in words] == []
    closed_to(second, case)


@pytest.mark.slow
def test_the_case_is_closed_to_whoever_was_replaced_or_has_an_interest(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.assigned(case, staff, [first, second])
    with_test_run(case, staff)
    fire(builders.declaration_of(case, first), "declare", actor=first, reason="持股")
    fire(builders.declaration_of(case, second), "declare_none", actor=second)
    fire(case, "reassign", actor=staff.officer, assessors=builders.memberships([third]), reason="改派理由")
    closed_to(first, case)
    fourth = world.assessor()
    fire(builders.declaration_of(case, third), "declare", actor=third, reason="持股")
    fire(case, "reassign", actor=staff.officer, assessors=builders.memberships([fourth]), reason="改派理由")
    fifth = world.assessor()
    fire(case, "reassign", actor=staff.officer, assessors=builders.memberships([fifth]), reason="改派理由")
    closed_to(fourth, case)  # asked, did not answer, somebody else was asked instead
    fire(builders.declaration_of(case, second), "recuse", actor=second, reason="新近任职")
    closed_to(second, case)


def test_a_moderator_who_was_asked_does_not_know_that_scores_part(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.started(case, staff, [first, second])
    builders.score(case, first)
    builders.score(case, second, less(40))
    fire(case, "replace", actor=staff.officer, moderator=builders.membership(third), reason="内部情况说明")
    closed_to(third, case)


# --- scores ------------------------------------------------------------------------------------------
MARKS = ("只给本人看的评语", "只给本人看的依据")


def hand_in(case: CapabilityAssessment, actor: Actor) -> None:
    submit_scores(
        case=builders.declaration_of(case, actor),
        actor=actor,
        scores=less(7),
        comment=MARKS[0],
        evidence={"liveness": Evidence(MARKS[1], "file:test_report", 1)},
    )


def knows(actor: Actor, case: CapabilityAssessment) -> list[bool]:
    """Whether comment, evidence and total of the first sheet come to this actor's eyes anywhere."""
    words = reach.of(actor, reach.of_scores(case))[1]
    return [mark in words for mark in (*MARKS, ">93<")]


def test_nobody_reads_a_sheet_before_all_are_in(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.started(case, staff, [first, second])
    hand_in(case, first)
    for actor in (second, third, staff.officer):
        assert knows(actor, case) == [False] * 3
    assert knows(first, case) == [True] * 3
    builders.score(case, second)
    assert knows(second, case) == [False] * 3
    assert knows(staff.officer, case) == [True] * 3
    fire(case, "conclude", actor=staff.officer, conclusion="示例结论。")
    assert knows(second, case) == [True] * 3
    assert knows(third, case) == [False] * 3


def test_a_sheet_stays_closed_while_a_place_is_vacant(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    first, second, third = assessors
    builders.started(case, staff, [first, second])
    hand_in(case, first)
    fire(builders.declaration_of(case, second), "recuse", actor=second, reason="新近任职")
    seen: list[Any] = [ScoreSheet.objects.visible_to(staff.officer).count()]
    fire(case, "reassign", actor=staff.officer, assessors=builders.memberships([third]))
    fire(builders.declaration_of(case, third), "declare_none", actor=third)
    seen.append(ScoreSheet.objects.visible_to(staff.officer).count())
    builders.score(case, third, FULL)
    seen.append(ScoreSheet.objects.visible_to(staff.officer).count())
    assert seen == [0, 0, 2]


def test_the_list_export_of_declarations_holds_no_scores(
    case: CapabilityAssessment, staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.started(case, staff, assessors[:2])
    hand_in(case, assessors[0])
    listed = client_of(staff.officer).get(reverse("interest-declaration_list")).text
    assert (
        mask_name(assessors[0].name) in listed,
        "93" in re.findall(r">\s*([^<>]*?)\s*<", listed),  # a cell's words; keys in links may hold anything
    ) == (
        True,
        False,
    )
