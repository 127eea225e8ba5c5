"""Left off the list: the reasons, the letters, the time to object, and what an objection leads to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from applications.models import Application
from assessment.models import (
    ApprovalList,
    Criterion,
)
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import (
    Objection,
    Programme,
    TransitionRecord,
)
from pilot.services import objections
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.assessment import builders
from tests.assessment.builders import FULL, Desk
from tests.assessment.looking import (
    applicant,
    audited,
    papers,
    published,
    register,
    state_of,
    timeline,
    told,
)
from tests.assessment.refusals import refusal
from tests.factories import papers as typesetting
from tests.factories import world

BELOW = {**FULL, "protection": 0}  # the protection of biometrics is a criterion without which the whole fails


@pytest.fixture
def unset() -> Iterator[None]:
    with typesetting.unset():
        yield


@pytest.fixture
def desk(programme: Programme) -> Desk:
    return builders.desk()


@pytest.fixture
def listers(programme: Programme) -> Desk:
    """Two of the ministry who do nothing but prepare and approve the first list."""
    return builders.desk()


@pytest.fixture
def rejected(desk: Desk, listers: Desk, unset: None) -> tuple[Application, Application]:
    """Left off a published list: one for failing the assessment, one not recommended; letters are written."""
    failed, unwanted = builders.recommended(desk), builders.not_recommended(desk)
    builders.begin_review()
    builders.received(desk)
    panel = [world.assessor(), world.assessor()]
    builders.concluded(builders.assessment_of(failed), desk, panel, BELOW)
    world.at("2019-05-14 09:00")
    builders.published(listers)
    intake.run_tasks()  # the worker writes receipts and letters
    return failed, unwanted


def objected(application: Application) -> Objection:
    return objections.file_objection(
        actor=applicant(application), machine="application", object_id=application.pk, grounds="漏看第12页"
    )


def test_rejected_with_a_reason_in_a_letter_and_time_to_object(
    rejected: tuple[Application, Application],
) -> None:
    failed, unwanted = rejected
    approval_list = ApprovalList.unscoped.get()
    assert [state_of(case) for case in (*rejected, approval_list)] == [
        "not_listed",
        "not_listed",
        "published",
    ]
    entries = builders.entries(approval_list)
    criterion = Criterion.objects.filter(code="protection").latest("version")
    reasons = {
        failed.pk: f"技术能力评估指标“{criterion.title}”未达到最低要求",
        unwanted.pk: "广东省通信管理局审核意见为不同意推荐：未提供个人身份证件库比对合同",
    }
    assert entries == [(pk, False, reason) for pk, reason in reasons.items()]
    declined = TransitionRecord.objects.filter(name="decline").order_by("object_id")
    assert dict(declined.values_list("object_id", "reason")) == reasons
    assert [papers(case) for case in rejected] == [["letter_acceptance", "receipt", "decision-letter-1"]] * 2
    assert [told(applicant(case)) for case in rejected] == [["提交申请", "受理", "报部", "未列入名单"]] * 2
    assert (register(), published()) == ([], [(1, [])])
    # Ten working days from Tuesday 14 May to object, and no more.
    world.at("2019-05-28 23:59")
    assert objected(failed).state == "filed"
    world.at("2019-05-29 00:00")
    with pytest.raises(Refused, match=r"^已超过 10 个工作日的申诉期限$"):
        objected(unwanted)
    assert list(Objection.unscoped.values_list("against_id", "state")) == [(failed.pk, "filed")]


def test_an_upheld_objection_leads_to_the_second_list(
    desk: Desk, listers: Desk, rejected: tuple[Application, Application]
) -> None:
    failed, unwanted = rejected
    world.at("2019-05-20 09:00")
    objection = objected(failed)
    # Whoever received, concluded, prepared, approved or published had a part in it.
    for actor in (desk.officer, listers.officer, listers.approver):
        assert refusal(objection, "take", actor=actor) == (Refused, "您参与过原决定，须由其他人复核")
    reviewer, second = world.ministry(Role.MINISTRY_APPROVER), builders.desk()
    fire(objection, "take", actor=reviewer)
    assert refusal(objection, "uphold", actor=second.officer, reason="示例")[0] is Refused
    fire(objection, "uphold", actor=reviewer, reason="第12页已证明")

    draft = ApprovalList.unscoped.get(sequence=2)
    assert (draft.state, builders.entries(draft)) == ("draft", [(failed.pk, True, "")])
    for name, actor in (
        ("prepare", second.officer),
        ("approve", second.approver),
        ("publish", second.approver),
    ):
        fire(draft, name, actor=actor)
    intake.run_tasks()

    objection.refresh_from_db()
    assert (objection.state, objection.reviewer_id, objection.finding) == (
        "upheld",
        reviewer.person_id,
        "第12页已证明",
    )
    assert [state_of(case) for case in (failed, unwanted)] == ["listed", "not_listed"]
    start = world.moment("2019-05-21 00:00")
    assert register() == [("1001", failed.provider_id, start, world.moment("2020-01-01 00:00"))]
    assert published() == [(2, ["1001"]), (1, [])]
    assert papers(failed) == ["letter_acceptance", "receipt", "decision-letter-1", "decision-letter-2"]
    assert papers(unwanted) == ["letter_acceptance", "receipt", "decision-letter-1"]
    assert [papers(case) for case in ApprovalList.unscoped.order_by("sequence")] == [["approval-list"]] * 2
    assert told(applicant(failed)) == [
        "提交申请",
        "受理",
        "报部",
        "未列入名单",
        "受理复核",
        "申诉成立",
        "列入名单",
    ]
    assert audited(objection) == [
        ("open", "provider_admin"),
        ("take", "ministry_approver"),
        ("uphold", "ministry_approver"),
    ]
    # Nobody who had a hand in the first decision had one in the second.
    first, later = (
        set(
            TransitionRecord.objects.filter(
                machine="approval-list", object_id=row.pk, role__startswith="m"
            ).values_list("person", flat=True)
        )
        for row in ApprovalList.unscoped.order_by("sequence")
    )
    assert first == {listers.officer.person_id, listers.approver.person_id}
    assert later == {second.officer.person_id, second.approver.person_id}


def test_a_dismissed_objection_leaves_both_results_on_record(
    desk: Desk, rejected: tuple[Application, Application]
) -> None:
    failed, _unwanted = rejected
    reviewer = world.ministry(Role.MINISTRY_OFFICER)
    objection = objected(failed)
    fire(objection, "take", actor=reviewer)
    fire(objection, "dismiss", actor=reviewer, reason="第12页不足以证明")
    objection.refresh_from_db()
    assert (objection.state, objection.finding) == ("dismissed", "第12页不足以证明")
    assert state_of(failed) == "not_listed"
    assert list(ApprovalList.unscoped.values_list("sequence", flat=True)) == [1]
    assert timeline(failed, desk.officer)[-4:] == [
        "application.decline",
        "objection.open",
        "objection.take",
        "objection.dismiss",
    ]
    assert told(applicant(failed))[-3:] == ["未列入名单", "受理复核", "维持原决定"]
    assert (register(), published()) == ([], [(1, [])])
    with pytest.raises(Refused, match=r"^针对该决定的申诉已有复核结果，不能再次申诉$"):
        objected(failed)
