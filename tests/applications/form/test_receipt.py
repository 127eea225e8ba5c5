"""The receipt page survives whatever becomes of the application (P08)."""

from __future__ import annotations

from pilot.actors import Actor
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.form.pages import text, url


def test_the_receipt_says_what_was_handed_in_and_what_follows(provider: Actor) -> None:
    case = builders.submitted(provider)
    response = builders.client_of(provider).get(url(case, "receipt"))
    page, words = response.context["page"], text(response)
    version = case.versions(manager="unscoped").get()
    facts = {fact.label: fact.value for fact in page.facts}
    assert (page.number, facts["提交时间"], facts["版本"], facts["查验码"]) == (
        "SQ2019-44-00001",
        version.at,
        "第 1 版",
        version.digest[:32],
    )
    assert [file.sha256 for file in page.files] == [
        file["sha256"] for file in sorted(version.files, key=lambda file: page_order(file["kind"]))
    ]
    assert all(file["sha256"] in words for file in version.files)
    assert "将在 5 个工作日内，即 2019-04-19（含当日）前，作出是否受理的决定" in words


def page_order(kind: str) -> int:
    return ["form", "licence", "test_report", "comparison"].index(kind)


def test_the_paper_is_being_made_until_it_is_there(provider: Actor) -> None:
    case = builders.submitted(provider)
    client = builders.client_of(provider)
    assert "正在生成" in text(client.get(url(case, "receipt")))
    builders.run_tasks()
    assert [item.title for item in client.get(url(case, "receipt")).context["page"].documents] == [
        "申请材料接收回执（第1版）"
    ]


def test_the_page_stays_in_every_later_state(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    client = builders.client_of(provider)
    assert client.get(url(case, "receipt")).status_code == 200
    builders.corrected(case, provider)
    case = fire(case, "resubmit", actor=provider, declaration=True)
    assert "第 2 版" in text(client.get(url(case, "receipt")))
    fire(case, "withdraw", actor=provider, reason="示例")
    assert "已撤回" in text(client.get(url(case, "receipt")))


def test_what_follows_is_not_promised_once_it_has_come(provider: Actor, bureau_reviewer: Actor) -> None:
    def following() -> str:
        words: str = client.get(url(case, "receipt")).context["page"].following
        return words

    case, client = builders.submitted(provider), builders.client_of(provider)
    promise = following()
    case = fire(case, "accept", actor=bureau_reviewer)
    assert (promise[:10], following()) == (
        "广东省通信管理局将在",
        "此后办理已有进展，该申请现为“已受理”，详见办理进度。",
    )


def test_there_is_none_before(provider: Actor) -> None:
    case = builders.drafted(provider)
    assert builders.client_of(provider).get(url(case, "receipt")).status_code == 404
