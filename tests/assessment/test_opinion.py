"""Opinions: opened by acceptance, drafted by one, signed by another, opened again until reported."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from assessment.models import Opinion, OpinionVersion
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import Membership, Programme, TransitionRecord
from pilot.workflow import fire
from tests.applications import builders as applications
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
    fire(application, "withdraw", actor=provider)
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
