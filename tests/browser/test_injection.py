"""S06 in a real browser: three hundred strings on the screen, and none of them runs, loads anything or breaks out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from filings.models import CoordinationCase
from filings.services import coordination
from pilot import clock
from pilot.actors import Actor
from pilot.models import Organisation, Person
from tests.browser.visitor import Visitor
from tests.factories import world
from tests.filings import builders
from tests.security.strings import CORPUS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
NAME = '"><img src=x onerror=window.struck=1>'
# The flag that every script of the corpus sets, and what stands on the page that the portal did not write.
LOOK = """() => ({
    struck: window.struck ?? 0,
    inline: document.querySelectorAll("script:not([src]), style, base, iframe, object, embed, template").length,
    handlers: [...document.querySelectorAll("*")].filter(
        node => [...node.attributes].some(one => one.name.startsWith("on") || /^\\s*javascript:/i.test(one.value))
    ).length,
    foreign: [...document.querySelectorAll("[src], [href], [action]")].filter(
        node => new URL(node.src || node.href?.baseVal || node.href || node.action, location).host !== location.host
    ).length,
    wide: document.documentElement.scrollWidth > window.innerWidth,
})"""
CLEAN = {"struck": 0, "inline": 0, "handlers": 0, "foreign": 0, "wide": False}


def test_nothing_runs_and_nothing_breaks_out(programme: Any, sign_in: Callable[..., Visitor]) -> None:
    """Detail, list, search and the form shown again. ``window`` fails for every report of the CSP on the console."""
    provider: Actor = world.provider()
    unit = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    ministry = Organisation.objects.get(kind="ministry")
    case: CoordinationCase = coordination.open_case(
        actor=provider, unit=unit, subject=NAME, text="\n".join(CORPUS[:60]), owner=ministry
    )
    for start in range(60, len(CORPUS), 60):
        text = "\n".join(CORPUS[start : start + 60])
        coordination.add_message(case=case, actor=provider, text=text, at=clock.now())
    page: Page = sign_in(provider).page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # Only now, because the visitor signs in by the name on record.
    Person.objects.filter(pk=provider.person_id).update(name=NAME)
    Organisation.objects.filter(pk=provider.organisation_id).update(name=NAME)

    page.goto(reverse("coordination-case_detail", args=[case.pk]))
    expect(page.locator("main")).to_contain_text("<script>window.struck=1</script>")
    assert page.evaluate(LOOK) == CLEAN
    page.goto(f"{reverse('coordination-case_list')}?q=%22%3E%3Csvg%20onload%3Dwindow.struck%3D1%3E")
    assert page.evaluate(LOOK) == CLEAN
    page.goto(reverse("coordination-case_list"))
    expect(page.locator("#list tbody tr")).to_contain_text(NAME)
    assert page.evaluate(LOOK) == CLEAN
    page.goto(reverse("coordination-case_create"))
    page.locator("main form [name=subject]").fill(NAME)
    page.locator("main form [name=text]").fill("\n".join(CORPUS[:40]))
    page.locator("main form button[type=submit]").last.click()
    expect(page.locator("main form [name=subject]")).to_have_value(NAME)
    assert page.evaluate(LOOK) == CLEAN
    here = page.url.split("/cases/")[0]
    assert [url for url in asked if not url.startswith((here, "data:"))] == []
