"""What a reader sees of a finding: its page, and the page on which a dispute is decided."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from filings.enums import FindingState
from filings.models import Determination, Finding, VerificationForm
from filings.pages import compared, findings
from filings.services import deadlines, deltas
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.tones import tone
from pilot.ui import Fact, Link, Tag
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders
from tests.filings.test_inspection_readings import CONTENT, read, running
from tests.filings.test_pages import signed_in, text_of


def facts_of(finding: Finding, actor: Actor) -> dict[str, Fact]:
    return {fact.label: fact for fact in findings.facts(Finding.unscoped.get(pk=finding.pk), actor)}


def test_what_nobody_said_has_no_line(finding: Finding, provider: Actor, ministry_officer: Actor) -> None:
    told = ["试点单位", "核验单", "数据项", "差错类型", "来源", "说明", "主体所在省", "计入日期", "发现时间"]
    assert list(facts_of(finding, provider)) == told
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "uphold", actor=ministry_officer, reason="记录无误")
    assert list(facts_of(finding, ministry_officer)) == [*told, "异议理由", "决定人"]
    assert facts_of(finding, provider)["差错类型"].hint == "计入 M1 和 M2"


def test_a_finding_of_an_inspection_leads_to_it_and_says_its_item_once(
    unit: PilotUnit, bureau_reviewer: Actor, provider: Actor
) -> None:
    inspection = running(unit, bureau_reviewer, second=0)
    read(inspection, bureau_reviewer, inspection.items.order_by("rank")[0], "principal.mobile")
    shown = facts_of(Finding.unscoped.get(), provider)
    url = reverse("inspection_detail", args=[inspection.pk])
    assert shown["来源"].value == Link(f"抽查 {inspection.number}", url)
    assert "数据项" not in shown
    assert (shown["差错类型"].value, shown["差错类型"].hint) == ("核验单其他信息", "计入 M2")


def test_what_counts_for_good_looks_alike() -> None:
    assert tone("confirmed") == tone("upheld") == "neutral"
    assert (FindingState.UPHELD.label, FindingState.OVERTURNED.label) == ("已维持", "已撤销")


# --- the comparison, item by item -----------------------------------------------------------------------
def determined(row: VerificationForm, outcome: str, **said: Any) -> None:
    with deltas.recorded(unit_id=row.unit_id, chains=[row.chain_no]):
        Determination.unscoped.create(
            form=row, unit_id=row.unit_id, outcome=outcome, at=row.received_at, **said
        )


SAME, UNSEEN = Tag("一致", "success"), Tag("未见不一致", "muted")


@pytest.mark.parametrize(
    ("outcome", "differences", "subject", "principal"),
    [
        ("match", {}, [SAME], [SAME]),
        ("mismatch", {"subject": []}, [Tag("不一致，权威库未说明项目", "danger")], [UNSEEN]),
        (
            "mismatch",
            {"principal": ["cert_no"]},
            [UNSEEN],
            [
                Tag("名称或姓名 一致", "success"),
                Tag("证件类型 一致", "success"),
                Tag("证件号码 不一致", "danger"),
            ],
        ),
        ("undeterminable", {}, None, None),
    ],
)
def test_which_item_differs_is_told(
    unit: PilotUnit, outcome: str, differences: dict[str, list[str]], subject: Any, principal: Any
) -> None:
    row = builders.form(unit, "F-7")
    determined(row, outcome, fields=list(differences), differences=differences)
    shown = {fact.label: fact.value for fact in compared.section(row).facts}
    assert shown["比对时间"] == row.received_at
    assert (shown.get("备案主体身份信息"), shown.get("主体负责人身份信息")) == (subject, principal)


def test_the_principal_of_a_website_is_named(unit: PilotUnit) -> None:
    row = builders.form(unit, "F-7")
    determined(row, "mismatch", fields=["subject", "websites.0.principal", "websites.1.principal"])
    assert [fact.label for fact in compared.section(row).facts][2:] == [
        "备案主体身份信息",
        "主体负责人身份信息",
        "网站负责人",
        "网站2 网站负责人",
    ]


def test_a_form_that_was_not_compared_says_so(unit: PilotUnit) -> None:
    assert compared.section(builders.form(unit, "F-8")).empty == "尚未比对"


# --- the page of the decision ---------------------------------------------------------------------------
def test_the_matter_and_the_form_of_the_act_stand_before_the_record(
    unit: PilotUnit, provider: Actor, ministry_officer: Actor
) -> None:
    finding = builders.found(builders.form(unit, "F-5", content=CONTENT), at=world.at("2019-07-01 09:00"))
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    page = text_of(signed_in(ministry_officer), reverse("finding_act", args=[finding.pk, "uphold"]))
    before, _mark, record = page.partition('<div class="decision-record">')
    assert re.findall(r"<h2>([^<]+)</h2>", before)[-3:] == ["争议事项", "权威库比对", "证明材料"]
    assert 'name="reason"' in before
    assert "<summary><h2>核验单：备案主体</h2></summary>" in record


def test_confirmed_by_time_says_why(finding: Finding, ministry_officer: Actor) -> None:
    world.at("2019-07-12 08:00")
    deadlines.pass_deadlines()
    page = text_of(signed_in(ministry_officer), reverse("finding_detail", args=[finding.pk]))
    assert "异议期满未提异议，自动确认" in page
