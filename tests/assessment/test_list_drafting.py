"""Approval lists while they are drafted: who stands on them, what holds them up, who may still withdraw."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from assessment.models import ApprovalList
from assessment.pages import list_preview
from assessment.services.lists import create_list, refresh
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.ui import Link
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import EFFECT
from tests.assessment.refusals import refusal
from tests.factories import world

pytestmark = pytest.mark.django_db


def against(draft: ApprovalList, staff: builders.Desk) -> list[tuple[Any, ...]]:
    """What the draft's page says stands against it: weight, who, what."""
    shown = list_preview.lines(draft, staff.officer)
    rows = [row.cells for row in list_preview.obstacles(draft, shown).rows]
    return [(tag.label, who, words) for tag, who, words in rows]


def test_nobody_is_decided_before_the_assessment_is_over(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.planned(staff)
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    assert builders.entries(draft) == [(case.application_id, False, "技术能力评估尚未作出结论")]
    assert refusal(draft, "prepare", actor=staff.officer) == (Refused, "还有 1 项技术能力评估未作出结论")
    name = case.application.provider.name
    link = Link(name, reverse("capability-assessment_detail", args=[case.pk]))
    assert against(draft, staff) == [("须先处理", link, "技术能力评估未作出结论（待分派）")]
    builders.concluded(case, staff, assessors[:2])
    # The page of a draft shows what handing it up would fix, before anybody brings it up to date.
    assert [line.listed for line in list_preview.lines(draft, staff.officer)] == [True]
    assert against(draft, staff) == []
    prepared = fire(draft, "prepare", actor=staff.officer)
    assert (prepared.state, builders.entries(prepared)) == ("prepared", [(case.application_id, True, "")])


def test_a_draft_is_brought_up_to_date(
    staff: builders.Desk, assessors: list[Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = builders.planned(staff)
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    elsewhere = builders.desk(province=45)
    world.at("2019-04-12 10:00")
    second = builders.recommended(elsewhere)
    world.at("2019-04-17 10:00")
    builders.received(elsewhere)
    builders.concluded(first, staff, assessors[:2])
    link = Link(second.provider.name, reverse("application_detail", args=[second.pk]))
    words = "已报部而不在本名单，可“更新名单内容”补入"
    assert against(draft, staff) == [("请留意", link, words)]
    with monkeypatch.context() as patched:  # of very many the page names the first
        patched.setattr(list_preview, "MOST_NOTED", 0)
        assert against(draft, staff) == [("请留意", "另有 1 家", words)]
    refresh(case=draft, actor=staff.officer)
    assert builders.entries(draft) == [
        (first.application_id, True, ""),
        (second.pk, False, "技术能力评估尚未作出结论"),
    ]
    builders.concluded(builders.assessment_of(second), staff, assessors[:2])
    fire(draft, "prepare", actor=staff.officer)
    with pytest.raises(Refused, match="只有拟制中的名单可以更新"):
        refresh(case=draft, actor=staff.officer)


def test_an_application_on_a_prepared_list_is_not_withdrawn_on_a_draft_it_is(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    one, two = world.provider(), world.provider()
    stays, goes = builders.recommended(staff, one), builders.recommended(staff, two)
    builders.begin_review()
    builders.received(staff)
    for application in (stays, goes):
        builders.concluded(builders.assessment_of(application), staff, assessors[:2])
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    fire(goes, "withdraw", actor=two, reason="示例")
    link = Link(goes.provider.name, reverse("application_detail", args=[goes.pk]))
    assert against(draft, staff) == [("请留意", link, "已撤回申请，提请批准时移出")]
    assert [line.entry.application_id for line in list_preview.lines(draft, staff.officer)] == [stays.pk]
    fire(draft, "prepare", actor=staff.officer)
    assert builders.entries(draft) == [(stays.pk, True, "")]
    words = "该申请已列入提请批准的名单，不能撤回"
    assert refusal(stays, "withdraw", actor=one, reason="示例") == (Refused, words)
    fire(draft, "send_back", actor=staff.approver, reason="请核对")
    fire(stays, "withdraw", actor=one, reason="示例")
    assert refusal(draft, "prepare", actor=staff.officer) == (Refused, "名单中没有申请单位")
