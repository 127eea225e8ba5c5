"""Approval lists: everybody who waits, two pairs of eyes, published in one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from applications.models import Application
from assessment.models import ApprovalList, ApprovalListEntry
from assessment.selectors import lists
from assessment.services.lists import create_list
from assessment.tasks import make_letters
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused, StateChanged
from pilot.models import (
    Document,
    Membership,
    Objection,
    OutboxMessage,
    PilotUnit,
    Programme,
    TransitionRecord,
    UnitStatus,
)
from pilot.services import register
from pilot.services.objections import file_objection
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import EFFECT, FULL
from tests.assessment.refusals import refusal
from tests.factories import world

FAILED = {**FULL, "protection": 5}


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def decided(staff: builders.Desk, assessors: list[Actor]) -> list[Application]:
    """Three reported applicants of 广东: one passed, one failed the assessment, one was not recommended."""
    passed, failed = builders.recommended(staff), builders.recommended(staff)
    unwanted = builders.not_recommended(staff)
    builders.begin_review()
    builders.received(staff)
    builders.concluded(builders.assessment_of(passed), staff, assessors[:2])
    builders.concluded(builders.assessment_of(failed), staff, assessors[:2], FAILED)
    world.at("2019-05-14 09:00")
    return [passed, failed, unwanted]


def states(applications: list[Application]) -> list[str]:
    return [Application.unscoped.get(pk=application.pk).state for application in applications]


def test_a_draft_holds_everybody_who_waits_each_with_a_decision(
    staff: builders.Desk, decided: list[Application]
) -> None:
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    passed, failed, unwanted = decided
    assert (draft.state, draft.sequence, draft.number) == ("draft", 1, "MD-2019-01")
    assert builders.entries(draft) == [
        (passed.pk, True, ""),
        (failed.pk, False, "技术能力评估指标“图像与个人信息保护”未达到最低要求"),
        (unwanted.pk, False, "广东省通信管理局审核意见为不同意推荐：未提供个人身份证件库比对合同"),
    ]
    with pytest.raises(Refused, match="没有待决定的申请"):
        create_list(actor=staff.officer, effective_from=EFFECT)


def test_a_list_takes_effect_within_the_run_phase(staff: builders.Desk, decided: list[Application]) -> None:
    for moment in (EFFECT - timedelta(seconds=1), world.moment("2020-01-01 00:00")):
        with pytest.raises(Refused, match="生效时间应在试点运行阶段之内"):
            create_list(actor=staff.officer, effective_from=moment)
    assert ApprovalList.unscoped.count() == 0


def test_whoever_prepared_neither_approves_nor_publishes_by_guard_and_by_constraint(
    staff: builders.Desk, decided: list[Application]
) -> None:
    prepared = builders.prepared(staff)
    both = Membership.objects.create(
        person_id=staff.officer.person_id,
        organisation_id=staff.officer.organisation_id,
        role=Role.MINISTRY_APPROVER,
        valid_from=world.moment("2019-01-01 00:00"),
    ).as_actor()
    words = "须由另一人办理（四眼原则）"
    assert refusal(prepared, "approve", actor=both) == (Refused, words)
    with pytest.raises(IntegrityError, match="approval_list_four_eyes"), transaction.atomic():
        ApprovalList.unscoped.filter(pk=prepared.pk).update(approved_by=staff.officer.person_id)
    approved = fire(prepared, "approve", actor=staff.approver)
    assert approved.approved_by_id == staff.approver.person_id
    assert refusal(approved, "publish", actor=both) == (Refused, words)


def test_the_digest_covers_number_effect_and_every_decision(
    staff: builders.Desk, decided: list[Application]
) -> None:
    prepared = builders.prepared(staff)
    first = prepared.digest
    assert len(first) == 64
    draft = fire(prepared, "send_back", actor=staff.approver, reason="请核对")
    assert (draft.digest, draft.prepared_by_id) == ("", None)
    again = fire(draft, "prepare", actor=staff.officer)
    assert again.digest == first
    later = fire(again, "send_back", actor=staff.approver, reason="改期")
    later = fire(later, "prepare", actor=staff.officer, effective_from=EFFECT + timedelta(days=4))
    assert later.digest != first


def test_what_changed_after_preparation_is_not_published(
    staff: builders.Desk, decided: list[Application]
) -> None:
    approved = builders.approved(staff)
    ApprovalListEntry.unscoped.filter(application=decided[1]).update(listed=True, reason="")
    assert refusal(approved, "publish", actor=staff.approver) == (
        Refused,
        "名单内容与提请批准时不一致，请撤回批准后重新拟制",
    )
    assert PilotUnit.unscoped.count() == 0


def test_an_approval_is_taken_back_before_publication_only(
    staff: builders.Desk, decided: list[Application]
) -> None:
    approved = builders.approved(staff)
    assert refusal(approved, "retract", actor=staff.approver) == (Refused, "请填写理由")
    prepared = fire(approved, "retract", actor=staff.approver, reason="发现笔误")
    assert (prepared.state, prepared.approved_by_id) == ("prepared", None)
    fire(prepared, "approve", actor=staff.approver)
    published = fire(prepared, "publish", actor=staff.approver)
    assert refusal(published, "retract", actor=staff.approver, reason="x")[0] is StateChanged


def test_a_list_is_not_published_with_a_day_of_effect_that_is_past(
    staff: builders.Desk, decided: list[Application]
) -> None:
    approved = builders.approved(staff)
    world.at("2019-05-17 00:00")
    words = "名单的生效日期早于今天，须重新确定"
    assert refusal(approved, "publish", actor=staff.approver) == (Refused, words)
    fire(approved, "retract", actor=staff.approver, reason="改期")
    fire(approved, "send_back", actor=staff.approver, reason="改期")
    assert refusal(approved, "prepare", actor=staff.officer) == (Refused, words)
    fire(approved, "prepare", actor=staff.officer, effective_from=world.moment("2019-05-20 00:00"))
    fire(approved, "approve", actor=staff.approver)
    fire(approved, "publish", actor=staff.approver)
    status = UnitStatus.objects.get(kind="active")
    assert status.during.lower == world.moment("2019-05-20 00:00")


def test_publication_sets_everybody_and_enrols_units_at_once(
    staff: builders.Desk, decided: list[Application]
) -> None:
    published = builders.published(staff)
    assert states(decided) == ["listed", "not_listed", "not_listed"]
    unit = PilotUnit.unscoped.get()
    passed = decided[0]
    assert (unit.organisation_id, unit.code, unit.national_id) == (passed.provider_id, "1001", 1001)
    assert unit.case_key == passed.case_key
    assert unit.licence_expires_on.isoformat() == "2023-05-19"
    active = UnitStatus.objects.get(unit=unit, kind="active")
    assert (active.during.lower, active.during.upper) == (EFFECT, world.moment("2020-01-01 00:00"))
    made = Document.objects.filter(machine="approval-list", object_id=published.pk)
    assert [document.kind for document in made] == ["approval-list"]
    reasons = TransitionRecord.objects.filter(machine="application", name="decline").order_by("object_id")
    assert [row.reason for row in reasons] == [
        reason for _pk, listed, reason in builders.entries(published) if not listed
    ]


def test_a_failure_inside_publication_undoes_all_of_it(
    programme: Programme, staff: builders.Desk, decided: list[Application]
) -> None:
    approved = builders.approved(staff)
    passed = decided[0]
    register.enrol_unit(
        actor=world.SETUP,
        programme=programme,
        organisation=passed.provider,
        case_key=passed.case_key,
        at=world.moment("2019-05-14 09:00"),
        effective_from=EFFECT,
    )
    assert refusal(approved, "publish", actor=staff.approver) == (
        Refused,
        f"{passed.provider.name} 已在试点单位名录中",
    )
    assert builders.refreshed(approved).state == "approved"
    assert states(decided) == ["reported"] * 3
    assert PilotUnit.unscoped.count() == 1
    assert not OutboxMessage.objects.filter(target="assessment.tasks.make_letters").exists()
    assert not Document.objects.filter(machine="approval-list").exists()


def test_letters_are_posted_with_publication_and_written_once(
    staff: builders.Desk, decided: list[Application]
) -> None:
    published = builders.published(staff)
    message = OutboxMessage.objects.get(target="assessment.tasks.make_letters")
    assert message.payload == {"list_id": published.pk}
    assert make_letters(**message.payload) == 3
    assert make_letters(**message.payload) == 0
    letters = Document.objects.filter(machine="application", kind="decision-letter-1")
    assert sorted(letters.values_list("object_id", flat=True)) == sorted(a.pk for a in decided)


def test_an_upheld_objection_leads_to_a_further_list_that_admits(
    programme: Programme, staff: builders.Desk, decided: list[Application], assessors: list[Actor]
) -> None:
    builders.published(staff)
    failed = Application.unscoped.get(pk=decided[1].pk)
    applicant = Membership.objects.get(organisation=failed.provider).as_actor()
    world.at("2019-05-20 09:00")
    objection = file_objection(
        actor=applicant, machine="application", object_id=failed.pk, grounds="评分漏看第12页"
    )
    reviewer = world.ministry(Role.MINISTRY_OFFICER)
    fire(objection, "take", actor=reviewer)
    fire(objection, "uphold", actor=reviewer, reason="第12页已证明")
    assert Objection.unscoped.get(pk=objection.pk).state == "upheld"
    second = ApprovalList.unscoped.get(sequence=2)
    assert (second.state, builders.entries(second)) == ("draft", [(failed.pk, True, "")])
    assert second.effective_from == world.moment("2019-05-21 00:00")
    for name, actor in (("prepare", staff.officer), ("approve", staff.approver), ("publish", staff.approver)):
        fire(second, name, actor=actor)
    assert states([failed]) == ["listed"]
    unit = PilotUnit.unscoped.get(organisation=failed.provider)
    assert unit.code == "1002"
    assert make_letters(list_id=second.pk) == 1


def visible(actor: Actor) -> tuple[int, int]:
    return (
        ApprovalList.objects.visible_to(actor).count(),
        ApprovalListEntry.objects.visible_to(actor).count(),
    )


def test_who_was_left_off_concerns_the_applicant_and_its_bureau(
    staff: builders.Desk, decided: list[Application]
) -> None:
    listed, declined = (
        Membership.objects.get(organisation=application.provider).as_actor() for application in decided[:2]
    )
    elsewhere = builders.desk(province=45)
    everybody = [staff.officer, staff.reviewer, elsewhere.reviewer, listed, declined, world.assessor()]
    approved = builders.approved(staff)
    assert [visible(actor) for actor in everybody] == [(1, 3), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
    fire(approved, "publish", actor=staff.approver)
    assert [visible(actor) for actor in everybody] == [(1, 3), (1, 3), (1, 1), (1, 1), (1, 2), (0, 0)]


def test_the_published_list_names_only_those_taken_in(
    programme: Programme, staff: builders.Desk, decided: list[Application], django_assert_num_queries: Any
) -> None:
    assert lists.published(programme) == []
    published = builders.published(staff)
    with django_assert_num_queries(4):
        found = lists.published(programme)
    unit = lists.PublishedUnit("1001", decided[0].provider.name, "广东省", "B1-20180123")
    assert found == [lists.PublishedList(1, published.published_at, EFFECT, (unit,))]
