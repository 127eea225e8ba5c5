"""The review phase in a real browser: from a draft opinion to the second list, by fourteen signed-in people.

What each person sees and does not see stands beside the step. Every main page is looked at (1366 × 768, axe, a
screenshot in the test's folder).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from applications.models import Application
from pilot.actors import Actor
from pilot.enums import Role
from pilot.masking import mask_name
from pilot.models import Organisation
from tests.applications import builders as intake
from tests.assessment import builders as review
from tests.browser.test_pages import faults
from tests.browser.visitor import Story, Visitor
from tests.factories import world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

GUANGXI = 45
BARRED = "所在机构是核验产品供应方，应予回避"
INTERNAL = "已与示例丙电话核实"
OUTSIDE = "符合三项条件，同意推荐。"


class ReviewStory(Story):
    """The people of the review phase, and two applicants whose applications stand accepted: one will be listed."""

    def __init__(self, sign_in: Callable[..., Visitor], folder: Path) -> None:
        staff = review.desk()
        actors = {
            "reviewer": staff.reviewer,
            "lead": staff.lead,
            "other lead": world.bureau(Role.BUREAU_LEAD, GUANGXI),
            "officer": staff.officer,
            "approver": staff.approver,
            "second officer": world.ministry(Role.MINISTRY_OFFICER),
            "second approver": world.ministry(Role.MINISTRY_APPROVER),
            "reviewer of objections": world.ministry(Role.MINISTRY_APPROVER),
            **{f"assessor {letter}": world.assessor() for letter in "ABCD"},
            "tied assessor": world.assessor(_supplier()),
            "good": world.provider(),
            "poor": world.provider(),
        }
        super().__init__(sign_in, folder, actors)
        self.faults: list[str] = []
        self.staff = staff
        self.good, self.poor = (intake.accepted(actors[who], staff.reviewer) for who in ("good", "poor"))

    def name(self, who: str) -> str:
        """The applicant's name, or the person's as others read it."""
        actor: Actor = self.actors[who]
        if actor.is_provider:
            return Organisation.objects.get(pk=actor.organisation_id).name
        return mask_name(actor.name)

    def picture(self, who: str, name: str) -> None:
        """A screenshot, and a look for barriers."""
        super().picture(who, name)
        self.faults += faults(self(who).page)


def _supplier() -> Organisation:
    """An agency that is also the supplier of the applicants' product."""
    agency = world.agency()
    agency.name = intake.CONTENT["product_supplier"]
    agency.save()
    return agency


@pytest.fixture
def story(programme: Any, worker: None, sign_in: Callable[..., Visitor], tmp_path: Path) -> ReviewStory:
    return ReviewStory(sign_in, tmp_path / "pictures")


@pytest.mark.timeout(600)
def test_the_review_phase(story: ReviewStory, window: Callable[..., Page], tmp_path: Path) -> None:
    draft_and_sign(story)
    send_reports(story)
    return_one_and_compare(story)
    assign(story)
    declare_and_reassign(story)
    score_apart(story)
    moderate(story)
    conclude(story, tmp_path)
    prepare_the_list(story)
    approve_retract_publish(story)
    read_without_login(window(), story, numbers=["1001"], lists=[1])
    object_and_uphold(story, tmp_path)
    publish_the_second_list(story)
    read_without_login(window(), story, numbers=["1002", "1001"], lists=[2, 1])
    assert story.faults == []


