"""Approval lists before they are signed: what would be opened, what would follow, what stands against it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from assessment.models import ApprovalList, ApprovalListEntry
from assessment.pages import approval_list, list_preview
from assessment.selectors import lists
from assessment.services import capability
from assessment.services.lists import create_list, digest, leave_out, refresh, set_scope
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import (
    AuditEntry,
    Person,
    Programme,
    UnitScope,
    Window,
)
from pilot.services import register
from pilot.services.programmes import propose_extension
from pilot.ui import Link, Section
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import EFFECT
from tests.factories import world
from tests.factories.cases import walk

pytestmark = pytest.mark.django_db


def scopes() -> set[tuple[int, str]]:
    return set(UnitScope.objects.values_list("province", "filing_type"))


# --- what is opened -------------------------------------------------------------------------------
def test_an_officer_sets_the_scope_of_a_draft_and_evaluation_keeps_it(
    staff: builders.Desk, decided: list[Application]
) -> None:
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    entry, *_others = lists.entries(draft)
    plain = digest(draft)

    def set_to(provinces: list[int], kinds: list[str]) -> None:
        set_scope(case=draft, actor=staff.officer, entry=entry, provinces=provinces, filing_types=kinds)

    nothing: list[tuple[list[int], list[str]]] = [([], ["change"]), ([44], [])]
    for provinces, types in nothing:
        with pytest.raises(Refused, match="请至少开通一个省份和一类备案"):
            set_to(provinces, types)
    set_to([50, 11], ["change", "new_filing"])
    audited = AuditEntry.objects.get(action="approval-list.set_scope")
    assert audited.detail == {
        "application": entry.application_id,
        "provinces": [11, 50],
        "filing_types": ["new_filing", "change"],
    }
    assert digest(draft) != plain
    refresh(case=draft, actor=staff.officer)
    fire(draft, "prepare", actor=staff.officer)
    with pytest.raises(Refused, match="只有拟制中的名单可以更新"):
        set_to([44], ["change"])
    fire(draft, "approve", actor=staff.approver)
    fire(draft, "publish", actor=staff.approver)
    assert scopes() == {(province, kind) for province in (11, 50) for kind in ("new_filing", "change")}


# --- before it is signed --------------------------------------------------------------------------
def facts(section: Section) -> dict[str, tuple[Any, str]]:
    return {fact.label: (fact.value, fact.hint) for fact in section.facts}


def test_the_effects_are_counted_from_the_rows(staff: builders.Desk, decided: list[Application]) -> None:
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    entry, *_others = lists.entries(draft)
    kinds = ["new_filing", "change"]
    set_scope(case=draft, actor=staff.officer, entry=entry, provinces=[45, 44, 46], filing_types=kinds)
    fire(draft, "prepare", actor=staff.officer)
    for state in ("prepared", "approved", "published"):
        shown = list_preview.lines(ApprovalList.unscoped.get(pk=draft.pk), staff.approver)
        rows = approval_list.content(draft, shown, staff.approver).rows
        effects = facts(list_preview.effects(builders.refreshed(draft), shown))
        code = "编号：1001" if state == "published" else "编号公布时确定"
        assert effects == {
            "登记为试点单位": ("1 家", code),
            "转为未列入": ("2 家", "理由逐家列在名单内容中"),
            "生效日期": (date(2019, 5, 16), ""),
            "试点运行至": (date(2019, 12, 31), "当日结束"),
            "开通省份": ("1 家：广东省、广西壮族自治区、海南省", "单位 × 省份合计 3 项"),
            "备案类型": ("新增备案 1 家；变更备案 1 家", ""),
            "发出书面决定": ("3 封", "每家一封；未列入的写明理由，自公布次日起 10 个工作日内可以申诉"),
            "通知": ("3 家申请单位，31 家通信管理局", ""),
        }
        assert [row.cells[3].label for row in rows] == ["列入名单", "不列入", "不列入"]
        for name in {"prepared": ("approve",), "approved": ("publish",)}.get(state, ()):
            fire(draft, name, actor=staff.approver)


def test_whoever_signs_is_told_what_would_fail_or_run_out(
    programme: Programme, staff: builders.Desk, decided: list[Application]
) -> None:
    prepared = builders.prepared(staff)
    passed = decided[0]
    link = Link(passed.provider.name, reverse("application_detail", args=[passed.pk]))

    def told() -> list[tuple[Any, ...]]:
        shown = list_preview.lines(prepared, staff.approver)
        return [tuple(row.cells[1:]) for row in list_preview.obstacles(prepared, shown).rows]

    assert told() == []
    longer = propose_extension(
        actor=staff.officer,
        window=Window.objects.get(kind="run"),
        closes=world.moment("2023-05-21 00:00"),  # a day longer than the licence
        reason="示例",
    )
    fire(longer, "approve", actor=staff.approver)
    assert told() == [(link, "许可证 2023-05-19 到期，早于试点运行结束")]
    register.enrol_unit(
        actor=world.SETUP,
        programme=programme,
        organisation=passed.provider,
        case_key=passed.case_key,
        at=world.moment("2019-05-14 09:00"),
        effective_from=EFFECT,
    )
    world.at("2019-05-17 09:00")
    assert [words for _who, words in told()] == [
        "名单的生效日期早于今天，须重新确定",
        "已在试点单位名录中，公布时会被拒绝",
        "许可证 2023-05-19 到期，早于试点运行结束",
    ]


def test_the_page_of_a_list_asks_as_often_for_two_as_for_one(
    staff: builders.Desk, decided: list[Application]
) -> None:
    prepared = builders.prepared(staff)
    client = Client()
    person = Person.objects.get(pk=staff.officer.person_id)
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = reverse("approval-list_detail", args=[prepared.pk])
    client.get(page)  # fills per-process caches

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(page).status_code == 200
        return len(caught)

    def prepared_without(application: Application) -> int:
        draft = fire(prepared, "send_back", actor=staff.approver, reason="请核对")
        entry = ApprovalListEntry.unscoped.get(approval_list=draft, application=application)
        leave_out(case=draft, actor=staff.officer, entry=entry, reason="示例")
        fire(draft, "prepare", actor=staff.officer)
        return queries()

    assert prepared_without(decided[2]) == prepared_without(decided[1])


def test_a_draft_asks_as_often_for_four_applicants_as_for_one(
    staff: builders.Desk, decided: list[Application], assessors: list[Actor]
) -> None:
    """Two of the four failed the assessment and one was not recommended: their reasons cost nothing each."""
    world.at("2019-04-12 09:00")
    second = walk(builders.recommended(staff), "reported")
    case = capability.plan(application=second, actor=staff.officer, at=clock.now())
    builders.concluded(case, staff, assessors[:2], {**builders.FULL, "liveness": 3})
    world.at("2019-05-14 09:00")
    draft = create_list(actor=staff.officer, effective_from=EFFECT)

    def read() -> tuple[int, list[str]]:
        with CaptureQueriesContext(connection) as caught:
            shown = list_preview.lines(draft, staff.officer)
        return len(caught), [line.reason for line in shown]

    spoofed = "技术能力评估指标“活体检测与防伪造”未达到最低要求"
    cost, reasons = read()
    assert [reasons[0], reasons[1].partition("“")[0], reasons[2].partition("：")[0], reasons[3]] == [
        "",
        "技术能力评估指标",
        "广东省通信管理局审核意见为不同意推荐",
        spoofed,
    ]
    for entry in lists.entries(draft).exclude(application=second):
        leave_out(case=draft, actor=staff.officer, entry=entry, reason="示例")
    assert read() == (cost, [spoofed])
