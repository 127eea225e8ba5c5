"""Submission and answer: who, when, how complete; number, version, clock, receipt."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from applications.enums import ApplicationState
from applications.models import Application, ApplicationFile, ApplicationVersion
from applications.services.drafts import start_application
from applications.services.versions import digest
from pilot.actors import Actor
from pilot.enums import Province
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import AuditEntry, Document, Notice, Programme, TransitionRecord
from pilot.services import documents
from pilot.workflow import fire
from tests.applications import builders
from tests.documents.reading import text_of
from tests.factories import world


def test_submission_gives_number_version_clock_and_receipt(provider: Actor, bureau_reviewer: Actor) -> None:
    at = world.at("2019-04-12 09:00")
    case = fire(builders.drafted(provider), "submit", actor=provider, at=at, declaration=True)

    assert (case.state, case.case_number, case.late) == ("submitted", "SQ2019-44-00001", False)
    assert (case.submitted_at, case.due_at) == (at, world.moment("2019-04-20 00:00"))
    version = ApplicationVersion.unscoped.get(application=case)
    assert (version.number, version.at, version.by_id) == (1, at, provider.person_id)
    assert version.content == {
        **{k: v.isoformat() if isinstance(v, date) else v for k, v in builders.content_of(provider).items()},
        "unit_name": provider.organisation_name,
        "uscc": case.uscc,
    }
    files = ApplicationFile.unscoped.filter(application=case)
    assert version.files == [
        {"id": f.pk, "kind": f.kind, "name": f.name, "sha256": f.sha256, "size": f.size} for f in files
    ]
    assert {f.handed_in_with_id for f in files} == {version.pk}
    assert version.digest == digest({"content": version.content, "files": version.files})
    steps = TransitionRecord.objects.filter(case_key=case.case_key).order_by("number")
    assert list(steps.values_list("name", flat=True)) == [
        "open",
        "submit",
    ]
    assert sorted(Notice.objects.values_list("person", "subject")) == sorted(
        (person, f"SQ2019-44-00001 · {provider.organisation_name} · 提交申请")
        for person in (bureau_reviewer.person_id, provider.person_id)
    )


def test_the_receipt_says_what_was_received(provider: Actor) -> None:
    case = fire(
        builders.drafted(provider),
        "submit",
        actor=provider,
        at=world.at("2019-04-12 09:00"),
        declaration=True,
    )
    assert Document.objects.filter(object_id=case.pk).count() == 0
    assert builders.run_tasks() == ["applications.tasks.make_receipt"]
    receipt = Document.objects.get(object_id=case.pk)
    assert (receipt.machine, receipt.kind, receipt.title) == (
        "application",
        "receipt",
        "申请材料接收回执（第1版）",
    )
    text = re.sub(r"\s", "", text_of(documents.read_bytes(receipt.sha256)))
    version = ApplicationVersion.unscoped.get(application=case)
    for word in [
        "SQ2019-44-00001",
        case.uscc,
        "2019-04-1209:00:00",
        "广东省通信管理局将在5个工作日内，即2019年4月19日（含当日）前，作出是否受理的决定",
        version.digest[:32],
        *(file["sha256"] for file in version.files),
    ]:
        assert text.count(word) == 1, word


def test_numbers_run_per_province_and_year(programme: Programme) -> None:
    actors = [world.provider(p) for p in (Province.GUANGDONG, Province.GUANGDONG, Province.BEIJING)]
    assert [builders.submitted(actor).case_number for actor in actors] == [
        "SQ2019-44-00001",
        "SQ2019-44-00002",
        "SQ2019-11-00001",
    ]


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2019-04-01 00:00:00", "submitted"),
        ("2019-04-15 23:59:59.999999", "submitted"),
    ],
)
def test_the_window_is_open_up_to_its_last_moment(provider: Actor, at: str, state: str) -> None:
    case = builders.drafted(provider)
    assert fire(case, "submit", actor=provider, at=world.moment(at), declaration=True).state == state


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2019-03-31 23:59:59.999999", "申请阶段尚未开始"),
        ("2019-04-16 00:00:00", "申请阶段已结束，且没有批准的逾期准入"),
    ],
)
def test_outside_the_window_is_refused(provider: Actor, at: str, words: str) -> None:
    case = builders.drafted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=provider, at=world.moment(at), declaration=True)
    assert str(refusal.value) == words


def test_the_truth_statement_is_needed(provider: Actor) -> None:
    case = builders.drafted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=provider)
    assert str(refusal.value) == "请确认真实性声明"
    case.refresh_from_db()
    assert (case.state, case.case_number) == ("draft", "")


def test_only_the_provider_itself_submits(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.drafted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=world.provider(), declaration=True)
    assert str(refusal.value) == "只能办理本单位的申请"
    with pytest.raises(NotPermitted) as denial:
        fire(case, "submit", actor=bureau_reviewer, declaration=True)
    assert str(denial.value) == "“提交申请”不属于您当前角色的职责"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"contact_name": ""}, "联系人：未填写"),
        ({"contact_mobile": "12345"}, "联系人手机：应为11位手机号码"),
        ({"contact_email": "nobody"}, "联系人邮箱：邮箱地址不正确"),
        ({"emergency_phone": "000-0000"}, "24小时应急电话：应为带区号的固定电话或手机号码"),
        (
            {"licence_number": "B3-20180001"},
            "许可证编号：编号格式不正确，应形如 B1-20180123、A2.B1.B2-20190001 或 粤B1.B2-20190001",
        ),
        (
            {"licence_number": "粤B2-20080101", "licence_coverage": "province", "provinces": ["44"]},
            "许可证编号：编号只含B2类业务，不含B1类（互联网数据中心、内容分发网络、互联网接入服务均属B1类），"
            "不符合条件二（一）",
        ),
        (
            {"licence_categories": ["B13", "B25"]},
            "业务种类：业务种类不含B11互联网数据中心、B12内容分发网络、B14互联网接入服务中的任何一种，不符合条件二（一）",
        ),
        (
            {"licence_expires_on": date(2019, 4, 11)},
            "有效期至：许可证已于2019-04-11到期，不符合条件二（一）",
        ),
    ],
)
def test_what_is_wrong_or_missing_is_named(provider: Actor, changes: dict[str, Any], words: str) -> None:
    case = builders.drafted(provider, **changes)
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=provider, at=world.moment("2019-04-12 09:00"), declaration=True)
    assert str(refusal.value) == f"还不能提交：{words}"


def test_an_empty_draft_names_the_first_faults_and_counts_all(provider: Actor) -> None:
    case = start_application(actor=provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=provider, declaration=True)
    assert str(refusal.value) == (
        "还不能提交：注册地址：未填写；通信地址：未填写；法定代表人：未填写；企业性质：未填写；"
        "已备案接入主体数：未填写；等共 51 处"
    )


def test_a_submitted_application_cannot_be_submitted_again(provider: Actor) -> None:
    case = builders.submitted(provider)
    with pytest.raises(StateChanged) as refusal:
        fire(case, "submit", actor=provider, declaration=True)
    assert str(refusal.value) == "当前状态为“待受理”，不能提交申请"


def test_an_answer_makes_a_version_and_starts_the_clock_afresh(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    world.at("2019-04-15 10:00")
    case = builders.returned(provider, bureau_reviewer)
    world.at("2019-04-18 10:00")  # after the window
    builders.corrected(case, provider)
    at = world.moment("2019-04-18 11:00")
    case = fire(case, "resubmit", actor=provider, at=at, declaration=True)

    assert (case.state, case.case_number) == ("submitted", "SQ2019-44-00001")
    assert case.due_at == world.moment("2019-04-26 00:00")
    first, second = ApplicationVersion.unscoped.filter(application=case)
    assert (first.number, second.number) == (1, 2)
    assert first.content["licence_authority"] == "示例发证机关"
    assert second.content["licence_authority"] == "示例发证机关（更正）"
    replaced = ApplicationFile.unscoped.get(application=case, replaced_at__isnull=False)
    assert (replaced.kind, replaced.handed_in_with_id) == ("licence", first.pk)
    builders.run_tasks()
    titles = Document.objects.filter(object_id=case.pk, kind="receipt").values_list("title", flat=True)
    assert list(titles) == ["申请材料接收回执（第1版）", "申请材料接收回执（第2版）"]


def test_an_answer_must_change_something(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    with pytest.raises(Refused) as refusal:
        fire(case, "resubmit", actor=provider, declaration=True)
    assert str(refusal.value) == "尚未补正任何内容"


def test_an_answer_after_the_deadline_is_late_even_before_the_job_ran(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "resubmit", actor=provider, at=case.due_at, declaration=True)
    assert str(refusal.value) == "补正期限已过"


def test_an_answer_that_empties_a_field_is_refused(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.save_draft(case=case, actor=provider, revision=1, licence_authority="")
    with pytest.raises(Refused) as refusal:
        fire(case, "resubmit", actor=provider, declaration=True)
    assert str(refusal.value) == "还不能提交：发证机关：未填写"


def test_a_denied_submission_leaves_no_number_behind(provider: Actor) -> None:
    case = builders.drafted(provider)
    with pytest.raises(Refused):
        fire(case, "submit", actor=provider)
    again = fire(case, "submit", actor=provider, declaration=True)
    assert again.case_number == "SQ2019-44-00001"
    assert AuditEntry.objects.filter(action="application.submit").count() == 1


def test_the_provider_sees_its_draft_and_nobody_else_does(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = builders.drafted(provider)
    seen = [
        list(Application.objects.visible_to(actor))
        for actor in (provider, world.provider(), bureau_reviewer, ministry_officer)
    ]
    assert seen == [[case], [], [], []]
    fire(case, "withdraw", actor=provider)
    assert list(Application.objects.visible_to(bureau_reviewer)) == []


def test_after_submission_the_own_bureau_and_the_ministry_see_it(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = builders.submitted(provider)
    other = world.bureau(province=Province.BEIJING)
    assessor = world.assessor()
    seen = [
        list(Application.objects.visible_to(actor))
        for actor in (provider, world.provider(), bureau_reviewer, other, ministry_officer, assessor)
    ]
    assert seen == [[case], [], [case], [], [case], []]
    assert case.state == ApplicationState.SUBMITTED