# --- the bureau -------------------------------------------------------------------------------------
def draft_and_sign(story: ReviewStory) -> None:
    review.begin_review("2019-04-22 09:00")
    reviewer, lead, officer = story("reviewer"), story("lead"), story("officer")
    reviewer.waiting("审核意见", story.name("good"))
    reviewer.choose("拟写意见")
    for group in reviewer.page.locator("main").get_by_role("group").all():
        group.get_by_label("符合", exact=True).check()
    reviewer.fill({f"第 {n} 项条件的依据": f"示例材料第{n}页" for n in range(1, 4)})
    story.picture("reviewer", "01 opinion draft")
    reviewer.send("提交负责人签发", {"审核意见": OUTSIDE, "内部备注": INTERNAL})
    expect(reviewer.state).to_have_text("待签发")
    expect(
        reviewer.page.locator(".action-buttons").get_by_role("link", name="签发", exact=True)
    ).to_have_count(0)
    story.picture("reviewer", "02 opinion drafted")

    # A draft is the bureau's own: the ministry has neither row nor page.
    address = reviewer.page.url
    officer.menu("审核意见")
    expect(officer.page.locator("#list")).not_to_contain_text(story.name("good"))
    refused(officer, address)

    review.drafted(story.poor, story.staff, review.NOT_MET)
    lead.page.goto("/")
    story.picture("lead", "03 lead's first page")
    lead.waiting("审核意见", story.name("good"))
    lead.choose("签发")
    expect(lead.page.locator(".opinion-inside")).to_contain_text(INTERNAL)
    story.picture("lead", "04 sign")
    lead.send("签发", {"登录密码": world.PASSWORD})
    expect(lead.state).to_have_text("已签发")
    lead.page.locator(".action-buttons").get_by_role("link", name="办理下一件（还有 1 件）").click()
    expect(lead.page.locator(".opinion")).to_contain_text(story.name("poor"))
    lead.send("签发", {"登录密码": world.PASSWORD})
    expect(lead.fact("审核结论")).to_have_text("不同意推荐")

    # Signed, it is the ministry's to read, without the bureau's internal remark.
    officer.page.goto(address)
    expect(officer.fact("审核意见")).to_have_text(OUTSIDE)
    expect(officer.page.locator("main")).not_to_contain_text(INTERNAL)
    story.picture("officer", "05 opinion signed")


def send_reports(story: ReviewStory) -> None:
    lead, other = story("lead"), story("other lead")
    lead.waiting("汇总报送", "广东")
    story.picture("lead", "06 report open")
    assert [lead.row(story.name(who))[3] for who in ("good", "poor")] == ["同意推荐", "不同意推荐"]
    lead.choose("报送")
    story.picture("lead", "07 report send")
    lead.send("报送", {"联系电话": "020-00000002"})
    expect(lead.page.locator(".notice-success")).to_have_text("已办理：报送")
    expect(lead.page.locator("main")).to_contain_text("合计 2 家，其中同意推荐 1 家，不同意推荐 1 家")
    story.picture("lead", "08 report sent")

    other.waiting("汇总报送", "广西")
    expect(other.page.locator("main")).not_to_contain_text(story.name("good"))
    other.choose("报送")
    nil = {"联系电话": "0771-0000003", "本次没有应报送的申请，作零报告": True}
    other.send("报送", nil)
    expect(other.fact("零报告")).to_have_text("是")
    story.picture("other lead", "09 nil report")


def inbox(story: ReviewStory, province: str) -> list[str]:
    """The row of a province in the officer's inbox: state, version, both counts, nil."""
    officer = story("officer")
    officer.page.goto(reverse("report_inbox"))
    # 31 provinces and their sum.
    expect(officer.page.locator("#list tbody tr")).to_have_count(32)
    cells = (
        officer.page.locator("#list tbody tr", has_text=province)
        .first.locator("td:not(.pick)")
        .all_inner_texts()
    )
    return [cells[n] for n in (1, 2, 4, 5, 6)]


def return_one_and_compare(story: ReviewStory) -> None:
    officer, lead, reviewer = story("officer"), story("lead"), story("reviewer")
    assert inbox(story, "广东") == ["已报送", "1", "1", "1", "--"]
    assert inbox(story, "广西") == ["已报送", "1", "0", "0", "零报告"]
    assert inbox(story, "合计")[2:4] == ["1", "1"]
    story.picture("officer", "10 inbox")
    officer.open("广西")
    officer.act("接收")
    expect(officer.state).to_have_text("部已接收")
    officer.page.goto(reverse("report_inbox"))
    officer.open("广东")
    story.picture("officer", "11 report received")
    officer.act("退回", {"理由": "不同意推荐的理由请写明"})
    assert inbox(story, "广东") == ["已退回", "1", "0", "0", "--"]

    lead.waiting("汇总报送", "广东")
    expect(lead.page.locator("main")).to_contain_text("不同意推荐的理由请写明")
    lead.menu("审核意见")
    lead.open(story.name("poor"))
    lead.act("重新审核", {"理由": "部要求写明理由"})
    reviewer.waiting("审核意见", story.name("poor"))
    reviewer.choose("拟写意见")
    reviewer.send("提交负责人签发", {"审核意见": "未提供与个人身份证件库的比对合同。"})
    lead.waiting("审核意见", story.name("poor"))
    lead.act("签发", {"登录密码": world.PASSWORD})
    lead.waiting("汇总报送", "广东")
    lead.act("报送", {"联系电话": "020-00000002"})

    assert inbox(story, "广东") == ["已报送", "2", "1", "1", "--"]
    officer.open("广东")
    changes = officer.page.locator("section", has=officer.page.get_by_role("heading", name="与上一版比较"))
    rows = [row.locator("td").all_inner_texts() for row in changes.locator("tbody tr").all()]
    name = story.name("poor")
    assert [(row[0], row[2], *row[3:]) for row in rows] == [
        ("变更", name, "审核意见", "示例意见", "未提供与个人身份证件库的比对合同。"),
        ("变更", name, "审核意见版次", "1", "2"),
    ]
    expect(changes).to_contain_text("新增 0 家，删除 0 家，变更 1 家")
    story.picture("officer", "12 report version 2")
    officer.act("接收")
    expect(officer.state).to_have_text("部已接收")


