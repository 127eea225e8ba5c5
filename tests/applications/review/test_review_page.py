"""The reviewer's desk as a page: who may open it, marking without JavaScript, neighbours, desks, undo."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from applications.models import Application, ChecklistMark, Claim
from applications.services import claims
from applications.services.files import add_file
from applications.services.review import Given, mark
from pilot.actors import Actor
from pilot.enums import Province, Role
from pilot.models import AuditEntry
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.review import papers
from tests.factories import world

PHRASE = "许可证有效期已届满，请提交延续后的许可证"
SECRET = "只有本局看得到的说明"


@pytest.fixture
def case(provider: Actor) -> Application:
    return papers.submitted(provider)


def url(case: Application, **query: object) -> str:
    return f"/applications/{case.pk}/review/" + (f"?{urlencode(query)}" if query else "")


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def act_links(page: str) -> dict[str, str]:
    """What the bureau can do on this page: label → address."""
    bar = page.partition('<div class="review-acts">')[2].partition("</div>")[0]
    return {label: target for target, label in re.findall(r'href="([^"]*)">([^<]*)</a>', bar)}


def links(page: str, key: str) -> list[str]:
    return re.findall(rf'<a class="tool" href="([^"]*)" data-key="{key}"', page)


# --- who --------------------------------------------------------------------------------------------
def test_only_the_bureau_of_the_province_opens_it(
    case: Application, provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor, ministry_officer: Actor
) -> None:
    outcomes = {
        name: builders.client_of(actor).get(url(case)).status_code
        for name, actor in {
            "reviewer": bureau_reviewer,
            "lead": bureau_lead,
            "other bureau": world.bureau(province=Province.ZHEJIANG),
            "provider": provider,
            "officer": ministry_officer,
            "assessor": world.assessor(),
        }.items()
    }
    assert outcomes == {
        "reviewer": 200, "lead": 200, "other bureau": 404, "provider": 403, "officer": 403, "assessor": 403
    }  # fmt: skip


def test_what_was_marked_stands_on_no_page_outside_the_bureau(
    case: Application, provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    row = Given("product", "not_met", text=SECRET)
    mark(case=case, actor=bureau_reviewer, version=1, given=[row])
    assert SECRET in text(builders.client_of(bureau_reviewer), url(case))
    for actor in (provider, ministry_officer):
        client = builders.client_of(actor)
        for address in (f"/cases/application/{case.pk}/", "/cases/application/", "/dashboard/"):
            assert SECRET not in text(client, address)


# --- marking ----------------------------------------------------------------------------------------
def test_marks_are_saved_without_javascript_and_the_place_is_kept(
    case: Application, bureau_reviewer: Actor
) -> None:
    client, file = builders.client_of(bureau_reviewer), papers.file_of(case, "licence")
    data = {
        "version": 1, "mark-licence_valid": "not_met", "phrase-licence_valid": PHRASE,
        "file-licence_valid": file.pk, "page-licence_valid": 2, "mark-product": "met",
        "file": file.pk, "page": 2, "list": "due=today",
    }  # fmt: skip
    response = client.post(url(case), data)
    assert response.status_code == 302
    assert response["Location"] == url(case, list="due=today", file=file.pk, page=2)
    marks = {row.item: (row.mark, row.text, row.page) for row in ChecklistMark.unscoped.all()}
    assert marks == {
        "licence_valid": ("not_met", PHRASE, 2),
        "product": ("met", "", None),
    }
    page = text(client, url(case))
    assert "不能受理" in page
    assert "1 项不符合，12 项未审" in page
    assert "增值电信业务经营许可证第2页" in page
    assert list(act_links(page)) == ["一次性告知补正", "不予受理"]


def test_the_items_named_are_saved_alone_and_an_old_version_is_told(
    case: Application, bureau_reviewer: Actor
) -> None:
    client = builders.client_of(bureau_reviewer)
    data = {"version": 1, "only": "product", "mark-product": "met", "mark-capacity": "met"}
    client.post(url(case), data)
    assert [row.item for row in ChecklistMark.unscoped.all()] == ["product"]
    client.post(url(case), {**data, "only": ["capacity", "product"], "mark-storage": "met"})
    assert {row.item for row in ChecklistMark.unscoped.all()} == {"product", "capacity"}
    response = client.post(url(case), {**data, "version": 7}, follow=True)
    assert "申请人已提交新的版本" in response.content.decode()


# --- files ------------------------------------------------------------------------------------------
def test_the_desk_opens_on_the_first_page_of_the_first_file_and_records_it(
    case: Application, bureau_reviewer: Actor
) -> None:
    client, form = builders.client_of(bureau_reviewer), papers.file_of(case)
    page = text(client, url(case))
    assert f'src="/application-files/{form.pk}/pages/1/?zoom=150"' in page
    client.get(f"/application-files/{form.pk}/pages/1/?zoom=150")
    assert AuditEntry.objects.filter(action="application.view_file").count() == 1


def test_search_lists_the_pages_and_odd_addresses_fall_back(
    case: Application, bureau_reviewer: Actor
) -> None:
    client, file = builders.client_of(bureau_reviewer), papers.file_of(case, "licence")
    page = text(client, url(case, file=file.pk, q="报告"))
    assert "第 2 页（1 处）" in page
    assert "第 1 页（1 处）" not in page
    assert "没有找到“没有的”" in text(client, url(case, q="没有的"))
    page = text(client, url(case, file="x", page=99, zoom="7", turn="45"))
    assert f'src="/application-files/{papers.file_of(case).pk}/pages/2/?zoom=150"' in page


def test_a_sheet_is_shown_as_a_plain_table(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.drafted(provider)
    sheet = builders.upload("list.xlsx", papers.workbook(250))
    add_file(case=case, actor=provider, kind="other", upload=sheet)
    case.refresh_from_db()
    fire(case, "submit", actor=provider, declaration=True)
    page = text(builders.client_of(bureau_reviewer), url(case, file=papers.file_of(case, "other").pk))
    assert "工作表“示例表”，只显示前 200 行（共 250 行）" in page
    assert "<td>=cmd</td>" in page
    assert "第200行" in page
    assert "第201行" not in page


def test_what_the_answer_changed_stands_beside_what_was_there(
    case: Application, provider: Actor, bureau_reviewer: Actor
) -> None:
    mark(case=case, actor=bureau_reviewer, version=1, given=[Given("product", "met")])
    fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
    builders.corrected(case, provider)
    case.refresh_from_db()
    fire(case, "resubmit", actor=provider, declaration=True)
    page = text(builders.client_of(bureau_reviewer), url(case))
    assert "补正前：示例发证机关" in page
    assert "上次：符合" in page


# --- neighbours ---------------------------------------------------------------------------------------
def test_previous_and_next_keep_to_the_list_it_was_opened_from(bureau_reviewer: Actor) -> None:
    made = [builders.submitted(world.provider()) for _ in range(3)]
    world.at("2019-04-13 09:00")
    builders.accepted(world.provider(), bureau_reviewer)
    client = builders.client_of(bureau_reviewer)
    listed = text(client, "/cases/application/?state=submitted")
    assert f'href="{url(made[0], list="state=submitted")}"' in listed
    keys = [
        int(key) for key in re.findall(r'href="/applications/(\d+)/review/\?list=state%3Dsubmitted"', listed)
    ]
    assert sorted(keys) == sorted(case.pk for case in made)
    middle = Application.unscoped.get(pk=keys[1])
    page = text(client, url(middle, list="state=submitted"))
    assert "第 2 / 3 件" in page
    assert links(page, "k") == [f"/applications/{keys[0]}/review/?list=state%3Dsubmitted"]
    assert links(page, "j") == [f"/applications/{keys[2]}/review/?list=state%3Dsubmitted"]
    # The act leads back to the desk, and the desk goes on where the case stood in the list.
    act = act_links(page)["受理"]
    assert act == f"/cases/application/{middle.pk}/do/accept/?list=state%3Dsubmitted&next={keys[2]}"
    response = client.post(act, {"seen": "submitted"})
    assert response["Location"] == url(middle, list="state=submitted", next=keys[2])
    page = text(client, response["Location"])
    assert "不在列表中（共 2 件）" in page
    assert links(page, "k") == [f"/applications/{keys[0]}/review/?list=state%3Dsubmitted"]
    assert links(page, "j") == [f"/applications/{keys[2]}/review/?list=state%3Dsubmitted"]
    page = text(client, url(middle, list="state=submitted"))
    assert links(page, "j") == [f"/applications/{keys[0]}/review/?list=state%3Dsubmitted"]
    last = text(client, links(page, "j")[0].replace(str(keys[0]), str(keys[2])))
    assert act_links(last)["受理"].endswith("/do/accept/?list=state%3Dsubmitted")
    with CaptureQueriesContext(connection) as queries:
        text(client, url(Application.unscoped.get(pk=keys[0]), list="state=submitted&sort=-due"))
    placing = [query["sql"] for query in queries if "ROW_NUMBER" in query["sql"]]
    assert len(placing) == 1  # and no other query reads the list's keys
    assert not [
        query["sql"]
        for query in queries
        if query["sql"].startswith('SELECT "applications_application"."id" ')
    ]


# --- desks --------------------------------------------------------------------------------------------
def test_a_second_reviewer_reads_only(case: Application, bureau_reviewer: Actor) -> None:
    first, second = builders.client_of(bureau_reviewer), builders.client_of(world.bureau())
    address = f"/applications/{case.pk}/claim/"
    assert first.post(address, {"act": "claim", "list": "due=today"})["Location"] == url(
        case, list="due=today"
    )
    assert "由您审核" in text(first, url(case))
    page = text(second, url(case))
    assert "正在审核" in page
    assert '<fieldset class="review-set" disabled>' in page
    assert "保存审核清单" not in page
    second.post(url(case), {"version": 1, "mark-product": "met"})
    second.post(address, {"act": "release"})
    assert (ChecklistMark.unscoped.count(), Claim.unscoped.count()) == (0, 1)
    lead = builders.client_of(world.bureau(Role.BUREAU_LEAD))
    assert 'value="release"' in text(lead, url(case))
    lead.post(address, {"act": "release"})
    assert Claim.unscoped.count() == 0
    assert "无人认领" in text(second, url(case))
    assert second.post(address, {"act": "touch"}).status_code == 204
    assert second.post(address, {"act": "other"}).status_code == 404
    assert second.get(address).status_code == 405


def test_a_settled_case_is_read_only(case: Application, bureau_reviewer: Actor) -> None:
    claims.claim(case=case, actor=bureau_reviewer)
    fire(case, "accept", actor=bureau_reviewer)
    page = text(builders.client_of(bureau_reviewer), url(case))
    assert "当前状态为“已受理”，审核清单只供查阅" in page
    assert 'value="release"' not in page


def test_none_of_the_words_on_a_case_is_put_forward(case: Application, bureau_reviewer: Actor) -> None:
    claims.claim(case=case, actor=bureau_reviewer)
    page = text(builders.client_of(bureau_reviewer), url(case))
    bar = page.partition('<div class="review-acts">')[2].partition("</div>")[0]
    assert re.findall(r'<a class="([^"]*)"[^>]*>([^<]*)', bar) == [
        ("btn btn-sm btn-outline-primary", "受理"),
        ("btn btn-sm btn-outline-primary", "一次性告知补正"),
        ("btn btn-sm btn-outline-danger", "不予受理"),
    ]


# --- undo ---------------------------------------------------------------------------------------------
def test_what_was_just_done_can_be_taken_back_and_says_for_how_long(
    case: Application, bureau_reviewer: Actor
) -> None:
    client = builders.client_of(bureau_reviewer)
    page = client.post(f"/cases/application/{case.pk}/do/accept/", {"seen": "submitted"}, follow=True)
    shown = unescape(page.content.decode())
    assert "刚刚办理，可以撤销" in shown
    assert re.search(r"还有 (2\d|30) 秒", shown)
    assert "可以撤销" not in text(builders.client_of(world.bureau()), f"/cases/application/{case.pk}/")
    revert = f"/cases/application/{case.pk}/do/revert/?list="
    [words] = [label for label, target in act_links(text(client, url(case))).items() if target == revert]
    assert re.fullmatch(r"撤销操作（还有 (2\d|30) 秒）", words)
    assert client.post(revert, {"seen": "accepted"})["Location"] == url(case) + "?list="
    case.refresh_from_db()
    assert case.state == "submitted"
    assert "可以撤销" not in text(client, f"/cases/application/{case.pk}/")


# --- cost ---------------------------------------------------------------------------------------------
def test_the_page_costs_the_same_however_much_is_marked_or_listed(
    case: Application, bureau_reviewer: Actor
) -> None:
    client = builders.client_of(bureau_reviewer)

    def cost() -> int:
        text(client, url(case))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            text(client, url(case))
        return len(queries)

    mark(case=case, actor=bureau_reviewer, version=1, given=[Given("product", "met")])
    first = cost()
    file = papers.file_of(case)
    rows = [Given(key, "met", file=file.pk, page=1) for key in ("error_rates", "capacity", "compared_fields")]
    mark(case=case, actor=bureau_reviewer, version=1, given=rows)
    for _ in range(2):
        builders.submitted(world.provider())
    assert cost() == first
