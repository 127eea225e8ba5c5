"""The UI kit: what its tags print, what its pages promise, and what no template may contain."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cssselect2 import ElementWrapper
from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, QueryDict
from django.template import Engine, RequestContext
from django.template.base import Template
from django.test import RequestFactory
from django.test.html import parse_html
from django.utils import translation
from django.utils.html import escape
from django.utils.safestring import SafeString
from lxml import html

from pilot import masking
from pilot.templatetags import cells
from pilot.templatetags import ui as tags
from pilot.ui import ActionItem, Fact, Link, MenuGroup, MenuItem, Tag, TimelineEntry
from pilot.ui_samples import SAMPLES, SampleAct, SampleFilter
from pilot.views.ui_kit import ui_kit_page

TEMPLATES = settings.BASE_DIR / "templates"
STATIC = settings.BASE_DIR / "pilot" / "static" / "pilot"
# The documents are no pages: WeasyPrint prints them, no browser and no policy of content is involved.
PAGES = sorted(
    path for path in TEMPLATES.rglob("*.html") if path.relative_to(TEMPLATES).parts[0] != "documents"
)
ENGINE = Engine(
    dirs=[str(TEMPLATES)],
    app_dirs=False,
    builtins=settings.TEMPLATES[0]["OPTIONS"]["builtins"],
    libraries={
        "static": "django.templatetags.static",
        "allauth": "allauth.templatetags.allauth",
    },
    context_processors=["django.template.context_processors.request"],
)
SHELL = {
    "actor": SimpleNamespace(name="王示例", organisation_name="示例省通信管理局", role_label="省局审核人员"),
    "menu": [
        MenuGroup("办理", [MenuItem("申请", "/a/", "inbox", 12, current=True), MenuItem("名录", "/r/")])
    ],
    "memberships": [(7, "示例省通信管理局 · 省局负责人")],
    "banner": ["演示环境"],
    "unread": 5,
    "session_seconds": 1800,
}


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


def get(path: str = "/cases/", **cookies: str) -> HttpRequest:
    request = RequestFactory().get(path)
    request.COOKIES.update(cookies)
    request.user = SimpleNamespace(is_authenticated=True)  # type: ignore[assignment]
    return request


def render(source: str | Template, request: HttpRequest | None = None, **context: Any) -> str:
    template = ENGINE.from_string(source) if isinstance(source, str) else source
    return template.render(RequestContext(request or get(), context))


def find(root: html.HtmlElement, selector: str) -> list[html.HtmlElement]:
    return [found.etree_element for found in ElementWrapper.from_html_root(root).query_all(selector)]


def same(left: str, right: str) -> bool:
    return bool(parse_html(left) == parse_html(right))


# --- values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, "--"),
        ("", "--"),
        ((), "--"),
        (True, "是"),
        (False, "否"),
        (0, "0"),
        (1234567, "1,234,567"),
        (date(2026, 11, 24), '<time datetime="2026-11-24">2026-11-24</time>'),
        (
            datetime(2026, 11, 24, 6, 8, tzinfo=UTC),
            '<time datetime="2026-11-24T14:08:00+08:00">2026-11-24 14:08:00</time>',
        ),
        ("<b>", "&lt;b&gt;"),
        (Tag("已受理", "info"), '<span class="tag tag-info">已受理</span>'),
        (Link("甲 & 乙", "/a/?b=1"), '<a href="/a/?b=1">甲 &amp; 乙</a>'),
        (["一", None, "<"], "一、--、&lt;"),
    ],
)
def test_cell_prints_every_kind_of_value(value: Any, printed: str) -> None:
    assert cells.cell(value) == printed


@pytest.mark.parametrize(
    ("mask", "value", "masked"),
    [
        ("mask_name", "仲示妮", "仲*妮"),
        ("mask_name", "王五", "王*"),
        ("mask_name", "欧阳示例", "欧**例"),
        ("mask_name", "", ""),
        ("mask_name", "王五（示例）", "王*（示例）"),
        ("mask_phone", "18600001402", "186****1402"),
        ("mask_phone", "12345", "*****"),
        ("mask_cert", "110101199003070134", "110101********0134"),
        ("mask_cert", "E12345678", "E*******8"),
        ("mask_cert", "12", "**"),
        ("mask_email", "zhongni@example.cn", "zho***@example.cn"),
        ("mask_email", "abc@example.cn", "a***@example.cn"),
        ("mask_email", "", ""),
    ],
)
def test_masks_hide_what_the_reader_does_not_need(mask: str, value: str, masked: str) -> None:
    assert getattr(masking, mask)(value) == masked
    assert render("{{ value|MASK }}".replace("MASK", mask), value=value) == masked


def test_counts_have_their_thousands_apart() -> None:
    assert [tags.grouped(number) for number in (0, 999, 1_000, 1_234_567)] == [
        "0",
        "999",
        "1,000",
        "1,234,567",
    ]


def test_svg_trusts_drawings_only() -> None:
    assert cells.svg("<svg></svg>") == "<svg></svg>"
    assert isinstance(cells.svg("<svg></svg>"), SafeString)
    assert cells.svg("<script>") == "&lt;script&gt;"


# --- components --------------------------------------------------------------------------------------


def test_facts_are_a_description_list() -> None:
    printed = render("{% facts facts %}", facts=[Fact("备注", None), Fact("联系人", "仲*妮", hint="经办人")])
    assert same(
        printed,
        '<dl class="facts"><div><dt>备注</dt><dd>--</dd></div>'
        "<div><dt>联系人</dt><dd>仲*妮<small>经办人</small></dd></div></dl>",
    )


def test_actions_show_the_reason_why_not() -> None:
    items = [
        ActionItem("accept", "受理", True, url="/do/", primary=True),
        ActionItem("refuse", "不予受理", True, url="/no/", danger=True),
        ActionItem("report", "报送", False, "意见未签发"),
    ]
    assert same(
        render("{% actions items %}", items=items),
        '<div class="action-buttons"><a class="btn btn-primary" href="/do/">受理</a>'
        '<a class="btn btn-outline-danger" href="/no/">不予受理</a></div>'
        '<details class="barred"><summary>暂不能办理的事项</summary>'
        "<dl><div><dt>报送</dt><dd>意见未签发</dd></div></dl></details>",
    )
    assert same(render("{% actions items %}", items=[]), '<p class="quiet">当前没有需要您办理的事项。</p>')


def test_timeline_keeps_the_given_order() -> None:
    at = datetime(2019, 4, 3, 6, 8, tzinfo=UTC)
    entries = [
        TimelineEntry(at, "退回", "示例局 · 王*", Tag("退回补正", "warning"), "缺附页", "申请"),
        TimelineEntry(at, "提交", "示例公司"),
    ]
    time = '<time datetime="2019-04-03T14:08:00+08:00">2019-04-03 14:08:00</time>'
    assert same(
        render("{% timeline entries %}", entries=entries),
        '<ol class="timeline"><li><p class="timeline-head"><strong>退回</strong>'
        '<span class="tag tag-warning">退回补正</span><span class="quiet">申请</span></p>'
        f'<p class="timeline-meta">{time}<span>示例局 · 王*</span></p>'
        '<p class="timeline-reason">缺附页</p></li>'
        '<li><p class="timeline-head"><strong>提交</strong></p>'
        f'<p class="timeline-meta">{time}<span>示例公司</span></p></li></ol>',
    )


def test_a_title_breaks_between_its_parts() -> None:
    assert tags.unbroken("<甲>公司") == "&lt;甲&gt;公司"
    assert tags.unbroken("甲 · 6 <月>") == (
        '<span class="whole">甲</span> · <span class="whole">6 &lt;月&gt;</span>'
    )


def test_field_ties_label_help_error_and_control_together() -> None:
    class Small(forms.Form):
        number = forms.CharField(label="流水号", help_text="见回执")

    printed = render("{% field form.number %}", form=Small({}))
    assert same(
        printed,
        '<div class="field has-errors"><label for="id_number">流水号'
        '<span class="required" aria-hidden="true">*</span></label>'
        '<p class="field-help" id="id_number_helptext">见回执</p>'
        '<div class="field-errors" id="id_number_error">'
        '<p><span class="visually-hidden">错误：</span>该字段是必填项。</p></div>'
        '<input type="text" name="number" required aria-invalid="true"'
        ' aria-describedby="id_number_helptext id_number_error" id="id_number"></div>',
    )


def test_error_summary_links_every_error_to_a_control_that_exists() -> None:
    form = SampleAct({})
    form.add_error(None, "事项状态已变化")
    page = html.fromstring(
        render("<form>{% error_summary form %}{% for f in form %}{% field f %}{% endfor %}</form>", form=form)
    )
    items = [(a.get("href"), a.text_content()) for a in find(page, ".error-summary a")]
    assert items == [
        ("#id_grounds_0", "不予受理的情形：该字段是必填项。"),
        ("#id_reason", "理由：该字段是必填项。"),
        ("#id_number", "请输入申办流水号确认：该字段是必填项。"),
        ("#id_checked", "我已核对申请材料：该字段是必填项。"),
    ]
    assert [li.text_content() for li in find(page, ".error-summary li")][-1] == "事项状态已变化"
    assert [len(find(page, href)) for href, _ in items] == [1, 1, 1, 1]
    assert [(e.get("role"), e.get("tabindex")) for e in find(page, "[autofocus]")] == [("alert", "-1")]


def test_error_summary_of_a_sound_form_is_nothing() -> None:
    assert render("{% error_summary form %}", form=SampleFilter({})).strip() == ""


def test_preferences_are_a_closed_set() -> None:
    request = get(**{"ui-menu": "folded", "ui-text": '"><script>', "ui-contrast": "more", "ui-other": "x"})
    assert render("{% preferences %}", request) == "menu-folded contrast-more"
    request.actor, request.user = True, SimpleNamespace(display=["density-compact"])
    assert render("{% preferences %}", request) == "menu-folded density-compact contrast-more"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
         "Chrome 120 · Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/121.0", "Edge 121 · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile Safari/604.1", "Safari 17 · iOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox 128 · Linux"),
        ("<b>", "未识别的浏览器"),
    ],
)  # fmt: skip
def test_a_browser_is_named_in_two_words(agent: str, words: str) -> None:
    printed = render("{% cell agent|browser %}", agent=agent)
    assert same(printed, f"<details><summary>{words}</summary><code>{escape(agent)}</code></details>")


# --- pages -------------------------------------------------------------------------------------------


@pytest.fixture(params=sorted(SAMPLES))
def sample(request: pytest.FixtureRequest) -> html.HtmlElement:
    template, build = SAMPLES[request.param]
    page = build(QueryDict("q=x"))
    return html.document_fromstring(render(ENGINE.get_template(template), page=page, **SHELL))


def test_a_page_has_one_heading_a_title_and_a_language(sample: html.HtmlElement) -> None:
    assert sample.get("lang") == "zh-CN"
    (heading,) = find(sample, "h1")
    assert heading.text_content()[:4] in sample.findtext(".//title")
    assert find(sample, ".skip-link")[0].get("href") == "#main"


def test_a_page_prints_no_python_nothing(sample: html.HtmlElement) -> None:
    assert re.findall(r"\b(?:None|nan|null)\b", sample.text_content()) == []


def test_the_references_inside_a_page_lead_somewhere(sample: html.HtmlElement) -> None:
    ids = [e.get("id") for e in find(sample, "[id]")]
    assert sorted(ids) == sorted(set(ids))
    wanted = {e.get("for") for e in find(sample, "label[for]")}
    wanted |= {
        part
        for name in ("aria-describedby", "aria-labelledby")
        for e in find(sample, f"[{name}]")
        for part in e.get(name).split()
    }
    wanted |= {a.get("href")[1:] for a in find(sample, "a[href^='#']")}
    assert wanted - set(ids) == set()


def test_the_menu_counts_what_waits_and_marks_where_one_is() -> None:
    root = html.fromstring(render("{% include 'components/menu.html' %}", **SHELL))
    assert [(a.get("href"), a.get("aria-current")) for a in find(root, "li a")] == [
        ("/a/", "page"),
        ("/r/", None),
    ]
    assert [e.text_content() for e in find(root, ".count")] == ["12件待办"]


def test_a_case_page_has_its_acts_and_papers_first_and_folds_its_machine() -> None:
    template, build = SAMPLES["detail"]
    root = html.document_fromstring(render(ENGINE.get_template(template), page=build(QueryDict("")), **SHELL))
    parts = [(part.tag, part.get("aria-label")) for part in find(root, ".case")[0]]
    assert parts == [("aside", "办理"), ("aside", "文书与相关事项"), ("div", None)]
    assert [len(find(root, path)) for path in (".drawing", "details.fold > .drawing")] == [1, 1]


def test_a_failed_act_says_so_in_the_title() -> None:
    template, build = SAMPLES["act"]
    root = html.document_fromstring(render(ENGINE.get_template(template), page=build(QueryDict("")), **SHELL))
    assert root.findtext(".//title") == "错误：不予受理 - 电子化核验试点管理平台"
    form = find(root, "main form")[0]
    assert (form.get("method"), form.get("enctype"), form.get("novalidate")) == (
        "post",
        "multipart/form-data",
        "",
    )


@pytest.mark.parametrize(
    ("code", "heading"),
    [
        ("400", "请求无法处理"),
        ("403", "没有权限"),
        ("404", "页面不存在"),
        ("408", "内容没有及时到达"),
        ("409", "事项状态已变化"),
        ("410", "内容已销毁"),
        ("413", "提交的内容过大"),
        ("422", "暂不能办理"),
        ("429", "操作过于频繁"),
        ("500", "系统出错"),
        ("503", "系统维护中"),
        ("507", "存储空间不足"),
    ],
)
def test_problem_pages_say_what_happened(code: str, heading: str) -> None:
    root = html.document_fromstring(render(ENGINE.get_template(f"{code}.html"), reason="缺少附件"))
    assert root.findtext(".//title") == f"{heading} - 电子化核验试点管理平台"
    assert [e.text_content() for e in find(root, ".problem-code, h1, .note")] == [
        code,
        heading,
        "缺少附件",
    ]


def test_the_living_page_knows_its_samples_and_stays_out_of_production(settings: Any) -> None:
    settings.DEBUG = True
    with pytest.raises(Http404, match="nonsense"):
        ui_kit_page(get("/_ui/nonsense/"), sample="nonsense")


def test_mails_carry_subject_and_link_unescaped() -> None:
    context = {"subject": "SQ-2019-0001 · 受理 <示例>", "link": "https://portal.example.cn/1"}
    assert render(ENGINE.get_template("notices/mail.txt"), **context) == (
        "SQ-2019-0001 · 受理 <示例>\n\n查看与办理：https://portal.example.cn/1\n\n"
        "本邮件由平台自动发出，请勿回复。邮件不载明个人信息，详情请登录平台查看。\n"
    )


# --- what no template may contain (strict content security policy, no foreign host) --------------------

FORBIDDEN = {
    "style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    "inline script": re.compile(r"<script\b(?![^>]*\bsrc=)", re.IGNORECASE),
    "event handler": re.compile(r"\s(?:hx-)?on[a-z:-]*\s*=\s*[\"']", re.IGNORECASE),
    "foreign host": re.compile(r"(?:src|href|action)=[\"'](?:https?:)?//", re.IGNORECASE),
    "script address": re.compile(r"javascript:", re.IGNORECASE),
}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_templates_obey_the_content_security_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(text)] == []


def test_the_patterns_find_what_they_forbid() -> None:
    bad = '<a href="//cdn" style="x" onclick="y"><style></style><script>1</script><a href="javascript:1">'
    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(bad)] == list(FORBIDDEN)


def test_the_script_evaluates_and_injects_nothing() -> None:
    text = (STATIC / "portal.js").read_text(encoding="utf-8")
    assert re.findall(r"\beval\b|innerHTML|insertAdjacentHTML|\.style\b|new Function|https?://", text) == []


# --- contrast ------------------------------------------------------------------------------------------


def _colours() -> dict[str, str]:
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    root = css[css.index(":root {") : css.index("}", css.index(":root {"))]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", root))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        *(
            (ink, paper)
            for ink in ("ink", "ink-soft", "ink-faint")
            for paper in ("surface", "ground", "surface-soft")
        ),
        *((tone, f"{tone}-soft") for tone in ("success", "warning", "danger", "accent")),
        ("surface", "accent"),
        ("surface", "accent-deep"),
        ("visited", "surface"),
    ],
)
def test_text_stands_out_from_its_ground(ink: str, paper: str) -> None:
    colours = _colours()
    light, dark = sorted((_luminance(colours[ink]), _luminance(colours[paper])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
