"""The reviewer's side of the conventions, row by row (R01–R09), in a real browser; two people at a bureau's desk.

``tests/browser/test_review.py`` works cases off without a mouse; ``docs/conventions.toml`` names every row's tests.
``PILOT_LIST_ROWS`` is how many applications the long list has (10,000 by hand).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, ViewportSize, expect

from applications.models import Application
from applications.rules.checklist import items_of
from pilot import clock, workflow
from pilot.actors import Actor
from pilot.benchmarks import percentile
from pilot.enums import Role
from pilot.models import Notice, OutboxMessage, TransitionRecord
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.applications import crowd
from tests.applications.review import papers
from tests.applications.review.test_ties import BARRED, tie
from tests.assessment import builders as opinions
from tests.browser.test_review import KEYS, at, drawn, fits
from tests.browser.visitor import Visitor
from tests.factories import world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROWS = int(os.environ.get("PILOT_LIST_ROWS", "300"))
INTERNAL, OUTSIDE = "已与示例丙电话核实", "符合三项条件，同意推荐。"
LARGE: ViewportSize = {"width": 1920, "height": 1080}
SMALL: ViewportSize = {"width": 1366, "height": 768}


@pytest.fixture
def reviewer(programme: Any) -> Actor:
    return world.bureau()


def open_desk(page: Page, case: Application) -> None:
    page.goto(reverse("application_review", args=[case.pk]))


def test_r01_r02_r03_r04_r08_from_the_workbench_to_the_desk(
    reviewer: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    """Friday 5 April 2019 was a holiday: five working days from Wednesday the 3rd end on Thursday the 11th."""
    for day, cases in {"04-02": 1, "04-03": 2, "04-09": 1, "04-10": 1}.items():
        world.at(f"2019-{day} 09:00")
        for _ in range(cases):
            papers.submitted(world.provider())
    world.at("2019-04-04 09:00")
    provider = world.provider()
    answered = intake.returned(provider, reviewer)
    world.at("2019-04-11 09:00")
    intake.corrected(answered, provider)
    fire(answered, "resubmit", actor=provider, declaration=True)
    world.at("2019-04-11 10:00")

    visitor = sign_in(reviewer)  # the first click of three (R08)
    page = visitor.page
    shown = {
        str(tile.get_attribute("href")).partition("?")[2]: (
            tile.locator(".tile-value").inner_text(),
            re.findall(r"tile-(\w+)$", str(tile.get_attribute("class")))[0],
        )
        for tile in page.locator('a.tile[href^="/cases/application/"]').all()
    }
    assert shown == {
        "due=today": ("2", "warning"),
        "due=soon": ("3", "warning"),
        "due=overdue": ("1", "danger"),
        "answered=yes": ("1", "info"),
        "desk=unclaimed": ("6", "info"),
    }  # what there is none of is named in one line
    visitor.picture(tmp_path / "r01.png")
    for query, (number, _tone) in shown.items():
        page.goto("/dashboard/")
        page.locator(f'a.tile[href$="?{query}"]').click()
        expect(page.locator("#list tbody tr")).to_have_count(int(number))
    page.goto("/dashboard/")
    page.locator('a.tile[href$="due=today"]').click()  # the second
    page.locator('#list tbody a[href*="/review/"]').first.click()  # the third
    drawn(page)

    # R02: both screens, the document turned and searched, the split kept, the next one of the same list.
    at(page, 1, 2)
    for screen in (SMALL, LARGE):
        page.set_viewport_size(screen)
        fits(page)
        visitor.picture(tmp_path / f"r02-{screen['width']}.png")
    page.set_viewport_size(SMALL)
    page.get_by_role("link", name="旋转").click()
    expect(page.locator(".viewer-stage img")).to_have_js_property("naturalHeight", 1190)  # lies on its side
    page.get_by_role("button", name="清单较宽").click()
    page.get_by_role("link", name="下一件").click()
    at(page, 2, 2)
    expect(page.locator(".review-panes")).to_have_class("review-panes split-slim")

    # R03: a mark, a standard phrase and a page; what follows from them cannot be overruled.
    item = page.locator(f"#item-{KEYS[0]}")
    phrase = next(one for one in items_of("2019-87") if one.key == KEYS[0]).phrases[0]
    item.get_by_label("不符合", exact=True).check()
    item.get_by_label("常用语").select_option(phrase)
    item.get_by_role("button", name="引用当前页").click()
    expect(page.locator("#review-saved")).to_have_text("已保存")
    expect(page.locator(".review-verdict")).to_contain_text("不能受理")
    expect(page.locator(".review-acts .review-barred", has_text="受理").first).to_have_attribute(
        "title", re.compile("审核清单中有不符合项，不能受理")
    )
    page.reload()
    expect(item.get_by_label("说明", exact=True)).to_have_value(phrase)
    expect(item.locator(".review-marks a")).to_contain_text("第1页")
    visitor.picture(tmp_path / "r03.png")

    # R04: keys do nothing while something is typed, nor once they are switched off.
    item.get_by_label("说明", exact=True).press("k")
    at_second = page.locator(".page-place")
    expect(at_second).to_contain_text("第 2 / 2 件")
    page.locator("main").press("?")
    expect(page.locator("#review-help")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("main").press("k")
    at(page, 1, 2)
    page.keyboard.press("?")
    page.locator("[data-keys-on]").uncheck()
    page.keyboard.press("Escape")
    page.locator("main").press("j")
    expect(at_second).to_contain_text("第 1 / 2 件")


def test_r05_r09_a_desk_is_one_persons_and_no_strangers(
    reviewer: Actor, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    case = papers.submitted(world.provider())
    first, second = sign_in(reviewer), sign_in(world.bureau())
    tied = sign_in(tie(world.bureau(), case.provider_id, over=True))
    # R09: whoever worked for the applicant reads why nothing can be done, before and after somebody has claimed it.
    open_desk(tied.page, case)
    expect(tied.page.locator(".review-closed")).to_have_text(BARRED)
    expect(tied.page.get_by_role("button", name="认领")).to_have_count(0)
    expect(tied.page.locator(".review-acts .review-barred")).to_have_count(3)
    expect(tied.page.locator("[data-mark]").first).to_be_disabled()
    tied.picture(tmp_path / "r09.png")
    # R05: one has it, with name and time; another one reads only; put back, it is free.
    open_desk(first.page, case)
    first.page.get_by_role("button", name="认领").click()
    expect(first.page.locator(".review-desk")).to_have_text("由您审核")
    open_desk(second.page, case)
    expect(second.page.locator(".review-desk")).to_have_text(
        re.compile(r"^\s*示\*+\S* 正在审核 \d\d:\d\d\s*$")
    )
    expect(second.page.locator("[data-mark]").first).to_be_disabled()
    expect(second.page.locator(".review-acts .review-barred")).to_have_count(3)
    second.picture(tmp_path / "r05.png")
    open_desk(tied.page, case)
    expect(tied.page.locator(".review-closed")).to_have_text(BARRED)
    first.page.get_by_role("button", name="释放").click()
    expect(first.page.locator(".review-desk")).to_have_text("无人认领")
    second.page.reload()
    second.page.get_by_role("button", name="认领").click()
    expect(second.page.locator(".review-desk")).to_have_text("由您审核")


def test_r06_r07_taken_back_before_it_leaves_and_kept_inside(
    programme: Any, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    staff, provider = opinions.desk(), world.provider()
    case = intake.submitted(provider)
    reviewer, applicant = sign_in(staff.reviewer), sign_in(provider)
    page = reviewer.page

    # R06: within the seconds nothing has left; taken back, nothing ever does, and both steps stand in the history.
    page.goto(reverse("application_detail", args=[case.pk]))
    told = Notice.objects.filter(person=provider.person_id, subject__contains="受理")
    before = told.count()
    reviewer.act("受理")
    assert told.filter(visible_from__lte=clock.security_now()).count() == before
    posted = OutboxMessage.objects.filter(source=f"application:{case.pk}:{workflow.steps(case)}")
    assert set(posted.values_list("sent_at", flat=True)) <= {None}
    expect(page.locator("main")).to_contain_text("刚刚办理，可以撤销")
    reviewer.picture(tmp_path / "r06.png")
    page.get_by_role("link", name="撤销操作").first.click()
    reviewer.send("撤销操作", {})
    expect(reviewer.state).to_have_text("待受理")
    expect(page.locator(".timeline")).to_contain_text("撤销操作")
    kept = TransitionRecord.objects.filter(machine="application", object_id=case.pk).order_by("number")
    assert [*kept.values_list("name", flat=True)][-3:] == ["submit", "accept", "revert"]
    assert posted.filter(cancelled_at__isnull=True).count() == told.count() - before == 0
    applicant.page.goto(reverse("application_detail", args=[case.pk]))
    expect(applicant.state).to_have_text("待受理")

    # R07: the draft of an opinion is the bureau's own, its internal remark visibly apart from what goes out.
    fire(Application.unscoped.get(pk=case.pk), "accept", actor=staff.reviewer)
    opinion = opinions.opinion_of(case)
    fire(
        opinion,
        "draft",
        actor=staff.reviewer,
        checklist=opinions.MET,
        remark=OUTSIDE,
        internal_remark=INTERNAL,
    )
    address = reverse("opinion_detail", args=[opinion.pk])
    page.goto(address)
    inside = page.locator(".card-box.private")
    expect(inside).to_contain_text(INTERNAL)
    expect(inside.locator(".tag")).to_have_text("内部，不对外公开")
    assert inside.evaluate("node => getComputedStyle(node).borderLeftWidth") == "4px"
    reviewer.picture(tmp_path / "r07.png")
    officer = sign_in(staff.officer)
    others = {"other bureau": sign_in(world.bureau(Role.BUREAU_LEAD, 45)), "ministry": officer}
    seen = {who: one.page.goto(address).status for who, one in {**others, "applicant": applicant}.items()}  # type: ignore[union-attr]
    assert seen == {"other bureau": 404, "ministry": 404, "applicant": 403}
    # Signed, the ministry reads the opinion without the remark; opened again with a reason, nothing is lost.
    fire(opinions.opinion_of(case), "sign", actor=staff.lead)
    officer.page.goto(address)
    expect(officer.page.locator("main")).to_contain_text(OUTSIDE)
    expect(officer.page.locator("main")).not_to_contain_text(INTERNAL)
    lead = sign_in(staff.lead)
    lead.page.goto(address)
    lead.choose("重新审核")
    lead.send("重新审核", {"理由": "结论有误"})
    expect(lead.page.locator("main")).to_contain_text("结论有误")
    expect(lead.page.get_by_role("heading", name="已签发版本")).to_be_visible()
    expect(lead.page.locator("main")).to_contain_text(OUTSIDE)


def test_r08_a_long_list_is_quick(reviewer: Actor) -> None:
    """Server time of a page of the list, CPU of this process, so that a busy machine does not count."""
    crowd.submitted(ROWS)
    client = intake.client_of(reviewer)
    address = reverse("application_list")
    queries = ["view=all", "waiting=me", "due=overdue", "view=all&page=5", "view=all&q=示例接入10000012"]
    spent: list[float] = []
    walls: list[float] = []
    for n in range(50):
        start, wall = time.process_time(), time.perf_counter()
        answer = client.get(f"{address}?{queries[n % len(queries)]}")
        spent.append(time.process_time() - start)
        walls.append(time.perf_counter() - wall)
        assert answer.status_code == 200
    print(f"{ROWS} rows: CPU p95 {percentile(spent, 0.95):.3f} s, wall p95 {percentile(walls, 0.95):.3f} s")  # noqa: T201
    assert f"共 {ROWS} 条" in client.get(f"{address}?view=all").content.decode().replace(",", "")
    assert percentile(spent, 0.95) < 0.3