# --- assessment ---------------------------------------------------------------------------------------
def assign(story: ReviewStory) -> None:
    world.at("2019-05-06 09:00")
    officer = story("officer")
    officer.waiting("技术能力评估", story.name("good"))
    story.picture("officer", "13 assessment planned")
    officer.choose("分派评估人员")
    form = officer.page.locator("main form")
    tied = form.get_by_label(story.name("tied assessor"))
    expect(tied).to_be_disabled()
    expect(form).to_contain_text(f"不能选定：{BARRED}")
    story.picture("officer", "14 assign")
    names = [story.name(f"assessor {letter}") for letter in "AB"]
    officer.send("分派评估人员", {"评估人员": names})
    expect(officer.state).to_have_text("待回避申报")
    story.picture("officer", "15 assigned")


def declare_and_reassign(story: ReviewStory) -> None:
    officer, first, second = story("officer"), story("assessor A"), story("assessor B")
    material = reverse("application_detail", args=[story.good.pk])
    first.waiting("回避申报与评分", story.name("good"))
    # Until a declaration: name, code, supplier, and nothing of the case.
    expect(first.fact("产品供应商")).to_have_text(intake.CONTENT["product_supplier"])
    expect(first.page.locator("main")).not_to_contain_text(intake.CONTENT["product"])
    expect(first.page.locator("main")).not_to_contain_text("评分要点")
    story.picture("assessor A", "16 declaration")
    refused(first, material)
    first.waiting("回避申报与评分", story.name("good"))
    first.act("声明无利害关系")
    first.page.goto(material)
    expect(first.page.locator("main")).to_contain_text(intake.CONTENT["product"])
    story.picture("assessor A", "17 material")

    second.waiting("回避申报与评分", story.name("good"))
    second.act("申报利害关系", {"理由": "曾为该单位提供检测服务"})
    expect(second.state).to_have_text("应回避")
    story.picture("assessor B", "18 conflicted")
    refused(second, material)

    officer.waiting("技术能力评估", story.name("good"))
    assert officer.row(story.name("assessor B"))[3] == "应回避"
    officer.choose("改派")
    form = officer.page.locator("main form")
    expect(form.get_by_label(story.name("assessor B"))).to_be_disabled()
    officer.send("改派", {"评估人员": [story.name("assessor C")]})
    third = story("assessor C")
    third.waiting("回避申报与评分", story.name("good"))
    third.act("声明无利害关系")
    officer.page.reload()
    expect(officer.state).to_have_text("评估中")
    story.picture("officer", "19 reassigned")


def score(story: ReviewStory, who: str, scores: dict[str, int]) -> None:
    """Score every criterion, the first one with the material it rests on."""
    assessor = story(who)
    assessor.waiting("回避申报与评分", story.name("good"))
    assessor.choose("提交评分")
    rows = assessor.page.locator("table.scores tbody tr")
    expect(rows).to_have_count(len(scores))
    for row, points in zip(rows.all(), scores.values(), strict=True):
        row.locator("[data-score]").fill(str(points))
    rows.first.locator("select").select_option(label="识别能力测试报告")
    rows.first.locator(".page input").fill("1")
    rows.first.locator(".words input").fill("活体样本齐全")
    expect(assessor.page.locator("[data-total]")).to_have_text(str(sum(scores.values())))
    story.picture(who, f"20 score {who[-1]}")
    assessor.send("提交评分", {"评语": "示例评语"})
    expect(assessor.page.locator(".notice-success")).to_have_text("已办理：提交评分")


def score_apart(story: ReviewStory) -> None:
    officer = story("officer")
    score(story, "assessor A", review.FULL)
    third = story("assessor C")
    third.menu("技术能力评估")
    third.open(story.name("good"))
    # Scores of others are hidden from whoever has not scored, whatever page they open.
    expect(third.page.locator("main")).not_to_contain_text("活体样本齐全")
    expect(third.page.locator("main")).to_contain_text("全部评分提交前，评分互不可见")
    story.picture("assessor C", "21 others' scores hidden")
    score(story, "assessor C", review.less(20))
    officer.page.goto("/")
    officer.waiting("技术能力评估", story.name("good"))
    expect(officer.state).to_have_text("复议中")
    assert officer.row("合计")[3:5] == ["100", "80"]
    story.picture("officer", "22 scores apart")


