"""Approval lists: everybody who waits, two pairs of eyes, published in one transaction."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from psycopg.types.range import Range

from applications.models import Application
from applications.services.drafts import start_application
from assessment import documents
from assessment.models import ApprovalList, ApprovalListEntry
from assessment.pages import list_preview
from assessment.selectors import lists, publication
from assessment.selectors.publication import PublishedList, PublishedUnit
from assessment.services.lists import create_list, leave_out, refresh
from assessment.tasks import make_letters
from pilot.actors import Actor
from pilot.context import waiting
from pilot.enums import FilingType, Role
from pilot.errors import Refused, StateChanged
from pilot.models import (
    Document,
    Membership,
    Objection,
    OutboxMessage,
    PilotUnit,
    Programme,
    TransitionRecord,
    UnitScope,
    UnitStatus,
)
from pilot.services import register
from pilot.services.objections import file_objection
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import EFFECT, FULL
from tests.assessment.refusals import refusal
from tests.assessment.test_documents import missing, text_of
from tests.factories import world
from tests.factories.audited import audited

FAILED = {**FULL, "protection": 3}

pytestmark = pytest.mark.django_db


def states(applications: list[Application]) -> list[str]:
    return [Application.unscoped.get(pk=application.pk).state for application in applications]


def scopes() -> set[tuple[int, str]]:
    return set(UnitScope.objects.values_list("province", "filing_type"))


def test_a_draft_holds_everybody_who_waits_each_with_a_decision(
    staff: builders.Desk, decided: list[Application]
) -> None:
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    passed, failed, unwanted = decided
    assert (draft.state, draft.sequence, draft.number) == ("draft", 1, "MD-2019-01")
    assert builders.entries(draft) == [
        (passed.pk, True, ""),
        (failed.pk, False, "技术能力评估指标“生物特征和个人信息保护”未达到最低要求"),
        (unwanted.pk, False, "广东省通信管理局审核意见为不同意推荐：未提供个人身份证件库比对合同"),
    ]
    with pytest.raises(Refused, match="没有待决定的申请"):
        create_list(actor=staff.officer, effective_from=EFFECT)


def test_whoever_is_on_the_list_needs_no_second_application(
    staff: builders.Desk, decided: list[Application]
) -> None:
    builders.published(staff)
    listed = decided[0]
    with pytest.raises(Refused) as refusal:
        start_application(actor=world.person(listed.provider, "provider_admin"))
    assert str(refusal.value) == f"贵单位的申请（{listed.number}）已列入试点单位名单，不需要再次申请"


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
    rows = ApprovalList.unscoped.filter(pk=prepared.pk)
    with pytest.raises(IntegrityError, match="approval_list_four_eyes"), transaction.atomic():
        rows.update(state="approved", approved_by=staff.officer.person_id)
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
    Application.unscoped.filter(pk=decided[1].pk).update(uscc=world.uscc(987_654))
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
    # Opened for the provinces it asked for, from the day of effect.
    assert scopes() == {(province, kind) for province in (44, 45) for kind in FilingType.values}
    assert {scope.during.lower for scope in UnitScope.objects.all()} == {EFFECT}
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


def test_every_applicant_gets_one_letter_even_where_a_worker_was_killed(
    staff: builders.Desk, decided: list[Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    published = builders.published(staff)
    message = OutboxMessage.objects.get(target="assessment.tasks.make_letters")
    assert message.payload == {"list_id": published.pk}
    write, calls = documents.decision_letter, count(1)

    def killed(*args: Any, **kwargs: Any) -> Document:
        if next(calls) == 2:
            raise MemoryError
        return write(*args, **kwargs)

    monkeypatch.setattr(documents, "decision_letter", killed)
    with pytest.raises(MemoryError):
        make_letters(**message.payload)
    letters = Document.objects.filter(machine="application", kind="decision-letter-1")
    assert letters.count() == 1
    assert (make_letters(**message.payload), make_letters(**message.payload)) == (2, 0)
    assert sorted(letters.values_list("object_id", flat=True)) == sorted(a.pk for a in decided)
    passed, failed, unwanted = (text_of(a, "decision-letter-1") for a in decided)
    assert missing(passed, "试点省份为广东省、广西壮族自治区，备案类型为全部备案类型") == []
    assert missing(passed, "自2019年5月16日起参与试点运行，至2019年12月31日止", "技术能力评估") == []
    remedy = "可于2019年5月28日（含当日）前通过试点管理平台提出申诉"
    assert missing(failed, "“生物特征和个人信息保护”未达到最低要求", "技术能力评估", remedy) == []
    reason = "广东省通信管理局审核意见为不同意推荐：未提供个人身份证件库比对合同"
    assert missing(unwanted, f"理由是：{reason}", "汇总报送", remedy) == []
    assert "技术能力评估" not in unwanted
    assert "申诉" not in passed


def to_do(actor: Actor) -> int:
    """How many objections wait for this actor."""
    return waiting(actor).get("objection", 0)


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
    # Whoever prepared and concluded, or approved and published, had a part in it; nobody else had.
    words = "您参与过原决定，须由其他人复核"
    for hand in (staff.officer, staff.approver):
        assert refusal(objection, "take", actor=hand) == (Refused, words)
    reviewer = world.ministry(Role.MINISTRY_OFFICER)
    assert [to_do(one) for one in (staff.officer, staff.approver, reviewer)] == [0, 0, 1]
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
    letter = text_of(failed, "decision-letter-2")
    said = "于2019年5月20日对未列入第1号名单的决定提出申诉，经未参与原决定的人员复核，于2019年5月20日认定申诉成立"
    assert missing(letter, said, "（第2号），试点单位编号为1002", "自2019年5月21日起") == []
    paper = text_of(second, "approval-list")
    assert missing(paper, "上述单位经申诉复核列入，本名单据此变更第1号名单") == []
    found = publication.published(programme, at=world.moment("2019-05-21 09:00"))
    assert [(row.sequence, row.amends, row.amended_by) for row in found] == [(2, (1,), ()), (1, (), (2,))]
    assert [[unit.name for unit in row.units] for row in found] == [
        [failed.provider.name],
        [decided[0].provider.name],
    ]


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
    assert publication.published(programme, at=EFFECT) == []
    approved = builders.approved(staff)
    assert publication.paper(programme, 1) is None
    published = fire(approved, "publish", actor=staff.approver)
    with django_assert_num_queries(7):
        (found,) = publication.published(programme, at=EFFECT)
    opened = dict.fromkeys(FilingType.values, (44, 45))
    unit = PublishedUnit("1001", decided[0].provider.name, 44, "B1-20180123", opened, "active")
    paper = publication.paper(programme, 1)
    assert paper is not None
    assert found == PublishedList(
        1, "MD-2019-01", published.published_at, EFFECT, (), (), paper.sha256, (unit,)
    )


def test_the_published_status_is_the_register_s_of_the_moment(
    programme: Programme, staff: builders.Desk, decided: list[Application]
) -> None:
    builders.published(staff)
    june, july = world.moment("2019-06-01 00:00"), world.moment("2019-07-01 00:00")
    unit = PilotUnit.unscoped.get()
    register.set_status(actor=world.SETUP, unit=unit, kind="suspended", start=june, reason="示例")
    UnitScope.objects.filter(unit=unit, province=45).update(during=Range(EFFECT, july))

    def at(moment: str) -> list[tuple[str, list[tuple[int, ...]]]]:
        (found,) = publication.published(programme, at=world.moment(moment))
        return [(unit.status, sorted(set(unit.scope.values()))) for unit in found.units]

    assert at("2019-05-15 09:00") == [("not_started", [(44, 45)])]
    assert at("2019-05-16 00:00") == [("active", [(44, 45)])]
    assert at("2019-06-01 00:00") == [("suspended", [(44, 45)])]
    assert at("2019-07-01 00:00") == [("suspended", [(44,)])]


# --- batches --------------------------------------------------------------------------------------
def test_who_is_left_out_stays_off_this_list_and_is_offered_to_the_next(
    programme: Programme,
    staff: builders.Desk,
    decided: list[Application],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed, failed, unwanted = decided
    with (
        monkeypatch.context() as patched
    ):  # of very many who wait the page names the first, and says how many
        patched.setattr(list_preview, "MOST_ROWS", 2)
        waiting = list_preview.undecided(programme)
    assert (len(waiting.rows), waiting.note) == (2, "合计 3 家，可列入下一份名单；此处列出前 2 家")
    first = create_list(actor=staff.officer, effective_from=EFFECT)
    entries = {entry.application_id: entry for entry in lists.entries(first)}
    with pytest.raises(Refused, match="请填写理由"):
        leave_out(case=first, actor=staff.officer, entry=entries[passed.pk], reason=" ")
    leave_out(case=first, actor=staff.officer, entry=entries[passed.pk], reason="联调未完成")
    assert audited("approval-list.leave_out") == (
        "done",
        staff.officer.person_id,
        "approvallist",
        str(first.pk),
    )
    with pytest.raises(Refused, match="该单位不在本名单中"):
        leave_out(case=first, actor=staff.officer, entry=entries[passed.pk], reason="联调未完成")
    refresh(case=first, actor=staff.officer)
    assert audited("approval-list.refresh") == (
        "done",
        staff.officer.person_id,
        "approvallist",
        str(first.pk),
    )
    assert [pk for pk, _listed, _reason in builders.entries(first)] == [failed.pk, unwanted.pk]
    waiting = list_preview.undecided(programme)
    assert [row.cells[0] for row in waiting.rows] == [passed.provider.name]
    assert waiting.rows[0].cells[4] == "第 1 号名单暂不列入：联调未完成"
    second = create_list(actor=staff.officer, effective_from=EFFECT)
    # Two drafts at once do not take the same applicant.
    for draft in (first, second):
        refresh(case=draft, actor=staff.officer)
    assert builders.entries(second) == [(passed.pk, True, "")]
    for case in (first, second):
        fire(case, "prepare", actor=staff.officer)
        fire(case, "approve", actor=staff.approver)
        fire(case, "publish", actor=staff.approver)
    assert states(decided) == ["listed", "not_listed", "not_listed"]
    assert missing(text_of(second, "approval-list"), "本名单为后续批次，此前公布的名单继续有效") == []
    with pytest.raises(Refused, match="只有拟制中的名单可以更新"):
        leave_out(case=second, actor=staff.officer, entry=entries[passed.pk], reason="示例")
