"""The progress page: the stage, the steps taken, what to expect, urging and withdrawing (P10)."""

from __future__ import annotations

from datetime import date
from typing import Any

from applications.models import Application
from pilot.actors import Actor
from pilot.workflow import fire
from tests.applications import builders
from tests.applications.form.pages import url
from tests.factories import world


def shown(actor: Actor, case: Application) -> Any:
    return builders.client_of(actor).get(url(case, "progress")).context["page"]


def stages(page: Any) -> list[tuple[str, str, str]]:
    return [(step.label, step.status, step.note) for step in page.steps]


def test_the_bar_stands_where_the_application_stands(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.drafted(provider)
    assert stages(shown(provider, case))[0] == ("提交", "current", "草稿")
    case = fire(case, "submit", actor=provider, declaration=True)
    case = fire(case, "accept", actor=bureau_reviewer)
    page = shown(provider, case)
    assert stages(page) == [
        ("提交", "done", "2019-04-12"),
        ("受理", "done", "2019-04-12"),
        ("审核", "current", "已受理"),
        ("报部", "open", ""),
        ("评估", "open", ""),
        ("公布", "open", ""),
    ]
    assert [entry.title for entry in page.timeline] == ["受理", "提交申请", "建立"]


def test_where_it_ended_is_marked(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.refused(provider, bureau_reviewer)
    assert stages(shown(provider, case))[1:3] == [("受理", "stopped", "不予受理"), ("审核", "open", "")]
    other = world.provider()
    gone = builders.accepted(other, bureau_reviewer)
    gone = fire(gone, "withdraw", actor=other, reason="示例")
    assert stages(shown(other, gone))[2] == ("审核", "stopped", "已撤回")


def test_what_is_expected_when(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.submitted(provider)
    facts = {fact.label: (fact.value, fact.hint) for fact in shown(provider, case).facts}
    assert facts["预计受理答复"] == (date(2019, 4, 19), "还有 5 个工作日")
    case = fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
    page = shown(provider, case)
    assert {fact.label: fact.value for fact in page.facts}["补正截止"] == date(2019, 4, 19)
    assert (page.main.label, page.main.url) == ("填写补正内容", url(case, "form"))


def test_urging_once_a_day_and_the_way_to_withdraw(provider: Actor) -> None:
    case = builders.submitted(provider)
    page = shown(provider, case)
    assert (page.urge_obstacle, page.withdraw.url) == ("", f"/cases/application/{case.pk}/do/withdraw/")
    response = builders.client_of(provider).post(page.urge_url)
    assert response["Location"] == url(case, "progress")
    assert shown(provider, case).urge_obstacle == "今天已催办，明天可再次催办"