def moderate(story: ReviewStory) -> None:
    officer, moderator = story("officer"), story("assessor D")
    officer.choose("指派复议人员")
    officer.page.locator("main form").get_by_label(story.name("assessor D")).check()
    story.picture("officer", "23 moderator")
    officer.send("指派复议人员", {})
    moderator.waiting("回避申报与评分", story.name("good"))
    expect(moderator.fact("承担工作")).to_have_text("复议")
    moderator.act("声明无利害关系")
    score(story, "assessor D", review.less(8))
    officer.page.reload()
    assert officer.row("合计")[3:7] == ["100", "80", "92", "92"]
    story.picture("officer", "24 moderated")


def conclude(story: ReviewStory, folder: Path) -> None:
    officer = story("officer")
    officer.waiting("技术能力评估", story.name("good"))
    officer.choose("作出结论")
    expect(officer.fact("认定依据")).to_have_text("以复议评分为准")
    story.picture("officer", "25 conclude")
    officer.send("作出结论", {"评估结论": "示例结论：具备电子化核验的技术能力。"})
    assert [officer.fact(label).inner_text() for label in ("认定总分", "评估结果")] == ["92 / 100 分", "通过"]
    story.picture("officer", "26 concluded")
    text = download(officer, "技术能力评估报告", folder / "assessment.pdf")
    assert [words in text for words in ("以复议评分为准", "活体样本齐全", "认定总分92分")] == [True] * 3


# --- the list -----------------------------------------------------------------------------------------
def prepare_the_list(story: ReviewStory) -> None:
    world.at("2019-05-13 09:00")
    officer = story("officer")
    officer.menu("试点单位名单")
    officer.page.locator(".toolbar").get_by_role("link", name="拟制名单").click()
    story.picture("officer", "27 begin a list")
    officer.send("拟制名单", {})
    expect(officer.state).to_have_text("拟制中")
    expect(officer.fact("登记为试点单位")).to_contain_text("1 家")
    expect(officer.fact("转为未列入")).to_contain_text("1 家")
    story.picture("officer", "28 list draft")
    officer.choose("提请批准")
    story.picture("officer", "29 prepare")
    officer.send("提请批准", {})
    expect(officer.state).to_have_text("待批准")
    expect(
        officer.page.locator(".action-buttons").get_by_role("link", name="批准", exact=True)
    ).to_have_count(0)
    # The applicants do not know yet.
    good = story("good")
    good.page.goto(reverse("application_detail", args=[story.good.pk]))
    expect(good.state).to_have_text("已报部")
    good.menu("试点单位名单")
    expect(good.page.locator("#list tbody tr")).to_have_count(0)


def approve_retract_publish(story: ReviewStory) -> None:
    approver = story("approver")
    approver.page.goto("/")
    story.picture("approver", "30 approver's first page")
    approver.waiting("试点单位名单", "待批准")
    story.picture("approver", "31 list to approve")
    approver.choose("批准")
    story.picture("approver", "32 approve")
    approver.send("批准", {"登录密码": "另一个口令"})
    expect(approver.page.locator(".error-summary")).to_contain_text("密码")
    approver.send("批准", {"登录密码": world.PASSWORD})
    expect(approver.state).to_have_text("已批准")
    approver.act("撤回批准", {"理由": "再核对一次"})
    expect(approver.state).to_have_text("待批准")
    approver.act("批准", {"登录密码": world.PASSWORD})
    approver.choose("公布")
    story.picture("approver", "33 publish")
    approver.send("公布", {"登录密码": world.PASSWORD})
    expect(approver.state).to_have_text("已公布")
    expect(approver.page.locator(".action-buttons")).to_have_count(0)
    assert [approver.row(story.name(who))[3] for who in ("good", "poor")] == ["列入名单", "不列入"]
    story.picture("approver", "34 published")
    good = story("good")
    good.page.goto(reverse("application_detail", args=[story.good.pk]))
    expect(good.state).to_have_text("列入名单")
    story.picture("good", "35 the applicant that was listed")


