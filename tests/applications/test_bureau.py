"""The bureau's word: acceptance, completeness notice, refusal, each taken back within 30 seconds or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from applications.models import Application, ApplicationFile, CompletenessNotice, NoticeItem, Refusal
from applications.selectors import content, records
from applications.services import versions
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import Document, Notice, OutboxMessage, Person, Programme, TransitionRecord
from pilot.services import documents, outbox, programmes
from pilot.workflow import fire
from tests.applications import builders
from tests.documents.reading import text_of
from tests.factories import world

WORDS: dict[str, dict[str, Any]] = {
    "accept": {},
    "return_for_correction": {"items": builders.ITEMS},
    "refuse": {"condition": 3, "reason": "未提供权威库比对授权"},
}


def letter(case: Application, kind: str) -> str:
    row = Document.objects.get(object_id=case.pk, kind=kind)
    return re.sub(r"\s", "", text_of(documents.read_bytes(row.sha256)))


# --- acceptance -------------------------------------------------------------------------------------
def test_acceptance_gives_a_number_and_a_letter(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.submitted(provider)
    at = world.moment("2019-04-15 10:00")
    case = fire(case, "accept", actor=bureau_reviewer, at=at, seen="submitted")
    assert (case.state, case.acceptance_number, case.accepted_at, case.due_at) == (
        "accepted",
        "SL2019-44-00001",
        at,
        None,
    )
    assert case.number == "SL2019-44-00001"
    text = letter(case, "letter_acceptance")
    for words in ["受理编号为SL2019-44-00001", "受理日期为2019年4月15日", "审核计划于2019年4月30日前完成"]:
        assert text.count(words) == 1, words
    assert Document.objects.get(object_id=case.pk, kind="letter_acceptance").title == (
        "关于受理电子化核验试点申请的函"
    )


# --- correction -------------------------------------------------------------------------------------
def test_one_notice_holds_all_faults_and_starts_the_correction_clock(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = builders.submitted(provider)
    at = world.moment("2019-04-26 17:00")
    case = fire(case, "return_for_correction", actor=bureau_reviewer, at=at, items=reversed(builders.ITEMS))
    notice = CompletenessNotice.unscoped.get(application=case)
    # 28 April and 5 May are worked, 1 to 3 May are not.
    due = world.moment("2019-05-07 00:00")
    assert (case.state, case.due_at) == ("returned", due)
    assert (notice.number, notice.issued_at, notice.due_at, notice.issued_by_id) == (
        1,
        at,
        due,
        bureau_reviewer.person_id,
    )
    assert list(notice.items.values("target", "text")) == builders.ITEMS
    text = letter(case, "letter_correction")
    for words in [
        "1.发证机关：与许可证所载不一致",
        "2.增值电信业务经营许可证：缺附页",
        "2019年5月6日（含当日）前",
    ]:
        assert text.count(words) == 1, words


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], "请至少列出一处需要补正的内容"),
        ([{"target": "weather", "text": "x"}], "每处补正须对应申请表的一个项目或一种材料"),
        ([{"target": "uscc", "text": "x"}], "每处补正须对应申请表的一个项目或一种材料"),
        ([{"target": "deletion", "text": "  "}], "请写明“到期删除方式”需要怎样补正"),
        ([{"target": "deletion", "text": "x" * 501}], "“到期删除方式”的说明超过 500 字"),
        (
            [{"target": "form", "text": "a"}, {"target": "form", "text": "b"}],
            "“盖章申请表”重复列出，请合并为一处",
        ),
    ],
)
def test_every_fault_needs_its_place_and_words(
    provider: Actor, bureau_reviewer: Actor, items: list[dict[str, str]], words: str
) -> None:
    case = builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "return_for_correction", actor=bureau_reviewer, items=items)
    assert str(refusal.value) == words
    assert NoticeItem.unscoped.count() == 0


def test_a_second_return_is_the_leads_and_takes_a_reason(
    provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    case = fire(case, "resubmit", actor=provider, declaration=True)
    with pytest.raises(Refused) as refusal:
        fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS, reason="仍缺附页")
    assert str(refusal.value) == "申请人已补正过一次，再次要求补正须由省局负责人办理"
    with pytest.raises(Refused) as refusal:
        fire(case, "return_for_correction", actor=bureau_lead, items=builders.ITEMS, reason=" ")
    assert str(refusal.value) == "再次要求补正须说明理由"
    case = fire(case, "return_for_correction", actor=bureau_lead, items=builders.ITEMS, reason="仍缺附页")
    assert (case.state, CompletenessNotice.unscoped.filter(application=case).count()) == ("returned", 2)


# --- refusal ----------------------------------------------------------------------------------------
def test_a_refusal_names_condition_and_reason(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.submitted(provider)
    at = world.moment("2019-04-18 10:00")
    case = fire(case, "refuse", actor=bureau_reviewer, at=at, condition=3, reason="未提供权威库比对授权")
    refusal = Refusal.unscoped.get(application=case)
    assert (case.state, case.due_at) == ("refused", None)
    assert (refusal.condition.clause, refusal.reason, refusal.refused_at) == (
        "二（三）",
        "未提供权威库比对授权",
        at,
    )
    text = letter(case, "letter_refusal")
    for words in [
        "1.条件二（三），具备与主体信息权威库（统一社会信用代码、个人身份证件库等）信息比对的技术能力："
        "未提供权威库比对授权",
        "申请阶段已于2019年4月15日结束，本试点项目不再接收新的申请。",
        "可于2019年5月5日（含当日）前通过试点管理平台提出申诉",
    ]:
        assert text.count(words) == 1, words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"condition": 1, "reason": " "}, "请填写理由"),
        ({"condition": 4, "reason": "x"}, "请选择不符合的参与条件"),
        ({"reason": "x"}, "请选择不符合的参与条件"),
    ],
)
def test_a_refusal_without_condition_or_reason_is_none(
    provider: Actor, bureau_reviewer: Actor, data: dict[str, Any], words: str
) -> None:
    case = builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "refuse", actor=bureau_reviewer, **data)
    assert str(refusal.value) == words
    assert Refusal.unscoped.count() == 0


# --- who and when -----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", WORDS)
def test_only_the_bureau_of_the_province(provider: Actor, name: str) -> None:
    case = builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, name, actor=world.bureau(Role.BUREAU_LEAD, Province.BEIJING), **WORDS[name])
    assert str(refusal.value) == "只能办理本省的申请"
    with pytest.raises(NotPermitted):
        fire(case, name, actor=provider, **WORDS[name])


@pytest.mark.parametrize("name", WORDS)
def test_what_was_seen_must_still_hold(provider: Actor, bureau_reviewer: Actor, name: str) -> None:
    case = builders.submitted(provider)
    fire(case, "withdraw", actor=provider)
    with pytest.raises(StateChanged) as refusal:
        fire(case, name, actor=bureau_reviewer, seen="submitted", **WORDS[name])
    assert str(refusal.value) == "状态已由“待受理”变为“已撤回”，请刷新后再办理"


@pytest.mark.parametrize("name", WORDS)
def test_an_overdue_bureau_may_still_answer_unless_silence_was_acceptance(
    programme: Programme, provider: Actor, bureau_reviewer: Actor, name: str
) -> None:
    late = builders.submitted(world.provider())
    assert fire(late, name, actor=bureau_reviewer, at=late.due_at, **WORDS[name]).state != "submitted"

    programmes.set_rule(
        actor=world.SETUP, programme=programme, key="deemed_acceptance", value=True, basis="示例规则"
    )
    case = builders.submitted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, name, actor=bureau_reviewer, at=case.due_at, **WORDS[name])
    assert str(refusal.value) == "受理期限已过，依项目规则视为受理"


# --- taken back -------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", WORDS)
def test_an_act_taken_back_tells_nobody_and_its_papers_stay(
    provider: Actor, bureau_reviewer: Actor, name: str
) -> None:
    Person.objects.filter(pk=provider.person_id).update(email="provider@example.cn")
    case = builders.submitted(provider)
    due = case.due_at
    told_before = Notice.objects.count()
    papers_before = Document.objects.count()
    case = fire(case, name, actor=bureau_reviewer, **WORDS[name])
    source = f"application:{case.pk}:3"
    held = Notice.objects.get(source=source)
    assert timedelta(seconds=25) < held.visible_from - clock.security_now() <= timedelta(seconds=30)
    assert held.person_id == provider.person_id

    case = fire(case, "revert", actor=bureau_reviewer)
    assert (case.state, case.due_at) == ("submitted", due)
    assert (case.acceptance_number, case.accepted_at, case.number) == ("", None, case.case_number)
    assert Notice.objects.count() == told_before
    mail = OutboxMessage.objects.get(source=source, kind=OutboxMessage.Kind.MAIL)
    assert (mail.sent_at, mail.cancelled_at is not None) == (None, True)
    assert outbox.relay(only=[mail.pk]) == 0
    assert Document.objects.count() == papers_before + 1
    assert TransitionRecord.objects.filter(object_id=case.pk, machine="application").count() == 4


def test_what_was_taken_back_is_marked_on_record(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    case = fire(case, "revert", actor=bureau_reviewer)
    case = fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS[:1])
    assert [(notice.number, taken_back) for notice, taken_back in records.notices(case)] == [
        (1, True),
        (2, False),
    ]
    fire(case, "revert", actor=bureau_reviewer)
    case = fire(case, "refuse", actor=bureau_reviewer, condition=1, reason="许可证不符")
    assert [taken_back for _refusal, taken_back in records.refusals(case)] == [False]


def test_what_was_changed_under_a_notice_taken_back_is_as_it_was_handed_in(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    """Or the answer to another notice would carry it along, though nobody opened it."""
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    case = fire(case, "revert", actor=bureau_reviewer)
    version = content.versions(case).get()
    assert (versions.snapshot(case)[2], content.was_changed(case)) == (version.digest, False)
    files = ApplicationFile.unscoped.filter(application=case)
    assert (files.count(), content.current_files(case).count()) == (5, 4)
    items = [{"target": "remarks", "text": "示例"}]
    case = fire(case, "return_for_correction", actor=bureau_reviewer, items=items)
    with pytest.raises(Refused, match="尚未补正任何内容"):
        fire(case, "resubmit", actor=provider, declaration=True)


def test_only_the_same_person_takes_back(provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor) -> None:
    case = builders.accepted(provider, bureau_reviewer)
    with pytest.raises(Refused) as refusal:
        fire(case, "revert", actor=bureau_lead)
    assert str(refusal.value) == "只能由办理人本人撤销"


def _business_time_later(case: Application, patch: pytest.MonkeyPatch) -> datetime:
    return TransitionRecord.objects.get(object_id=case.pk, name="accept").at + timedelta(seconds=31)


def _real_time_later(case: Application, patch: pytest.MonkeyPatch) -> datetime:
    real = clock.security_now()
    patch.setattr(clock, "security_now", lambda: real + timedelta(seconds=31))
    return TransitionRecord.objects.get(object_id=case.pk, name="accept").at


@pytest.mark.parametrize("later", [_business_time_later, _real_time_later])
def test_after_thirty_seconds_it_stands(
    provider: Actor,
    bureau_reviewer: Actor,
    monkeypatch: pytest.MonkeyPatch,
    later: Callable[[Application, pytest.MonkeyPatch], datetime],
) -> None:
    case = builders.accepted(provider, bureau_reviewer)
    with pytest.raises(Refused) as refusal:
        fire(case, "revert", actor=bureau_reviewer, at=later(case, monkeypatch))
    assert str(refusal.value) == "已超过 30 秒，通知已发出，不能撤销；不符合条件的，在审核意见中写明结论"


def test_only_the_last_word_is_taken_back(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.accepted(provider, bureau_reviewer)
    case = fire(case, "recommend", actor=bureau_reviewer.downward())
    case = fire(case, "reopen", actor=bureau_reviewer.downward())
    with pytest.raises(Refused) as refusal:
        fire(case, "revert", actor=bureau_reviewer)
    assert str(refusal.value) == "上一步不是可以撤销的操作"


def test_a_refusal_is_not_taken_back_over_a_new_application(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.refused(provider, bureau_reviewer)
    builders.start_application(actor=provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "revert", actor=bureau_reviewer)
    assert str(refusal.value) == "该单位已有在办申请（未提交）"


def test_a_case_taken_back_and_accepted_again_gets_the_next_number(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = builders.accepted(provider, bureau_reviewer)
    fire(case, "revert", actor=bureau_reviewer)
    assert fire(case, "accept", actor=bureau_reviewer).acceptance_number == "SL2019-44-00002"
