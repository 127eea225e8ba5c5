"""What follows from a figure, with hands: an alert, a dispute with a picture, the decision beside it, the figure again;
then an order drafted from findings, and a sanction with its hearing. Every step leaves a screenshot (1366 × 768).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from filings.enums import FindingSource
from filings.models import Finding, Rectification, Sanction
from filings.services import alerts
from filings.services.figures import figures
from pilot import clock
from pilot.actors import Actor
from pilot.models import PilotUnit, ProgrammeRule
from tests.browser.visitor import Story, Visitor
from tests.factories import world
from tests.filings import builders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
FIRM = (1, "91440000MA0000001X", "示例科技有限公司")
PERSON = (2, "440101199001010011", "示例大甲")


@pytest.fixture
def unit(programme: Any, provider: Actor) -> PilotUnit:
    """A unit with 40 forms in June, four of them different from the authority's record."""
    enrolled = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    rows = [
        builders.form(enrolled, f"HYD-{n:02}", content=builders.content(FIRM, PERSON, PERSON))
        for n in range(1, 5)
    ]
    builders.compared_all(builders.forms(enrolled, 36))
    builders.compared(*rows)
    for row in rows:
        builders.found(row, source=FindingSource.COMPARISON, at=clock.now())
    return enrolled


@pytest.fixture
def story(
    sign_in: Callable[..., Visitor],
    tmp_path: Path,
    provider: Actor,
    bureau_reviewer: Actor,
    bureau_lead: Actor,
    ministry_officer: Actor,
    ministry_approver: Actor,
) -> Story:
    actors = {
        "unit": provider,
        "reviewer": bureau_reviewer,
        "lead": bureau_lead,
        "officer": ministry_officer,
        "approver": ministry_approver,
    }
    return Story(sign_in, tmp_path, actors)


def case(page: Page, slug: str, pk: int) -> None:
    page.goto(reverse(f"{slug}_detail", args=[pk]))


def shot(tmp_path: Path) -> Path:
    """A screenshot of a record, as a unit hands it in."""
    file = tmp_path / "权威库截图.png"
    Image.new("RGB", (900, 500), "#dfe8f2").save(file)
    return file


def errors(unit: PilotUnit) -> tuple[int, int]:
    m1 = figures(unit=unit, period="2019-06")["m1"]
    return m1["errors"], m1["n"]


def test_a_dispute_with_a_picture_is_overturned_and_the_figure_follows(
    unit: PilotUnit, story: Story, tmp_path: Path
) -> None:
    alerts.review()
    reviewer, owner, lead = story("reviewer"), story("unit"), story("lead")
    reviewer.menu("预警")
    story.picture("reviewer", "alerts")
    reviewer.open("核验单信息有差错（M2）")
    reviewer.act("签收", {"备注": "已联系该单位"})
    expect(reviewer.fact("目前")).to_have_text("仍然成立")
    story.picture("reviewer", "alert")
    # The unit disputes two findings of one cause in one act, with one picture; it confirms the others with their cause.
    first, second, third, fourth = Finding.unscoped.order_by("pk")
    owner.page.goto(reverse("pilot-unit_detail", args=[unit.code]))
    expect(owner.page.get_by_role("heading", name="预警", exact=True)).to_be_visible()
    case(owner.page, "finding", first.pk)
    story.picture("unit", "finding")
    owner.choose("提出异议")
    owner.fill({"理由": "权威库记录未更新", "证明材料": shot(tmp_path), "一并办理": [second.number]})
    story.picture("unit", "dispute")
    owner.send("提出异议", {})
    expect(owner.state).to_have_text("有争议")
    case(owner.page, "finding", third.pk)
    owner.act("确认差错", {"新的差错原因": "证件识别错误", "一并办理": [fourth.number]})
    expect(owner.fact("差错原因").first).to_have_text("证件识别错误")
    # The lead sees form and proof side by side and decides each.
    assert errors(unit) == (4, 40)
    for finding in (first, second):
        case(lead.page, "finding", finding.pk)
        lead.choose("撤销差错")
        picture = lead.page.locator(".proof img")
        expect(picture).to_be_visible()
        expect(picture).to_have_js_property("naturalWidth", 900)
        expect(lead.page.locator(".decision-matter")).to_contain_text("权威库比对")
        lead.page.get_by_text("核验单：备案主体").click()
        expect(lead.page.locator(".decision-record")).to_contain_text("示例科技有限公司")
        story.picture("lead", "decision")
        lead.send("撤销差错", {"理由": "复核属实"})
        expect(lead.state).to_have_text("已撤销")
    assert errors(unit) == (2, 40)
    owner.page.goto(reverse("pilot-unit_detail", args=[unit.code]))
    expect(owner.page.locator("main")).to_contain_text("2 / 40")
    story.picture("unit", "unit")


