"""The guide before login: its twelve elements, and the windows' three faces on either side of both bells."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from lxml import html

from pilot import clock
from pilot.enums import OrganisationKind, WindowKind
from pilot.models import BusinessClock, Organisation, Programme, ProgrammeRule, Window
from pilot.registry import guide_contributors
from pilot.selectors import guide
from pilot.services import programmes as programme_services
from pilot.ui_guide import Countdown, GuidePage
from pilot.workflow import fire
from tests.factories import world
from tests.pilot.lists.helpers import find

OPENS, CLOSES = world.moment("2019-04-01 00:00"), world.moment("2019-04-16 00:00")
STEPS = {"-1 s": -1000, "-1 ms": -1, "0": 0, "+1 ms": 1, "+1 s": 1000}
BEFORE = {
    "-1 s": ("before", 1000, (0, 0, 0, 1)),
    "-1 ms": ("before", 1, (0, 0, 0, 1)),
    "0": ("open", 15 * 86_400_000, (15, 0, 0, 0)),
    "+1 ms": ("open", 15 * 86_400_000 - 1, (15, 0, 0, 0)),
    "+1 s": ("open", 15 * 86_400_000 - 1000, (14, 23, 59, 59)),
}
AFTER: dict[str, tuple[str, int, tuple[int, ...]] | tuple[str, None, None]] = {
    "-1 s": ("open", 1000, (0, 0, 0, 1)),
    "-1 ms": ("open", 1, (0, 0, 0, 1)),
    "0": ("after", None, None),
    "+1 ms": ("after", None, None),
    "+1 s": ("after", None, None),
}
ELEMENTS = {
    "matter": "事项名称与依据",
    "authorities": "受理机构",
    "applicants": "谁可以申请",
    "conditions": "参与条件",
    "materials": "材料清单",
    "windows": "申报窗口",
    "promises": "办理时限",
    "flow": "办理流程",
    "contact": "联系方式",
    "complaints": "监督投诉与申诉",
    "fee": "费用",
    "questions": "常见问题",
}
WORDS = {
    "matter": ["工信部信管函〔2019〕87号", "2019-03-27"],
    "authorities": ["广东省通信管理局", "新疆维吾尔自治区通信管理局", "020-12300"],
    "applicants": ["每个单位（以统一社会信用代码为准）同时只能有一件在办申请"],
    "conditions": ["取得电信主管部门颁发的增值电信业务许可", "二（一）", "二（二）", "二（三）"],
    "materials": [
        "空白申请表（可填写的 PDF）",
        "空白申请表（XLSX）",
        "盖章申请表",
        "权威库比对授权或合同",
        "必需",
        "如有",
        "每个文件不超过 20 MB",
    ],
    "windows": ["申请阶段", "审查阶段", "试点运行阶段", "所列起止时刻均在该阶段之内"],
    "promises": ["5 个工作日", "10 个工作日"],
    "flow": ["提交申请", "技术能力评估", "试点运行"],
    "contact": ["010-68206134"],
    "complaints": ["10 个工作日内登录本平台提出申诉"],
    "fee": ["不收费"],
    "questions": ["以平台收到“确认并提交”请求的时刻为准，精确到毫秒", "尚未传完的文件不属于本次提交的材料"],
}


def read(client: Client) -> str:
    response = client.get("/guide/")
    assert response.status_code == 200
    return response.content.decode()


def cards(text: str) -> dict[str, tuple[str, str]]:
    """Anchor → heading and text of each element."""
    found = {}
    for anchor, body in re.findall(r'<section class="card-box" id="(\w+)"(.*?)</section>', text, re.S):
        heading = re.search(r'<span class="guide-number">\d+</span>(.*?)</h2>', body)
        assert heading
        words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", body))
        found[anchor] = (heading[1], words)
    return found


def test_the_twelve_elements_stand_there_in_order(programme: Programme, client: Client) -> None:
    found = cards(read(client))
    assert {anchor: heading for anchor, (heading, _text) in found.items()} == ELEMENTS
    assert list(found) == list(ELEMENTS)
    missing = [word for anchor, words in WORDS.items() for word in words if word not in found[anchor][1]]
    assert missing == []


def test_blank_forms_can_be_fetched_without_an_account(programme: Programme, client: Client) -> None:
    links = {link.url for link in registered(programme).element("materials").links}
    assert links == {reverse("application_form_pdf"), reverse("application_form_xlsx")}
    answers = {client.get(url).status_code for url in links}
    assert answers == {200}


def registered(programme: Programme) -> GuidePage:
    """The guide with what the apps add to it."""
    page = guide.page(programme, at=OPENS)
    for contribute in guide_contributors():
        contribute(page, programme)
    return page


def test_every_bureau_is_listed_with_its_telephone(programme: Programme) -> None:
    bureaus = Organisation.objects.filter(kind=OrganisationKind.BUREAU)
    rows = guide.page(programme, at=OPENS).element("authorities").rows
    assert [row.cells[0] for row in rows] == [b.name for b in bureaus.order_by("province")]
    assert len(rows) == 31
    assert all(row.cells[2] for row in rows)


@pytest.mark.parametrize(("step", "expected"), BEFORE.items(), ids=BEFORE)
def test_faces_around_the_opening(programme: Programme, step: str, expected: Any) -> None:
    check(OPENS + timedelta(milliseconds=STEPS[step]), expected)


@pytest.mark.parametrize(("step", "expected"), AFTER.items(), ids=AFTER)
def test_faces_around_the_close(programme: Programme, step: str, expected: Any) -> None:
    check(CLOSES + timedelta(milliseconds=STEPS[step]), expected)


def check(at: Any, expected: tuple[str, int | None, tuple[int, ...] | None]) -> None:
    shown = guide.face(Window.objects.get(kind="application"), at=at)
    left = shown.countdown
    assert (shown.face, left and left.milliseconds, left and left.parts) == expected


@pytest.mark.parametrize(
    ("at", "tag", "what_now"),
    [
        (OPENS - timedelta(seconds=1), "未开始", "没有账号的单位可以先申请账号"),
        (OPENS, "进行中", "请登录填写申请表、上传材料，并在截止前确认并提交"),
        (CLOSES - timedelta(milliseconds=1), "进行中", "在截止前确认并提交"),
        (CLOSES, "已截止", "由部机关决定是否逾期准入"),
        (world.moment("2019-05-16 00:00"), "进行中", "试点单位正在提交电子化核验单，并接受监督检查。"),
        (world.moment("2020-01-10 09:00"), "已截止", "试点已于 2019-12-31 结束，此后采集的核验单不再接收。"),
    ],
)
def test_each_face_says_what_to_do_now(
    programme: Programme, client: Client, monkeypatch: pytest.MonkeyPatch, at: Any, tag: str, what_now: str
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at)
    text = read(client)
    headline = text[text.index("headline-words") : text.index("headline-acts")]
    assert re.findall(r'class="tag [^"]*">(.*?)</span>', headline) == [tag]
    assert what_now in headline
    assert ("data-countdown" in headline) is (tag != "已截止")


@pytest.mark.parametrize(
    ("at", "shown", "links"),
    [
        ("2019-03-20 00:00", "申请阶段", ["登录办理", "申请账号"]),
        ("2019-04-15 23:59", "申请阶段", ["登录办理", "申请账号"]),
        ("2019-04-16 00:00", "申请阶段", ["登录办理"]),
        ("2019-06-01 00:00", "试点运行阶段", ["试点单位名单", "试点运行情况通报", "登录办理"]),
        ("2020-01-10 09:00", "试点运行阶段", ["试点单位名单", "试点运行情况通报", "登录办理"]),
    ],
)
def test_the_headline_is_the_phase_that_readers_come_for_with_what_can_be_done_or_read(
    programme: Programme,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    shown: str,
    links: list[str],
) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.moment(at))
    headline = find(html.fromstring(read(client)), ".headline")[0]
    assert headline.get("aria-label") == shown
    assert [link.text_content().strip() for link in find(headline, "a")] == links


def test_an_account_is_offered_by_the_kind_of_window_not_by_its_place(programme: Programme) -> None:
    Window.objects.filter(programme=programme, kind=WindowKind.APPLICATION).delete()
    assert guide.page(programme, at=world.moment("2019-05-01 09:00")).applying is False


@pytest.mark.parametrize(("demo", "words"), [(True, "业务时间"), (False, "北京时间")])
def test_only_the_demonstration_knows_a_business_time(
    programme: Programme, client: Client, demo: bool, words: str
) -> None:
    BusinessClock.objects.update(demo=demo)
    page = html.fromstring(read(client))
    assert find(page, ".as-of")[0].text_content().split()[0] == words


def test_what_is_published_is_linked_where_the_guide_speaks_of_it(programme: Programme) -> None:
    faces = guide.page(programme, at=world.moment("2019-06-01 00:00")).element("windows").windows
    published = [reverse("published_list"), reverse("published_bulletin")]
    assert [[link.url for link in face.links] for face in faces] == [[], published[:1], published]


@pytest.mark.parametrize("name", ["guide", "account_login"])
def test_what_is_public_is_linked_from_every_page(programme: Programme, client: Client, name: str) -> None:
    root = html.fromstring(client.get(reverse(name)).content)
    public = ["guide", "help_index", "published_list", "published_bulletin", "receipt_check", "api_docs"]
    links = [link.get("href") for link in find(root, ".footer nav a")]
    assert links[: len(public)] == [reverse(page) for page in public]


def test_the_login_page_leads_to_what_needs_no_account(programme: Programme, client: Client) -> None:
    root = html.fromstring(client.get(reverse("account_login")).content)
    pages = ["guide", "provider-registration_create", "published_list", "published_bulletin", "receipt_check"]
    links = [link.get("href") for link in find(root, ".entrance-about a")]
    assert links == [reverse(page) for page in [*pages, "api_docs"]]
    labels = [label.text_content().strip("*") for label in find(root, ".entrance-form label")]
    assert labels == ["登录名", "密码"]
    assert find(root, ".entrance-form input[placeholder]") == []


def test_the_clock_is_the_servers_business_clock(programme: Programme, client: Client) -> None:
    """The milliseconds in the page are those of the moment at which it was made."""
    world.at("2019-04-15 23:59")
    left = [int(found) for found in re.findall(r'data-countdown="(\d+)"', read(client))]
    assert 50_000 < left[0] <= 60_000


def test_an_extension_moves_the_bell_and_is_said(
    programme: Programme, ministry_officer: Any, ministry_approver: Any
) -> None:
    window = Window.objects.get(kind="application")
    extension = programme_services.propose_extension(
        actor=ministry_officer, window=window, closes=world.moment("2019-04-18 00:00"), reason="示例"
    )
    fire(extension, "approve", actor=ministry_approver)
    shown = guide.face(window, at=CLOSES)
    assert (shown.face, shown.closes) == ("open", world.moment("2019-04-18 00:00"))
    assert shown.note == "原定截止时间 2019-04-15 23:59:59，已依程序延长"


def test_promises_follow_the_programme(programme: Programme, client: Client) -> None:
    ProgrammeRule.objects.filter(programme=programme, key="acceptance_days").update(value=7)
    assert "7 个工作日" in cards(read(client))["promises"][1]


def test_the_guide_reads_in_english(programme: Programme, client: Client) -> None:
    client.cookies["django_language"] = "en"
    with translation.override("en"):
        response = client.get("/guide/")
    assert response.status_code == 200
    assert response.headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("milliseconds", "parts"),
    [(0, (0, 0, 0, 0)), (1, (0, 0, 0, 1)), (86_399_001, (1, 0, 0, 0)), (90_061_000, (1, 1, 1, 1))],
)
def test_what_is_left_is_rounded_up(milliseconds: int, parts: tuple[int, ...]) -> None:
    assert Countdown("", milliseconds).parts == parts
