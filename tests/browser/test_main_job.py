"""The whole main job in a real browser: from a provider's draft to the published bulletin, by eight signed-in people.

Every step leaves a screenshot (1366 × 768) in the test's folder. The two pictures of the README are made by

    PILOT_SAVE_IMAGES=1 .venv/bin/python -m pytest tests/browser/test_main_job.py
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from applications.rules.completeness import REQUIRED_FILES
from applications.rules.form import SECTIONS, FormSection, Kind
from assessment.services.reports import open_reports
from filings.services.authority import load_authority
from filings.synthetic import Form, authority_rows, make_forms
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.masking import mask_name
from pilot.models import Organisation, OutboxMessage
from pilot.selectors import programmes
from pilot.services import outbox
from tests.applications import builders as intake
from tests.assessment import builders as review
from tests.browser.visitor import Story, Visitor
from tests.factories import world

pytestmark = pytest.mark.django_db(transaction=True)
IMAGES = Path(__file__).parents[2] / "docs" / "images"
README = {"dashboard": "dashboard.png", "application": "application.png"}
GUANGXI = 45
RECEIPT = "申请材料接收回执（第1版）"
PAPER = (
    ".receipt-paper a:not([href$='proof.json']), .receipt-paper [role]"  # the paper, or that it is being made
)
CONDITIONS = ("二（一）", "二（二）", "二（三）")


class MainStory(Story):
    """The people of the main job; two of the pictures stand in the README."""

    def __init__(self, sign_in: Callable[..., Visitor], folder: Path) -> None:
        actors = {
            "provider": world.provider(),
            "reviewer": world.bureau(Role.BUREAU_REVIEWER),
            "lead": world.bureau(Role.BUREAU_LEAD),
            "other lead": world.bureau(Role.BUREAU_LEAD, GUANGXI),
            "officer": world.ministry(Role.MINISTRY_OFFICER),
            "approver": world.ministry(Role.MINISTRY_APPROVER),
            "first assessor": world.assessor(),
            "second assessor": world.assessor(),
        }
        super().__init__(sign_in, folder, actors)
        self.name = Organisation.objects.get(pk=actors["provider"].organisation_id).name

    def picture(self, who: str, name: str) -> None:
        """Keep it for the README too, if that is asked for."""
        super().picture(who, name)
        if name in README and os.environ.get("PILOT_SAVE_IMAGES") == "1":
            IMAGES.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.folder / f"{name}.png", IMAGES / README[name])


@pytest.fixture
def story(programme: Any, sign_in: Callable[..., Visitor], tmp_path: Path) -> MainStory:
    return MainStory(sign_in, tmp_path / "pictures")


@pytest.mark.slow
def test_the_main_job(story: MainStory, worker: None, tmp_path: Path) -> None:
    apply(story, tmp_path)
    accept(story)
    give_an_opinion(story)
    report(story)
    assess(story)
    list_the_unit(story)
    upload_forms(story, tmp_path)
    read_the_dashboard(story)
    publish_the_bulletin(story, tmp_path)


# --- intake ---------------------------------------------------------------------------------------
def written(actor: Actor, section: FormSection) -> dict[str, Any]:
    """The content of a complete section as a person enters it: {label: words}."""
    content = intake.content_of(actor)
    fields = {}
    for field in section.fields:
        if field.key not in content:
            continue
        value = content[field.key]
        words = {choice: str(label) for choice, label in field.choices}
        match field.kind:
            case Kind.CHOICE:
                value = words[value]
            case Kind.CHOICES:
                value = [words[one] for one in value]
        fields[str(field.label)] = value
    return fields


def apply(story: MainStory, folder: Path) -> None:
    provider = story("provider")
    provider.menu("试点申请")
    provider.begin("提出申请")
    heading = provider.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("填写申请")
    story.picture("provider", "task list")
    provider.page.locator(".task-list a").first.click()
    for section in SECTIONS:
        expect(heading).to_have_text(str(section.title))
        provider.fill(written(story.actors["provider"], section))
        story.picture("provider", section.key)
        provider.page.get_by_role("button", name="保存并继续").click()
    hand_over_files(provider, folder)
    provider.page.get_by_role("link", name="返回填写申请").click()
    expect(provider.page.locator(".task-list .tag")).to_have_count(0)
    provider.page.get_by_role("link", name="核对并提交").click()
    provider.fill({"本单位承诺所填内容和所附材料真实、准确、完整，并对其真实性负责": True})
    story.picture("provider", "check")
    provider.page.get_by_role("button", name="确认并提交").click()
    expect(heading).to_have_text("接收回执")
    expect(provider.state).to_have_text("待受理")
    provider.refresh_until(provider.page.locator(PAPER), RECEIPT)
    story.picture("provider", "receipt")


def hand_over_files(provider: Visitor, folder: Path) -> None:
    expect(provider.page.get_by_role("heading", level=1)).to_have_text("申请材料")
    for kind in REQUIRED_FILES:
        file = folder / f"{kind}.pdf"
        file.write_bytes(intake.pdf(str(kind)))
        provider.page.locator(f"#file-{kind}").set_input_files(file)
        expect(provider.page.locator(f"#{kind} [data-rows] a")).to_have_text(file.name)


def accept(story: MainStory) -> None:
    world.at("2019-04-15 10:00")
    reviewer = story("reviewer")
    reviewer.waiting("试点申请", story.name)
    reviewer.act("受理")
    expect(reviewer.state).to_have_text("已受理")
    story.picture("reviewer", "application")


# --- review ---------------------------------------------------------------------------------------
def give_an_opinion(story: MainStory) -> None:
    world.at("2019-04-22 09:00")
    open_reports(programme=programmes.current(), actor=world.SETUP)  # what the timetable does every minute
    reviewer = story("reviewer")
    reviewer.waiting("审核意见", story.name)
    reviewer.choose("拟写意见")
    for group in reviewer.page.locator("main").get_by_role("group").all():
        group.get_by_label("符合", exact=True).check()
    evidence = {f"第 {number} 项条件的依据": f"示例材料第{number}页" for number in range(1, 4)}
    reviewer.fill(evidence)
    story.picture("reviewer", "opinion")
    reviewer.send("提交负责人签发", {"审核意见": "符合三项条件，同意推荐。"})
    expect(reviewer.state).to_have_text("待签发")

    lead = story("lead")
    lead.waiting("审核意见", story.name)
    lead.act("签发", {"登录密码": world.PASSWORD})
    expect(lead.state).to_have_text("已签发")
    assert [lead.row(clause)[2] for clause in CONDITIONS] == ["符合"] * 3


def report(story: MainStory) -> None:
    lead, other, officer = story("lead"), story("other lead"), story("officer")
    lead.waiting("汇总报送", "广东")
    lead.act("报送", {"联系电话": "020-00000002"})
    expect(lead.fact("零报告")).to_have_text("否")
    other.waiting("汇总报送", "广西")
    other.act("报送", {"联系电话": "0771-0000003", "本次没有应报送的申请，作零报告": True})
    expect(other.fact("零报告")).to_have_text("是")
    for bureau in ("广东", "广西"):
        officer.waiting("汇总报送", bureau)
        officer.act("接收")
        expect(officer.state).to_have_text("部已接收")


# --- assessment and list ----------------------------------------------------------------------------
def assess(story: MainStory) -> None:
    world.at("2019-05-06 09:00")
    officer = story("officer")
    officer.waiting("技术能力评估", story.name)
    assessors = ["first assessor", "second assessor"]
    officer.act("分派评估人员", {"评估人员": [mask_name(story.actors[who].name) for who in assessors]})
    for who in assessors:
        story(who).waiting("回避申报与评分", story.name)
        story(who).act("声明无利害关系")
    for who in assessors:
        score(story, who)
    officer.waiting("技术能力评估", story.name)
    officer.act("作出结论", {"评估结论": "示例结论：具备电子化核验的技术能力。"})
    expect(officer.fact("评估结果")).to_have_text("通过")
    expect(officer.fact("认定总分")).to_have_text("100 / 100 分")


def score(story: MainStory, who: str) -> None:
    assessor = story(who)
    assessor.waiting("回避申报与评分", story.name)
    assessor.choose("提交评分")
    for box, points in zip(assessor.page.locator("[data-score]").all(), review.FULL.values(), strict=True):
        box.fill(str(points))
    story.picture(who, "score")
    assessor.send("提交评分", {"评语": "示例评语"})
    expect(assessor.page.locator(".notice-success")).to_have_text("已办理：提交评分")


def list_the_unit(story: MainStory) -> None:
    world.at("2019-05-13 09:00")
    officer, approver = story("officer"), story("approver")
    officer.menu("试点单位名单")
    officer.begin("拟制名单")
    expect(officer.state).to_have_text("拟制中")
    story.picture("officer", "list")
    officer.page.locator("main tbody tr", has_text=story.name).get_by_role(
        "link", name="全部备案类型"
    ).click()
    officer.send("设定范围", {"全部 31 个省份（勾选后不再看下面逐个选择的省份）": True})
    expect(officer.page.locator(".notice-success")).to_have_text("已办理：设定范围")
    officer.act("提请批准")
    assert officer.row(story.name)[3] == "列入名单"
    approver.waiting("试点单位名单", "待批准")
    approver.act("批准", {"登录密码": world.PASSWORD})
    expect(approver.state).to_have_text("已批准")
    approver.act("公布", {"登录密码": world.PASSWORD})
    expect(approver.state).to_have_text("已公布")
    assert approver.row(story.name)[4] == "1001"
    world.at("2019-06-18 09:00")
    officer.menu("试点单位名录")
    assert officer.row("1001")[1] == "1001"


# --- the run phase ------------------------------------------------------------------------------------
def batch() -> list[Form]:
    """Twenty forms of June: one lacks its verifier, one bears a name that the authority writes otherwise."""
    span = (world.moment("2019-06-03 00:00"), world.moment("2019-06-17 00:00"))
    made = make_forms(20, unit_code="1001", seed=7, collected_from=span[0], collected_to=span[1])
    forms = [form.record for form in made]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["cert_type", "cert_no", "name", "valid_from", "valid_to"])
    writer.writerows(authority_rows(forms, differ={forms[0]["form_no"]}))
    load_authority(source=io.BytesIO(text.getvalue().encode()), actor=world.SETUP)
    forms[5]["verifier_name"] = ""
    return forms


def upload_forms(story: MainStory, folder: Path) -> None:
    file, provider = folder / "2019-06.ndjson", story("provider")
    file.write_text(
        "".join(f"{json.dumps(form, ensure_ascii=False)}\n" for form in batch()), encoding="utf-8"
    )
    provider.menu("上报批次")
    provider.begin("上报核验单", 核验单文件=file)
    provider.refresh_until(provider.state, "已完成")
    expect(provider.fact("已处理行数")).to_have_text("20")
    tiles = provider.page.locator(".job-progress .tile, main .tile")
    shown = dict(
        zip(
            tiles.locator(".tile-label").all_inner_texts(),
            tiles.locator(".tile-value").all_inner_texts(),
            strict=True,
        )
    )
    assert (shown["接收"], shown["拒收"]) == ("19", "1")
    row, _number, *error = provider.row("/verifier_name")
    assert (row, error) == (
        "6",
        ["field.required", "核验人", "/verifier_name", "缺少必填项；应填：1 至 128 字"],
    )
    story.picture("provider", "upload")
    OutboxMessage.objects.update(
        not_before=clock.security_now()
    )  # some seconds later, when the sweep comes round
    outbox.relay()


def read_the_dashboard(story: MainStory) -> None:
    world.at("2019-07-10 09:00")
    officer = story("officer")
    officer.page.goto("/dashboard/")
    unit = officer.page.locator(".units tbody tr").filter(has_text=story.name)
    officer.refresh_until(unit.locator("td").nth(3).locator("small"), "1 / 19")
    figures = [" ".join(cell.split()) for cell in unit.locator("td").all_inner_texts()[1:7]]
    assert figures == ["广东省", "试点中", "94.7368% 1 / 19", "未达线", "94.7368% 1 / 19", "未达线"]
    story.picture("officer", "dashboard")


def publish_the_bulletin(story: MainStory, folder: Path) -> None:
    officer, approver = story("officer"), story("approver")
    officer.menu("通报")
    officer.begin("编制通报", 月份="2019-06")
    expect(officer.state).to_have_text("待签发")
    approver.waiting("通报", "2019-06")
    approver.act("签发", {"登录密码": world.PASSWORD})
    approver.act("发布")
    expect(approver.state).to_have_text("已发布")
    story.picture("approver", "bulletin")
    with approver.page.expect_download() as download:
        approver.page.locator(".documents a").first.click()
    file = folder / "bulletin.pdf"
    download.value.save_as(file)
    text = "".join("".join(page.extract_text() for page in PdfReader(file).pages).split())
    # The unit's row and the total, for M1 and for M2 each; the chart writes the unit's M1 once more.
    assert {words: text.count(words) for words in ("1/19", "94.7368")} == {"1/19": 4, "94.7368": 5}
    provider = story("provider")
    provider.page.goto("/bulletins/")
    assert provider.row("2019-06")[1] == "2019-06 通报"