def test_an_order_and_a_sanction_with_its_hearing(unit: PilotUnit, story: Story, tmp_path: Path) -> None:
    ProgrammeRule.objects.filter(key="sanctions").update(value=True, basis="试点管理规则（示例）第6条")
    reviewer, owner, lead = story("reviewer"), story("unit"), story("lead")
    case(owner.page, "finding", Finding.unscoped.order_by("pk")[0].pk)
    owner.act("确认差错", {"新的差错原因": "证件识别错误"})
    reviewer.page.goto(reverse("rectification_create"))
    reviewer.page.get_by_role("link", name=unit.code).click()
    story.picture("reviewer", "order-draft")
    reviewer.page.locator("main form").screenshot(path=tmp_path / "order-form.png")
    expect(reviewer.page.get_by_label("整改事由")).to_have_value(
        "备案主体身份信息差错1份（权威库比对；已确认1份）；你单位说明的原因：证件识别错误。"
    )
    reviewer.page.locator("main form").get_by_role("button", name="起草整改通知").click()
    order = Rectification.unscoped.get()
    case(lead.page, "rectification", order.pk)
    lead.choose("签发整改通知")
    story.picture("lead", "order-issue")
    lead.send("签发整改通知", {"登录密码": world.PASSWORD})
    expect(lead.state).to_have_text("整改中")
    case(owner.page, "rectification", order.pk)
    owner.act("提交整改报告", {"整改报告": "已更正并复核", "证明材料": shot(tmp_path)})
    case(lead.page, "rectification", order.pk)
    lead.choose("整改通过")
    story.picture("lead", "order-accept")
    lead.send("整改通过", {"办结说明": "个案，已更正"})
    expect(lead.state).to_have_text("已办结")
    # --- the sanction
    reviewer.page.goto(reverse("sanction_create"))
    reviewer.fill({"试点单位": str(unit), "措施": "暂停试点", "事实和理由": "多次差错"})
    story.picture("reviewer", "sanction-create")
    reviewer.send("提出暂停或退出", {})
    sanction = Sanction.unscoped.get()
    reviewer.act("告知陈述申辩权")
    case(owner.page, "sanction", sanction.pk)
    owner.act("提交陈述申辩意见", {"陈述申辩意见": "差错已更正，请求不予暂停", "证明材料": shot(tmp_path)})
    case(reviewer.page, "sanction", sanction.pk)
    reviewer.act("接收陈述申辩", {"复核意见": "更正属实，但同类差错仍有发生"})
    story.picture("reviewer", "sanction")
    approver = story("approver")
    case(approver.page, "sanction", sanction.pk)
    approver.choose("作出决定")
    story.picture("approver", "sanction-impose")
    approver.send("作出决定", {"登录密码": world.PASSWORD, "生效时间": "2019-07-15 00:00"})
    expect(approver.state).to_have_text("已决定")
    case(owner.page, "sanction", sanction.pk)
    expect(owner.page.locator(".case-side").last).to_contain_text("陈述申辩记录")
    story.picture("unit", "sanction-unit")
