"""Check, declare, hand in (P07, P08): one application, one number, one receipt, whatever is pressed how often."""

from __future__ import annotations

from typing import Any

from django.test import Client

from applications.models import Application, ApplicationVersion
from applications.services.drafts import save_draft, start_application
from pilot.actors import Actor
from pilot.ui import Link
from tests.applications import builders
from tests.applications.form.pages import hidden, text, url
from tests.factories import world


def opened(actor: Actor, case: Application) -> tuple[Client, dict[str, Any]]:
    """The check page in a window, and what its button sends once the box is ticked."""
    client = builders.client_of(actor)
    return client, {**hidden(client.get(url(case, "check"))), "declaration": "on"}


def test_every_answer_has_the_way_to_change_it_and_back(provider: Actor) -> None:
    case = builders.drafted(provider)
    page = builders.client_of(provider).get(url(case, "check")).context["page"]
    assert [part.url for part in page.answers] == [
        f"{url(case, 'form', key)}?from=check"
        for key in ("unit", "licence", "people", "technology", "protection", "scope")
    ]
    assert {fact.label: fact.value for fact in page.answers[2].facts}["联系人手机"] == "13900000002"
    assert [len(file.sha256) for file in page.files] == [64] * 4
    assert (page.obstacle, page.left, page.gaps) == ("", "", [])


def test_what_is_missing_is_listed_with_links_and_there_is_no_button(provider: Actor) -> None:
    case = builders.drafted(provider, contact_email="", licence_number="B2-20180123")
    response = builders.client_of(provider).get(url(case, "check"))
    page = response.context["page"]
    number = f"{url(case, 'form', 'licence')}?from=check#id_licence_number"
    email = f"{url(case, 'form', 'people')}?from=check#id_contact_email"
    assert [(gap.title, gap.words, gap.url) for gap in page.gaps] == [
        ("增值电信业务经营许可", "1 项待补充或更正", number),
        ("联系人员", "缺 1 项", email),
    ]
    assert [[link for link, _words in gap.faults] for gap in page.gaps] == [
        [Link("许可证编号", number)],
        [Link("联系人邮箱", email)],
    ]
    assert page.left == "提交前还需完成（2 处）"
    assert "确认并提交" not in text(response)
    assert page.obstacle.startswith("还不能提交：")
    assert text(response).count("提交前还需完成（2 处）") == 2  # above the list and in the bar


def test_that_the_window_is_closed_is_said_even_where_something_is_blank(provider: Actor) -> None:
    case = builders.drafted(provider, contact_email="")
    found = {}
    for at in ("2019-04-15 12:00", "2019-04-16 00:00"):
        world.at(at)
        response = builders.client_of(provider).get(url(case, "check"))
        page = response.context["page"]
        found[at] = (
            page.barred,
            len(page.gaps),
            text(response).count("申请阶段已结束，且没有批准的逾期准入"),
        )
    assert found == {
        "2019-04-15 12:00": ("", 1, 0),
        "2019-04-16 00:00": ("申请阶段已结束，且没有批准的逾期准入", 1, 1),
    }


def test_missing_files_are_the_last_gap_and_lead_to_their_cards(provider: Actor) -> None:
    case = start_application(actor=provider)
    gaps = builders.client_of(provider).get(url(case, "check")).context["page"].gaps
    assert [gap.title for gap in gaps][-1] == "材料"
    assert (gaps[-1].words, gaps[-1].url) == ("缺 4 种材料", gaps[-1].faults[0][0].url)
    assert [link.url.partition("#")[0] for link, _words in gaps[-1].faults] == [
        f"{url(case, 'files')}?from=check"
    ] * 4


def test_the_declaration_is_asked_for(provider: Actor) -> None:
    case = builders.drafted(provider)
    client, sent = opened(provider, case)
    response = client.post(url(case, "check"), {**sent, "declaration": ""})
    assert response.status_code == 422
    assert "请确认真实性声明" in text(response)


def test_pressed_twice_gone_back_pressed_again(provider: Actor) -> None:
    case = builders.drafted(provider)
    client, sent = opened(provider, case)
    answers = [client.post(url(case, "check"), sent) for _ in range(3)]
    assert [(a.status_code, a["Location"]) for a in answers] == [(302, url(case, "receipt"))] * 3
    assert client.get(url(case, "check"))["Location"] == url(case, "receipt")
    case.refresh_from_db()
    assert (case.state, case.case_number) == ("submitted", "SQ2019-44-00001")
    assert ApplicationVersion.unscoped.filter(application=case).count() == 1


def test_the_same_page_after_a_notice_hands_in_nothing(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.drafted(provider)
    client, sent = opened(provider, case)
    client.post(url(case, "check"), sent)
    case.refresh_from_db()
    builders.fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
    builders.corrected(case, provider)
    assert client.post(url(case, "check"), sent)["Location"] == url(case, "receipt")
    case.refresh_from_db()
    assert case.state == "returned"


def test_what_changed_after_the_check_is_not_handed_in(provider: Actor) -> None:
    case = builders.drafted(provider)
    client, sent = opened(provider, case)
    save_draft(case=case, actor=provider, revision=case.revision, deletion="改动")
    response = client.post(url(case, "check"), sent)
    assert response.status_code == 422
    assert "核对之后内容又有改动，请重新核对后再提交" in text(response)
    assert client.post(url(case, "check"), {**hidden(response), "declaration": "on"}).status_code == 302


def test_an_answer_to_a_notice_goes_the_same_way(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    builders.corrected(case, provider)
    client, sent = opened(provider, case)
    assert client.post(url(case, "check"), sent)["Location"] == url(case, "receipt")
    case.refresh_from_db()
    assert (case.state, ApplicationVersion.unscoped.filter(application=case).count()) == ("submitted", 2)


def test_after_the_window_the_page_says_so(provider: Actor) -> None:
    case = builders.drafted(provider)
    client, sent = opened(provider, case)
    world.at("2019-05-08 09:00")
    page = client.get(url(case, "check")).context["page"]
    assert page.obstacle == "申请阶段已结束，且没有批准的逾期准入"
    assert page.obstacle in text(client.get(url(case, "check")))
    assert client.post(url(case, "check"), sent).status_code == 422


def test_the_detail_page_leads_here(provider: Actor) -> None:
    case = start_application(actor=provider)
    detail = builders.client_of(provider).get(f"/cases/application/{case.pk}/").context["page"]
    assert {action.name: action.url for action in detail.actions}["submit"] == url(case, "check")
