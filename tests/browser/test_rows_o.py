"""The officials' side of the conventions, row by row (O01–O05), in a real browser.

``docs/conventions.toml`` names every row's tests; where a row asks for exact figures as well, a test in
``tests/assessment`` or ``tests/pilot`` goes through all of them.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from pilot import policy
from pilot.enums import ADMIN_ROLES, Role
from pilot.machines import MACHINES
from pilot.registry import all_pages
from tests.applications import builders as intake
from tests.applications import crowd
from tests.browser.visitor import Visitor
from tests.factories import cases, world
from tests.factories.cases import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

GUANGXI = 45
NUMBER = re.compile(r"[\d,]+")
# What a reader takes for a number that opens its rows: tiles, cells of tables, provinces, what waits.
NUMBERS = """() => [
  ...[...document.querySelectorAll("main a.tile")].map(a => [a, a.querySelector(".tile-value").textContent]),
  ...[...document.querySelectorAll("main .grid a, main .facts a")].map(a => [a, a.textContent]),
  ...[...document.querySelectorAll("main a.province")].map(a => [a, a.querySelector("strong").textContent]),
  ...[...document.querySelectorAll("main .todo a")].map(a => [a, a.querySelector("strong").textContent]),
].map(([a, text]) => [a.getAttribute("href"), text.trim().replace(/^--$/, "0")])
 .filter(([, text]) => /^[\\d,]+(\\s|$|\\/)/.test(text))"""
# The last one is a summary of standings and a countdown in days: they open a page, not rows.
NO_ROWS = re.compile(r"^/cases/provincial-report/\d+/$|^/report-inbox/$|^#")


@pytest.fixture
def cast(programme: Any) -> Cast:
    """Six applications of 广东, one of them overdue, one of 广西 in correction; a unit with a form and a finding."""
    made = Cast()
    far = world.bureau(province=GUANGXI)
    cases.finding(made)
    world.at("2019-04-12 09:00")
    crowd.submitted(1, due_at=world.moment("2019-04-10 00:00"))
    crowd.submitted(4, due_at=world.moment("2019-04-20 00:00"))
    intake.accepted(world.provider(), made.reviewer)
    intake.returned(world.provider(GUANGXI), far)
    return made


def flat(text: str) -> str:
    """Without blanks, and with characters where Chromium's PDF has radicals that look like them."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def counted(page: Page, address: str) -> int:
    """How many rows the page at an address has, all of its pages together."""
    text = page.request.get(address).text()
    if address.startswith("/provinces/"):
        return int(re.findall(r'class="tile-value">([\d,]+)<', text)[0].replace(",", ""))
    if address.startswith("/report-inbox/"):
        return max(text.count('data-label="零报告"') - 1, 0)  # the last row is their sum
    if total := re.search(r'<p class="toolbar-total">共 ([\d,]+) 条', text):
        return int(total.group(1).replace(",", ""))
    return 0


def sheets(page: Page, file: Path) -> list[str]:
    """What the browser prints of the page, sheet by sheet; the file is kept to be looked at."""
    body = page.pdf(prefer_css_page_size=True)
    file.write_bytes(body)
    read = PdfReader(io.BytesIO(body))
    assert {tuple(sorted(round(side) for side in one.mediabox[2:])) for one in read.pages} == {(595, 842)}
    return [flat(one.extract_text()) for one in read.pages]


