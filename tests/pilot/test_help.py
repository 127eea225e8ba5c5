"""Help: every page says what it is for and on what it rests; the tour of each role; what failures say of the work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polib
import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import resolve, reverse
from lxml import html

from pilot import context, policy
from pilot import help as texts
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import AuditEntry, Phrase
from pilot.services import phrases
from pilot.views import api
from tests.factories import world
from tests.factories.viewers import client_of
from tests.pilot.lists.helpers import find

CATALOGUE = Path(texts.__file__).parent / "locale" / "en" / "LC_MESSAGES" / "django.po"
HAN = re.compile(r"[\u4e00-\u9fff]")
CLAUSES = {
    *("一（一）", "一（二）", "二（一）", "二（二）", "二（三）", "三（一）", "三（二）", "三（三）"),
    *("四（一）", "四（二）", "附件"),
}
"""What the notice is divided into, as far as its text is known."""

NO_PAGE = {
    # files
    *("application_form_pdf", "application_form_xlsx", "material_sample", "application_prefill_pdf"),
    *(
        "application_prefill_xlsx",
        "application_proof",
        "application_file",
        "application_page",
        "document",
        "document_copy",
    ),
    *("published_list_json", "published_list_csv", "published_list_pdf", "published_bulletin_file"),
    *("upload-job_template", "export_file", "watermark", "audit_heads_json", "audit_heads_text"),
    *("audit_verifier", "api_schema", "api_client"),
    # for programs, or parts of a page
    *("livez", "readyz", "v3_service", "upload-job_progress"),
    # done, and led on to a page
    *("home", "set_language", "tour_end", "upload-job_submit", "application_file_remove"),
    *("application_upload_begin", "application_upload", "application_upload_finish"),
    *("upload-job_pieces", "upload-job_piece", "upload-job_finish"),
}


def test_every_page_has_one_topic() -> None:
    """Pages that the policy closes to everybody need none."""
    open_pages = {name for name, roles in policy.pages().items() if roles}
    named = [page for topic in texts.topics() for page in topic.pages]
    assert sorted(named) == sorted(open_pages - NO_PAGE)
    assert open_pages >= NO_PAGE


def test_every_ground_is_named() -> None:
    """A topic rests on clauses that the notice has, on another basis that is named, or on both."""
    assert {t.name: t.clauses for t in texts.topics() if not set(t.clauses) <= CLAUSES} == {}
    assert [t.name for t in texts.topics() if not t.clauses and t.basis is None] == []


def test_everything_is_said_in_both_languages() -> None:
    parts = ("title", "purpose", "rule", "next", "ask")
    said = [getattr(topic, part) for topic in texts.topics() for part in parts]
    said += [topic.basis for topic in texts.topics() if topic.basis]
    said += [step.say for role in Role for step in texts.tour(role)]
    said += [
        getattr(p, part) for p in texts.problems().values() for part in ("heading", "text", "work", "todo")
    ]
    said += texts.common()["kinds"].values()
    assert [words for words in said if not HAN.search(words.zh) or HAN.search(words.en) or not words.en] == []


@pytest.mark.parametrize("role", sorted(policy.PEOPLE))
def test_every_role_has_a_tour_of_a_few_pages_it_may_open(role: str) -> None:
    steps = texts.tour(role)
    told = next(row for row in texts._read("tour").values() if role in row["roles"])["steps"]
    assert [step.page for step in steps] == [row["page"] for row in told]
    assert 2 <= len(steps) <= 6
    assert [resolve(reverse(step.page)).url_name for step in steps] == [step.page for step in steps]


def titles(client: Client, query: str) -> list[str]:
    root = html.document_fromstring(client.get(reverse("help_index"), {"q": query}).content)
    return [element.text_content() for element in find(root, ".help-index h3")]


def test_help_is_found_by_its_words_and_only_of_ones_own_pages(
    programme: Any, bureau_reviewer: Actor
) -> None:
    reviewer = client_of(bureau_reviewer)
    assert titles(reviewer, "抽查 种子") == ["抽查"]
    assert titles(Client(), "抽查 种子") == []
    page = reviewer.get(reverse("inspection_list"))
    mark = find(html.document_fromstring(page.content), "main > a.help-mark")
    assert [a.get("href") for a in mark] == [reverse("help_topic", args=["inspection_list"])]
    topic = html.document_fromstring(reviewer.get(mark[0].get("href")).content)
    assert [tag.text_content() for tag in find(topic, ".help-basis .tag")] == [
        "一（一）",
        "一（二）",
        "四（二）",
    ]
    codes = [c.get(reverse("help_topic", args=["inspection_list"])).status_code for c in (reviewer, Client())]
    assert codes == [200, 404]
    # A topic about several pages is found by one that the reader may open, and at no other.
    pages = ("bulletin_list", "published_bulletin")
    index = Client().get(reverse("help_index")).context["page"]
    assert [url for _group, topics in index.groups for url, topic in topics if topic.name == "bulletin"] == [
        reverse("help_topic", args=["published_bulletin"])
    ]
    assert [Client().get(reverse("help_topic", args=[page])).status_code for page in pages] == [404, 200]


def test_the_index_stands_under_the_headings_and_in_the_words_of_the_menu(
    programme: Any, bureau_lead: Actor
) -> None:
    lead = client_of(bureau_lead)
    menu = html.document_fromstring(lead.get(reverse("dashboard")).content)
    index = html.document_fromstring(lead.get(reverse("help_index")).content)
    headings = [h.text_content() for h in find(index, "main > h2")]
    assert headings == [*(h.text_content() for h in find(menu, ".menu-title")), "系统管理"]
    labels = {name: str(label) for _group, name, label, _icon in context.entries()}
    other = {
        topic.name: topic.title.zh
        for topic in texts.topics()
        if (named := {labels[page] for page in topic.pages if page in labels}) and topic.title.zh not in named
    }
    assert other == {}
    assert [t.name for t in texts.topics() if not t.group and not set(t.pages) & set(labels)] == []


def strip(client: Client, url: str) -> list[str]:
    root = html.document_fromstring(client.get(url, follow=True).content)
    return [" ".join(e.text_content().split()) for e in find(root, ".tour-strip :is(p, a, button)")]


def test_the_tour_is_offered_until_it_is_over(programme: Any, bureau_lead: Actor) -> None:
    lead = client_of(bureau_lead)
    assert strip(lead, reverse("dashboard")) == ["第一次使用？几步认识常用页面。", "开始导览", "不再提示"]
    steps = texts.tour(Role.BUREAU_LEAD)
    shown = [strip(lead, f"{reverse(step.page)}?tour={n}") for n, step in enumerate(steps, start=1)]
    assert shown == [
        [f"{n} / 4 {step.say.zh}", *acts, "结束导览"]
        for n, (step, acts) in enumerate(
            zip(steps, [["下一步"], *2 * [["上一步", "下一步"]], ["上一步"]], strict=True), start=1
        )
    ]
    plain = html.document_fromstring(lead.get(reverse("tour")).content)
    assert [p.text_content() for p in find(plain, ".tour-steps p")] == [step.say.zh for step in steps]
    assert [a.text_content() for a in find(plain, ".tour-steps a")] == [
        "工作台",
        "审核意见",
        "汇总报送",
        "整改通知",
    ]
    lead.post(reverse("tour_end"))
    assert strip(lead, reverse("dashboard")) == []


def told(content: bytes) -> list[str]:
    """Code and heading, what became of the work, and the number under which it is on record."""
    root = html.document_fromstring(content)
    cells = find(root, ".problem-code, h1, .problem dt, .problem dd code")
    return [e.text_content() for e in cells]


LABELS = ["您的内容", "怎么办", "记录编号"]


def test_what_is_too_large_is_told_as_that(db: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    response = Client().post(
        reverse("account_login"), "x" * 100, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 413
    assert told(response.content) == ["413", "提交的内容过大", *LABELS, response["X-Request-Id"]]


def test_a_forged_form_is_told_without_words_for_programmers(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post(reverse("account_login"))
    assert (response.status_code, b"CSRF" in response.content) == (403, False)
    assert told(response.content) == ["403", "页面已过期", *LABELS, response["X-Request-Id"]]


def test_a_failure_names_its_number_in_both_languages() -> None:
    request: Any = HttpRequest()
    request.path, request.request_id = "/", "abc"
    response = api.server_error(request)
    assert response.status_code == 500
    assert told(response.content) == ["500", "系统出错", *LABELS, "abc"]
    english = find(html.document_fromstring(response.content), ".problem p[lang=en]")
    assert [p.text_content().partition(".")[0] for p in english] == ["An error inside the portal"]


GUIDES = sorted((Path(__file__).parents[2] / "docs" / "guides").glob("*.md"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_guide_names_pictures_and_buttons_that_exist(guide: Path) -> None:
    text = guide.read_text("utf-8")
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", text)
    assert [p for p in pictures if not (guide.parent / p).is_file()] == []
    named = set(re.findall(r"【(.+?)】", text))
    catalogue = {entry.msgid for entry in polib.pofile(str(CATALOGUE))}
    assert (named - catalogue, len(named) > 1) == (set(), True)


def test_phrases_are_ones_own_or_shared_in_the_office(programme: Any, bureau_reviewer: Actor) -> None:
    url = reverse("phrase_list")
    own, lead, other = (
        client_of(actor)
        for actor in (bureau_reviewer, world.bureau(Role.BUREAU_LEAD), world.bureau(Role.BUREAU_REVIEWER, 11))
    )
    for text, shared in (("附件不清晰", "on"), ("请补充", ""), ("请补充", "")):
        assert own.post(url, {"text": text, "shared": shared}).status_code == 302
    assert own.post(url, {"text": " "}).status_code == 422

    def listed(client: Client) -> list[tuple[str, int]]:
        rows = find(html.document_fromstring(client.get(url).content), ".phrases li")
        texts_ = [(find(row, "[data-phrase]")[0].text_content(), len(find(row, "form"))) for row in rows]
        return sorted(text for text in texts_ if text[0])

    assert [listed(client) for client in (own, lead, other)] == [
        [("请补充", 1), ("附件不清晰", 1)],
        [("附件不清晰", 0)],
        [],
    ]
    shared = Phrase.unscoped.get(text="附件不清晰").pk
    codes = [client.post(url, {"forget": shared}).status_code for client in (other, lead, own)]
    assert (codes, listed(lead)) == ([404, 422, 302], [])
    on_record = (
        AuditEntry.objects.filter(object_type="phrase").order_by("pk").values_list("action", flat=True)
    )
    assert [*on_record] == ["phrase.kept"] * 3 + ["phrase.forgotten"]


def test_a_person_keeps_so_many_phrases_and_no_more(
    bureau_reviewer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phrases, "LIMIT", 1)
    phrases.keep(actor=bureau_reviewer, text="请补充")
    with pytest.raises(Refused, match="每人最多保存 1 条常用语"):
        phrases.keep(actor=bureau_reviewer, text="附件不清晰")
    phrases.keep(actor=bureau_reviewer, text="请补充", shared=True)  # one that is there is only shared
    assert list(Phrase.unscoped.values_list("text", "shared")) == [("请补充", True)]