def read_without_login(page: Page, story: ReviewStory, *, numbers: list[str], lists: list[int]) -> None:
    """Page, JSON and CSV name who was listed, and nobody who was not."""
    page.goto(reverse("published_list"))
    story.faults += faults(page)
    page.screenshot(path=story.folder / f"36 public list {len(lists)}.png")
    shown = [row.locator("td").first.inner_text() for row in page.locator("main tbody tr").all()]
    assert shown == numbers
    body = json.loads(page.request.get(reverse("published_list_json")).text())
    found = [(one["sequence"], [unit["code"] for unit in one["units"]]) for one in body["lists"]]
    assert found == [(n, [code]) for n, code in zip(lists, numbers, strict=True)]
    text = page.request.get(reverse("published_list_csv")).body().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["名单"], row["试点单位编号"]) for row in rows] == [
        (str(n), code) for n, code in zip(lists, numbers, strict=True)
    ]
    left_off = story.name("poor") if len(lists) == 1 else INTERNAL
    assert [left_off in words for words in (page.content(), json.dumps(body, ensure_ascii=False), text)] == [
        False
    ] * 3


# --- objection ----------------------------------------------------------------------------------------
def object_and_uphold(story: ReviewStory, folder: Path) -> None:
    world.at("2019-05-20 09:00")
    poor = story("poor")
    poor.page.goto(reverse("application_detail", args=[story.poor.pk]))
    expect(poor.state).to_have_text("未列入名单")
    # Neither the other applicant, nor what officials wrote to each other.
    for words in (story.name("good"), "部要求写明理由", "不同意推荐的理由请写明"):
        expect(poor.page.locator("main")).not_to_contain_text(words)
    story.picture("poor", "37 the applicant that was declined")
    letter = poor.page.locator(".documents a", has_text="申请结果")
    poor.refresh_until(letter, "关于电子化核验试点申请结果的函")
    text = download(poor, "关于电子化核验试点申请结果的函", folder / "declined.pdf")
    assert [words in text for words in ("未提供个人身份证件库比对合同", "2019年5月27日")] == [True] * 2
    poor.page.get_by_role("link", name="提出申诉").first.click()
    story.picture("poor", "38 object")
    poor.send("提出申诉", {"申诉理由": "合同在附件第12页"})
    expect(poor.state).to_have_text("已提出")

    # Whoever had a hand in the decision cannot review it, and reads why.
    for who in ("officer", "approver"):
        story(who).menu("申诉")
        story(who).open(story.name("poor"))
        expect(story(who).page.locator(".action-buttons")).to_have_count(0)
        expect(story(who).page.locator(".barred")).to_contain_text("您参与过原决定，须由其他人复核")
    story.picture("officer", "39 objection barred")
    other = story("reviewer of objections")
    other.waiting("申诉", story.name("poor"))
    other.act("受理复核")
    other.choose("申诉成立")
    expect(other.fact("申诉理由")).to_have_text("合同在附件第12页")
    story.picture("reviewer of objections", "40 uphold")
    other.send("申诉成立", {"理由": "第12页已证明"})
    expect(other.state).to_have_text("申诉成立")
    story.picture("reviewer of objections", "41 upheld")
    poor.page.reload()
    expect(poor.fact("复核结论")).to_have_text("第12页已证明")


def publish_the_second_list(story: ReviewStory) -> None:
    officer, approver, poor = story("second officer"), story("second approver"), story("poor")
    officer.waiting("试点单位名单", "拟制中")
    expect(officer.page.locator("main")).not_to_contain_text(story.name("good"))
    story.picture("second officer", "42 second list")
    officer.act("提请批准")
    approver.waiting("试点单位名单", "待批准")
    for act in ("批准", "公布"):
        approver.act(act, {"登录密码": world.PASSWORD})
    assert approver.row(story.name("poor"))[3:5] == ["列入名单", "1002"]
    story.picture("second approver", "43 second list published")
    poor.page.goto(reverse("application_detail", args=[story.poor.pk]))
    expect(poor.state).to_have_text("列入名单")
    story.poor.refresh_from_db()
    assert [case.state for case in Application.unscoped.order_by("pk")] == ["listed"] * 2


# --- hands --------------------------------------------------------------------------------------------
def refused(visitor: Visitor, address: str) -> None:
    """A page that is not this person's is one that does not exist."""
    response = visitor.page.goto(address)
    assert response is not None
    assert response.status == 404


def download(visitor: Visitor, title: str, file: Path) -> str:
    """The words of a document of the case, without breaks."""
    with visitor.page.expect_download() as caught:
        visitor.page.locator(".documents a", has_text=title).first.click()
    caught.value.save_as(file)
    return "".join("".join(page.extract_text() for page in PdfReader(file).pages).split())