def test_o01_o02_o03_numbers_first_and_each_opens_what_it_counts(
    cast: Cast, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    officer, lead = sign_in(cast.officer), sign_in(cast.lead)
    page = officer.page
    # O01: the time, then the numbers; 31 tiles, each a link whose name tells its number.
    expect(page.locator(".as-of")).to_have_text(re.compile(r"数据截至\s+2019-04-12 09:\d\d:\d\d"))
    heads = page.evaluate(
        "() => ['.as-of', '.tile', '.provinces'].map(s => document.querySelector(s).offsetTop)"
    )
    assert heads == sorted(heads)
    for grid in page.locator(".provinces").all():
        names = [one.get_attribute("aria-label") or "" for one in grid.get_by_role("link").all()]
        assert (len(names), [name for name in names if not re.search(r" (--|[\d,]+)$", name)]) == (31, [])
    page.locator(".province").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("北京")
    page.goto("/dashboard/")
    officer.picture(tmp_path / "o01.png")
    # O02: every number of the page is that of the rows it opens, for the ministry and for a bureau.
    for visitor, least in ((officer, 60), (lead, 25)):
        visitor.page.goto("/dashboard/")
        shown = [(url, text) for url, text in visitor.page.evaluate(NUMBERS) if not NO_ROWS.match(url)]
        assert len(shown) >= least
        wrong = [
            (url, text)
            for url, text in shown
            if counted(visitor.page, url) != int(NUMBER.findall(text)[0].replace(",", ""))
        ]
        assert wrong == []
    lead.picture(tmp_path / "o02.png")
    # O03: printed on A4 with header, time, page numbers and all figures in sight, drawings with their tables.
    figures = page.locator("main .tile-value, main .figure, main .ratio-counts").all_inner_texts()
    paper = sheets(page, tmp_path / "o03.pdf")
    assert [one for one in map(flat, figures) if one not in "".join(paper)] == []
    assert ("电子化核验试点管理平台" in paper[0], "业务时间2019-04-12" in paper[0]) == (True, True)
    assert [f"{n}/{len(paper)}" in text for n, text in enumerate(paper, 1)] == [True] * len(paper)
    # The same of a list: what it was filtered by stands on the paper.
    page.goto(f"{reverse('application_list')}?province={GUANGXI}&returned=yes")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    (listed,) = sheets(page, tmp_path / "o03-list.pdf")
    assert [words in listed for words in ("省份:广西壮族自治区", "要求过补正:是", "共1条", "1/1")] == [
        True
    ] * 4
    assert ("查询" in listed, "重置" in listed) == (False, False)


def test_o04_two_provinces_side_by_side(cast: Cast, sign_in: Callable[..., Visitor], tmp_path: Path) -> None:
    officer, lead = sign_in(cast.officer), sign_in(cast.lead)
    for visitor, cells in {
        officer: ["6/6（100.0%）", "1/1（100.0%）", "-5"],
        lead: ["6/6（100.0%）", "不显示", "不显示"],
    }.items():
        page = visitor.page
        visitor.menu("对比分析")
        page.get_by_label("对比对象一").select_option(label="广东省")
        page.get_by_label("对比对象二").select_option(label="广西壮族自治区")
        page.get_by_role("button", name="对比", exact=True).click()
        expect(page.locator("main tbody tr")).to_have_count(8)
        assert visitor.row("提交申请")[1:] == cells
        visitor.picture(tmp_path / f"o04-{cells[1][0]}.png")
    page = officer.page
    address = page.url
    (first, *_rest) = sheets(page, tmp_path / "o04.pdf")
    assert [words in first for words in ("数据截至2019-04-12", "广东省与广西壮族自治区", "6/6(100.0%)")] == [
        True
    ] * 3
    page.locator("main tbody a", has_text="6/6").click()
    expect(page.locator(".toolbar-total")).to_contain_text("共 6 条")
    lead.page.goto(address)  # sent to a colleague, the address shows what that colleague may know
    assert lead.row("提交申请")[2] == "不显示"


def test_o05_three_administrators_and_no_case_among_them(
    cast: Cast, sign_in: Callable[..., Visitor], tmp_path: Path
) -> None:
    case = intake.submitted(world.provider())
    closed = [
        reverse("application_list"),
        reverse("application_review", args=[case.pk]),
        reverse("dashboard"),
    ]
    menus = {}
    for role in sorted(ADMIN_ROLES):
        visitor = sign_in(world.ministry(role))
        menus[role] = visitor.page.locator("#menu a").all_inner_texts()
        statuses = [visitor.page.request.get(address).status for address in closed]
        assert (role, statuses) == (role, [403] * 3)
        visitor.page.goto(closed[0])
        visitor.picture(tmp_path / f"o05-{role}.png")
    of_cases = {str(pages.label) for pages in all_pages() if pages.slug not in {"role-change"}}
    assert [words for menu in menus.values() for words in menu if words.strip() in of_cases] == []
    # And by the policy: no administrator may do anything in any machine but the two who change roles.
    may = {
        (slug, act.partition(".")[2], role)
        for slug in MACHINES
        for act in policy.acts()
        if act.startswith(f"{slug}.")
        for role in ADMIN_ROLES
        if policy.may_act(slug, act.partition(".")[2], role)
    }
    both = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN)
    assert may == {("role-change", act, role) for act in ("approve", "reject") for role in both}
