"""What a screen of 1366 × 768 has room for beside the acts of a case, and what a closed form looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from applications.services import claims
from filings.services import bulletins
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.workflow import fire
from tests.applications import builders as intake
from tests.browser.visitor import Visitor
from tests.factories import world
from tests.filings import builders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def unit(programme: Any, provider: Actor) -> PilotUnit:
    """A unit beside another one, each with forms of two months that all agree."""
    units = [builders.enrol(programme, firm) for firm in (provider, world.provider())]
    world.at("2019-07-01 09:00")
    for one in units:
        for day in ("2019-05-20 10:00", "2019-06-18 10:00"):
            builders.compared_all(builders.forms(one, 3, day))
    return units[0]


def cut(page: Page) -> list[str]:
    """The tables that are wider than their place."""
    wide = "all => all.filter(t => t.scrollWidth > t.clientWidth).map(t => t.ariaLabel)"
    found: list[str] = page.locator(".table-wrap").evaluate_all(wide)
    return found


def test_tables_of_figures_are_not_cut(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor, sign_in: Callable[..., Visitor]
) -> None:
    for month in ("2019-05", "2019-06"):
        bulletin = bulletins.compile_bulletin(actor=ministry_officer, period=month)
        for act in ("sign", "publish"):
            fire(bulletin, act, actor=ministry_approver)
    page = sign_in(ministry_approver).page
    for rank, months in (("--（区间重叠）", "各月准确率"), ("-- (intervals overlap)", "Accuracy by month")):
        page.goto(reverse("bulletin_detail", args=[bulletin.pk]))
        expect(page.get_by_text(rank)).to_have_count(2)
        assert cut(page) == []
        page.goto(reverse("pilot-unit_detail", args=[unit.code]))
        expect(page.get_by_role("region", name=months)).to_be_visible()
        assert cut(page) == []
        page.get_by_role("button", name="English").or_(page.get_by_role("button", name="中文")).click()


LOOKS = """node => {
  const style = getComputedStyle(node);
  return [style.backgroundColor, style.borderColor, style.color];
}"""


def test_a_closed_checklist_does_not_look_as_if_it_could_be_filled_in(
    programme: Any, provider: Actor, bureau_reviewer: Actor, sign_in: Callable[..., Visitor]
) -> None:
    case = intake.submitted(provider)
    claims.claim(case=case, actor=bureau_reviewer)
    page, address = sign_in(bureau_reviewer).page, reverse("application_review", args=[case.pk])
    looks = []
    for act in ("accept", ""):
        page.goto(address)
        looks.append(page.locator(".detail-text input").first.evaluate(LOOKS))
        if act:
            fire(case, act, actor=bureau_reviewer)
    assert looks == [
        ["rgb(255, 255, 255)", "rgb(125, 137, 152)", "rgb(28, 38, 52)"],
        ["rgb(248, 249, 251)", "rgb(221, 227, 234)", "rgb(75, 87, 104)"],
    ]
