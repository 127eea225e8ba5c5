"""The provider's side of the conventions, row by row (P01–P13), in a real browser.

Rows that need many files or a slow line are in ``test_rows_p_files.py``; ``docs/conventions.toml`` names every row's
tests. Where a row asks for exact figures as well, its test in ``tests/applications`` goes through all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, expect

from applications.models import Application, ApplicationVersion
from applications.rules.form import SECTIONS
from applications.services import claims
from applications.tasks import make_receipt
from pilot import clock
from pilot.actors import Actor
from pilot.models import OutboxMessage, Person, TransitionRecord
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.form.pages import propose
from tests.browser.visitor import Visitor
from tests.documents.reading import text_of
from tests.factories import world
from tests.pilot.test_guide import CLOSES, ELEMENTS, OPENS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SECOND = world.moment("2019-01-01 00:00:01") - world.moment("2019-01-01 00:00:00")
SEVEN = {
    "registered_address": "与营业执照不一致",
    "licence_authority": "与许可证所载不一致",
    "contact_mobile": "号码不通",
    "product": "缺版本号",
    "emergency_plan": "未写明恢复时限",
    "planned_start": "早于审查阶段结束日",
    "licence": "缺附页",
}


@pytest.fixture
def provider(programme: Any) -> Actor:
    return world.provider()


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def flat(text: str) -> str:
    return "".join(text.split())


def test_p01_p02_the_guide_and_the_three_faces_of_the_window(
    programme: Any, window: Callable[..., Page], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The clock stands one second before a bell, on it, and one after; at the bell the page turns by itself."""

    def stand_at(moment: Any) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    page = window()
    face = page.locator(".headline .tag")
    stand_at(OPENS - SECOND)
    page.goto("/guide/")
    titles = page.locator(".guide-elements h2").all_inner_texts()
    assert [re.sub(r"^\d+\s*", "", title) for title in titles] == list(ELEMENTS.values())
    handed_out = page.locator("#materials a").evaluate_all("links => links.map(link => link.href)")
    some = [handed_out[0], *handed_out[-2:]]  # a sample, which takes a while to set, and the blank forms
    assert {page.request.get(address, timeout=120_000).status for address in some} == {200}
    assert len(handed_out) >= 2 + 4  # the blank forms, and a sample of each material
    assert page.locator("#flow .steps li").count() > 5
    for bell, before, after in ((OPENS, "未开始", "进行中"), (CLOSES, "进行中", "已截止")):
        stand_at(bell - SECOND)
        page.goto("/guide/")
        expect(face).to_have_text(before)
        expect(page.locator(".headline [data-countdown]")).to_be_visible()
        stand_at(bell)
        expect(face).to_have_text(after)  # nobody touched the page
        stand_at(bell + SECOND)
        page.reload()
        expect(face).to_have_text(after)
    expect(page.locator(".headline")).to_contain_text("由部机关决定是否逾期准入")
    Visitor(page).picture(tmp_path / "guide.png")


def test_p02_the_time_runs_where_people_write_and_the_bell_takes_nothing_from_them(
    provider: Actor, sign_in: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the pages that are written on only the strip turns at the bell: no page is fetched anew under the hand."""

    def stand_at(moment: Any) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    case = builders.drafted(provider)
    section = next(part.key for part in SECTIONS if any(field.key == "product" for field in part.fields))
    visitor = sign_in(provider)
    page, bell = visitor.page, visitor.page.locator(".bell")
    for path in (f"form/{section}/", "files/", "check/"):
        stand_at(CLOSES - SECOND)
        page.goto(f"/applications/{case.pk}/{path}")
        expect(bell.locator("[data-countdown]")).to_be_visible()
        page.evaluate("window.untouched = true")
        if path.startswith("form"):
            page.get_by_label("产品名称及版本").fill("写到一半")
        stand_at(CLOSES)
        expect(bell).to_contain_text("不能再提交；草稿仍可查看")
        expect(bell.locator("[data-countdown]")).to_have_count(0)
        assert page.evaluate("window.untouched") is True, path
        if path.startswith("form"):
            expect(page.get_by_label("产品名称及版本")).to_have_value("写到一半")
            visitor.picture(tmp_path / "bell.png")
    stand_at(OPENS - SECOND)  # nothing is written where handing in is not possible yet: there the page turns
    page.goto(f"/applications/{case.pk}/check/")
    button = page.get_by_role("button", name="确认并提交")
    expect(button).to_have_count(0)
    stand_at(OPENS)
    expect(button).to_be_visible()


def test_p02_at_the_end_of_a_correction_the_strip_says_so_and_nothing_typed_is_lost(
    provider: Actor,
    bureau_reviewer: Actor,
    sign_in: Callable[..., Visitor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = builders.returned(provider, bureau_reviewer)
    due = case.due_at
    assert due is not None
    section = next(p.key for p in SECTIONS if any(field.key == "licence_authority" for field in p.fields))
    page = sign_in(provider).page
    monkeypatch.setattr(clock, "now", lambda: due - SECOND)
    page.goto(f"/applications/{case.pk}/form/{section}/")
    expect(page.locator(".bell [data-countdown]")).to_be_visible()
    page.locator("[name=licence_authority]").fill("写到一半")
    monkeypatch.setattr(clock, "now", lambda: due)
    expect(page.locator("[data-kept]")).to_have_text("补正期限已过")
    expect(page.locator("[data-kept-said]")).to_have_text("补正期限已过")
    expect(page.locator("[name=licence_authority]")).to_have_value("写到一半")


def test_p03_p06_p07_from_the_task_list_to_the_check_and_back(
    provider: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    """Rows lead on, what is missing has a name, what was read is looked at first, a change is one click back."""
    case = builders.drafted(provider, product="", deletion="")
    propose(case, deletion="到期自动删除")
    visitor = sign_in(provider)
    page = visitor.page
    form, check = f"/applications/{case.pk}/form/", f"/applications/{case.pk}/check/"
    page.goto(form)
    row = page.locator(".task-list li", has_text="采集与比对技术")
    expect(row.locator(".task-hint")).to_have_text("缺：产品名称及版本")
    visitor.picture(tmp_path / "tasks.png")
    box = row.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8)
    expect(heading(page)).to_have_text("采集与比对技术")
    page.get_by_label("产品名称及版本").fill("示例核验 2.0")
    page.get_by_role("button", name="保存，稍后再填").click()
    expect(row.locator(".task-hint")).to_have_count(0)

    page.goto(check)
    button = page.get_by_role("button", name="确认并提交")
    expect(button).to_have_count(0)  # nothing that was only read goes out unseen
    page.get_by_role("link", name=re.compile("^去填写")).click()
    expect(page.locator("[data-field=deletion] .read .tag")).to_have_text("自动识别，请核对")
    expect(page.locator("#id_deletion")).to_have_value("到期自动删除")
    page.get_by_role("button", name="保存并返回核对").click()
    expect(button).to_be_visible()

    people = page.locator("#people")
    people.get_by_role("link", name="修改").click()
    page.get_by_label("联系人手机*", exact=True).fill("13900000099")
    page.get_by_role("button", name="保存并返回核对").click()
    expect(page).to_have_url(re.compile(rf"{check}#people$"))
    expect(people).to_be_in_viewport()
    expect(people).to_contain_text("13900000099")
    page.screenshot(path=tmp_path / "check.png")
    assert page.locator("main .answers .change").count() == 7


def test_p08_one_receipt_whatever_is_pressed(
    provider: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    case = builders.drafted(provider)
    visitor = sign_in(provider)
    page, stale = visitor.page, visitor.page.context.new_page()
    number, button = page.locator(".receipt-number strong"), "确认并提交"
    for tab in (stale, page):
        tab.goto(f"/applications/{case.pk}/check/")
        tab.get_by_label("本单位承诺").check()
    page.get_by_role("button", name=button).dblclick()
    expect(number).to_have_text("SQ2019-44-00001")
    receipt = page.url
    page.reload()
    expect(number).to_have_text("SQ2019-44-00001")
    page.go_back()
    expect(page.get_by_role("button", name=button)).to_have_count(0)
    stale.get_by_role("button", name=button).click()
    expect(stale).to_have_url(receipt)
    assert (Application.unscoped.count(), ApplicationVersion.unscoped.count()) == (1, 1)

    make_receipt(ApplicationVersion.unscoped.get().pk)
    page.goto(receipt)
    visitor.picture(tmp_path / "receipt.png")
    with page.expect_download() as download:
        page.locator(".receipt-paper .documents a").first.click()
    paper = flat(text_of(download.value.path().read_bytes()))
    facts = dict(
        zip(
            page.locator(".facts dt").all_inner_texts(),
            page.locator(".facts dd").all_inner_texts(),
            strict=True,
        )
    )
    assert list(facts) == [
        "申办流水号", "申请单位", "统一社会信用代码", "提交人", "提交时间", "版本", "接收单位", "查验码",
    ]  # fmt: skip
    said = [facts[label] for label in facts if label != "版本"]
    said += page.locator(".handed code").all_inner_texts()
    said += [
        page.locator("section", has=page.get_by_role("heading", name="下一步"))
        .locator("p")
        .first.inner_text()
    ]
    words = [
        re.sub(r"(\d{4})-0?(\d+)-0?(\d+)（", r"\1年\2月\3日（", flat(one)).removeprefix("SHA-256")
        for one in said
    ]
    assert [one for one in words if one not in paper] == []


def test_p09_seven_faults_seven_links_and_nothing_else_open(
    provider: Actor, bureau_reviewer: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    case = builders.submitted(provider)
    items = [{"target": target, "text": text} for target, text in SEVEN.items()]
    case = fire(case, "return_for_correction", actor=bureau_reviewer, items=items)
    visitor = sign_in(provider)
    page = visitor.page
    page.goto(f"/applications/{case.pk}/form/")
    visitor.picture(tmp_path / "notice.png")
    assert page.locator(".task-status").all_inner_texts() == ["待补正 1 项"] * 7
    expect(page.locator(".bell")).to_contain_text("请在 2019-04-19（含当日）前提交补正")
    links = page.locator("main tbody a")
    addresses = links.evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert [address.split("#")[1].removeprefix("id_") for address in addresses] == list(SEVEN)
    opened = set()
    for address, text in zip(addresses, SEVEN.values(), strict=True):
        page.goto(address)
        target = page.locator(f"#{address.split('#')[1]}")
        expect(target).to_be_in_viewport()
        expect(page.locator("main")).to_contain_text(text)
        controls = page.locator("main form :is(input, select, textarea):not([type=hidden])")
        opened |= set(controls.evaluate_all("found => found.map(one => one.id)"))
    assert opened == {f"id_{target}" for target in SEVEN if target != "licence"} | {"file-licence"}

    page.goto(f"/applications/{case.pk}/form/licence/")
    page.get_by_label("发证机关").fill("示例发证机关（更正）")
    page.get_by_role("button", name="保存，稍后再填").click()
    expect(heading(page)).to_have_text("补正申请")
    fire(Application.unscoped.get(pk=case.pk), "resubmit", actor=provider, declaration=True)
    reviewer = sign_in(bureau_reviewer)
    reviewer.page.goto(f"/cases/application/{case.pk}/")
    reviewer.picture(tmp_path / "difference.png")
    assert reviewer.row("示例发证机关（更正）") == ["发证机关", "示例发证机关", "示例发证机关（更正）"]


def test_p10_p11_every_step_is_one_line_and_one_notice_that_leads_to_the_case(
    provider: Actor, bureau_reviewer: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    Person.objects.filter(pk=provider.acting_person).update(email="provider@example.cn")
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    case = fire(case, "resubmit", actor=provider, declaration=True)
    visitor = sign_in(provider)
    page = visitor.page
    progress = f"/applications/{case.pk}/progress/"
    page.goto(progress)
    assert (
        page.locator(".timeline > li").count()
        == TransitionRecord.objects.filter(object_id=case.pk).count()
        == 4
    )
    assert page.locator(".timeline-head strong").all_inner_texts() == [
        "提交补正",
        "一次性告知补正",
        "提交申请",
        "建立",
    ]
    expect(page.locator(".timeline-meta").nth(1)).to_contain_text("广东省通信管理局")
    expect(page.locator(".timeline")).not_to_contain_text(bureau_reviewer.name)
    assert page.locator(".step-label").all_inner_texts() == [
        "提交\n（已完成）", "受理", "审核", "报部", "评估", "公布",
    ]  # fmt: skip
    expect(visitor.fact("预计受理答复")).to_contain_text("2019-04-19")
    page.get_by_role("button", name="催办").click()
    expect(page.get_by_text("今天已催办，明天可再次催办")).to_be_visible()
    expect(page.get_by_role("button", name="催办")).to_have_count(0)
    visitor.picture(tmp_path / "progress.png")
    world.at("2019-04-13 09:00")
    page.reload()
    expect(page.get_by_role("button", name="催办")).to_be_visible()

    page.goto("/notices/")
    subjects = page.locator("#list tbody a").all_inner_texts()
    assert sorted(subjects) == sorted(
        f"{case.number} · {provider.organisation_name} · {act}" for act in ("提交申请", "提交补正")
    )  # 补正 is held 30 s
    mails = OutboxMessage.objects.filter(kind="mail", target="provider@example.cn").order_by("pk")
    assert [mail.payload["subject"].split(" · ")[1] for mail in mails] == [
        "提交申请",
        "一次性告知补正",
        "提交补正",
    ]
    for place in range(len(subjects)):
        page.goto("/notices/")
        page.locator("#list tbody a").nth(place).click()
        expect(page.locator(".case")).to_be_visible()
        expect(page.locator(".page-head")).to_contain_text(case.number)
    for mail in mails:
        text = mail.payload["text"]
        assert f"/cases/application/{case.pk}/" in text
        assert [word for word in (provider.name, provider.organisation_name, "1390000") if word in text] == []


def test_p12_two_tabs_are_warned_kept_and_come_back(
    provider: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    """Half an hour without a hand on the keys costs no character; one click in one tab keeps both."""
    case = builders.submitted(provider)
    page = sign_in(provider).page
    page.context.clock.install()
    other = page.context.new_page()
    address = f"/cases/application/{case.pk}/do/withdraw/"
    typed = "拟补充等级保护备案证明后另行申请" * 3
    for tab in (page, other):
        tab.goto(address)
    text = page.get_by_label("备注")
    text.fill(typed)
    other.evaluate("window.untouched = true")
    page.context.clock.fast_forward("28:01")
    for tab in (page, other):
        expect(tab.locator("#session-dialog")).to_be_visible()
    page.screenshot(path=tmp_path / "warned.png")
    page.get_by_role("button", name="继续使用").click()
    for tab in (page, other):
        expect(tab.locator("#session-dialog")).to_be_hidden()
    assert other.evaluate("window.untouched") is True
    expect(text).to_have_value(typed)
    Session.objects.all().delete()
    page.context.clock.fast_forward("30:02")
    page.get_by_label("登录名").fill(Person.objects.get(pk=provider.acting_person).username)
    page.get_by_label("密码").fill(world.PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page).to_have_url(re.compile(f"{address}$"))
    page.get_by_role("button", name="恢复填写的内容").click()
    expect(text).to_have_value(typed)


def test_p13_free_until_somebody_looks_then_with_a_reason(
    provider: Actor, bureau_reviewer: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    case = builders.submitted(provider)
    visitor = sign_in(provider)
    page = visitor.page
    progress, note = f"/applications/{case.pk}/progress/", page.locator(".note", has_text="撤回：")
    page.goto(progress)
    expect(note).to_have_text("撤回：通信管理局开始审核之前，撤回无须说明理由")
    page.get_by_role("link", name="撤回申请").click()
    expect(page.get_by_label("备注")).to_be_visible()
    claims.claim(case=case, actor=bureau_reviewer)  # while the page stands open
    page.get_by_role("button", name="撤回申请").click()
    expect(page.get_by_role("alert")).to_contain_text("撤回理由：该字段是必填项")
    visitor.picture(tmp_path / "withdraw.png")
    page.goto(progress)
    expect(note).to_have_text("撤回：通信管理局已开始审核，撤回须说明理由")
    visitor.picture(tmp_path / "progress.png")

    page.get_by_role("link", name="撤回申请").click()
    page.get_by_label("撤回理由").fill("另行准备")
    desk = sign_in(bureau_reviewer).page
    desk.goto(f"/cases/application/{case.pk}/do/accept/")
    page.get_by_role("button", name="撤回申请").click()
    expect(page.locator(".notice-success")).to_have_text("已办理：撤回申请")
    desk.locator("main form").get_by_role(
        "button", name="受理"
    ).click()  # the second of the two is told, and no more
    expect(desk.locator(".notice-error")).to_contain_text("已撤回")
    assert Application.unscoped.get(pk=case.pk).state == "withdrawn"
