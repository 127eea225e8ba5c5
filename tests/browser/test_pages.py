"""Every page in a real browser: no barrier that axe finds, nothing wider than the screen, a silent console.

The fast tests visit one page per template and kind of role; the slow ones every machine's pages, for every role that
may open them, in both languages and on both screens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from pilot import policy, workflow
from pilot.actors import Actor
from pilot.enums import Role
from pilot.machines import MACHINES
from pilot.models import Person
from pilot.registry import pages_of
from tests.applications import builders as intake
from tests.assessment import builders as review
from tests.browser.visitor import Visitor
from tests.factories import cases, world
from tests.factories.cases import Cast

pytestmark = pytest.mark.django_db(transaction=True)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SCREENS = ((390, 844), (1366, 768))
LANGUAGES = {"zh-hans": "zh-CN", "en": "en"}
GRAVE = {"serious", "critical"}
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults(page: Page, *, axe_on: tuple[int, ...] = (1366,)) -> list[str]:
    """What is wrong with the open page, on both screens."""
    # A click ends when the answer begins to come in; there may be no document yet.
    page.wait_for_load_state()
    found = []
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        if over := page.evaluate(TOO_WIDE):
            found.append(f"{page.url}: {over} px wider than {width}")
        if width in axe_on:
            found += [
                f"{page.url} ({width}): {one['id']} {[node['target'] for node in one['nodes'][:3]]}"
                for one in Axe().run(page).response["violations"]
                if one["impact"] in GRAVE
            ]
    return found


def visit(page: Page, address: str, status: int = 200, **options: Any) -> list[str]:
    """Open a page and look for faults; another answer than expected is one."""
    response = page.goto(address)
    assert response is not None
    wrong = [] if response.status == status else [f"{address}: {response.status}"]
    return wrong + faults(page, **options)


@pytest.fixture
def signed_in(window: Callable[..., Page], live_server: Any) -> Callable[..., Page]:
    """A window in which this actor is signed in already: the login page has its own test."""

    def open_window(actor: Actor) -> Page:
        client = Client()
        client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
        page, name = window(), settings.SESSION_COOKIE_NAME
        page.context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
        )
        return page

    return open_window


# --- one page per template and kind of role -----------------------------------------------------------
def test_before_login(programme: Any, window: Callable[..., Page]) -> None:
    page = window()
    found = visit(page, "/no-such-page/", status=404)
    for name in ("account_login", "guide", "published_list", "provider-registration_create"):
        found += visit(page, reverse(name))
    assert found == []


def test_intake_and_review(programme: Any, signed_in: Callable[..., Page]) -> None:
    cast = Cast()
    assessment = cases.started(cast)
    draft = intake.drafted(applicant := world.provider(), product="")
    pending = review.opinion_of(intake.accepted(world.provider(), cast.reviewer))
    drafted = review.drafted(intake.accepted(world.provider(), cast.reviewer), cast.desk)
    declaration = review.declaration_of(assessment, cast.assessor)
    visits = {
        applicant: [
            reverse("dashboard"),
            reverse("application_list"),
            reverse("application_form", args=[draft.pk]),
            reverse("application_section", args=[draft.pk, "technology"]),
            reverse("application_check", args=[draft.pk]),
            reverse("application_progress", args=[draft.pk]),
            reverse("application_files", args=[draft.pk]),
        ],
        cast.reviewer: [
            reverse("dashboard"),
            reverse("application_detail", args=[pending.application_id]),
            reverse("opinion_act", args=[pending.pk, "draft"]),
        ],
        cast.lead: [reverse("opinion_act", args=[drafted.pk, "sign"])],
        cast.officer: [reverse("capability-assessment_detail", args=[assessment.pk]), reverse("notice_list")],
        cast.assessor: [
            reverse("interest-declaration_task", args=[declaration.pk, "submit_scores"]),
        ],
    }
    assert list(_faults_of(visits, signed_in)) == []
    page = signed_in(applicant)
    assert visit(page, reverse("audit_list"), status=403) == []
    page.goto(reverse("application_act", args=[draft.pk, "withdraw"]))
    assert faults(page) == []


@pytest.mark.slow
def test_the_run_phase(programme: Any, signed_in: Callable[..., Page]) -> None:
    cast = Cast()
    finding = cases.finding(cast)
    unit = reverse("pilot-unit_detail", args=[cast.unit.code])
    visits = {
        cast.officer: [
            reverse("dashboard"),
            unit,
            reverse("pilot-unit_list"),
            reverse("pilot-unit_scope", args=[cast.unit.code]),
            reverse("verification-form_detail", args=[cast.form.pk]),
            reverse("bulletin_create"),
        ],
        cast.provider: [
            reverse("dashboard"),
            reverse("upload-job_create"),
            reverse("finding_detail", args=[finding.pk]),
            reverse("finding_act", args=[finding.pk, "dispute_finding"]),
        ],
        world.ministry(Role.SECURITY_ADMIN): [reverse("role-change_list")],
        world.ministry(Role.AUDIT_ADMIN): [reverse("audit_list")],
    }
    assert list(_faults_of(visits, signed_in)) == []


def _faults_of(visits: dict[Actor, list[str]], signed_in: Callable[..., Page]) -> Iterator[str]:
    for actor, addresses in visits.items():
        page = signed_in(actor)
        for number, address in enumerate(addresses):
            # What surrounds every page is the same, so one page of a person is enough for axe on the phone.
            yield from visit(page, address, axe_on=(1366,) if number else (390, 1366))


# --- language -------------------------------------------------------------------------------------------
def test_chinese_until_somebody_switches(
    programme: Any, ministry_officer: Actor, window: Callable[..., Page]
) -> None:
    page = window(locale="en-US")
    page.goto("/account/login/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    Visitor(page).sign_in(ministry_officer)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", level=1)).to_have_text("工作台")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert cookies[settings.LANGUAGE_COOKIE_NAME] == "en"
    page.goto("/guide/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


# --- everything -------------------------------------------------------------------------------------------
def common(slug: str, actor: Actor) -> Iterator[str]:
    """The pages of a machine that this actor may open whatever cases there are: list, beginning."""
    if policy.may_open(f"{slug}_list", actor.role):
        yield reverse(f"{slug}_list")
        if pages_of(slug).creation and policy.may_open(f"{slug}_create", actor.role):
            yield reverse(f"{slug}_create")


def addresses(slug: str, case: Any, actor: Actor) -> Iterator[str]:
    """The pages of a case that this actor may open: itself, possible acts and tasks."""
    pages, seen = pages_of(slug), type(case).objects.visible_to(actor).filter(pk=case.pk)
    if not (policy.may_open(f"{slug}_list", actor.role) and seen.exists()):
        return
    yield reverse(f"{slug}_detail", args=[case.pk])
    for action in workflow.available_actions(case, actor):
        if action.allowed:
            yield reverse(f"{slug}_act", args=[case.pk, action.name])
    for task in pages.tasks:
        if policy.may_act(slug, task.name, actor.role) and task.obstacle(case, actor) is None:
            yield reverse(f"{slug}_task", args=[case.pk, task.name])


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("slug", "state"),
    [*((slug, "") for slug in MACHINES), *cases.BY_ACTS],
    ids=lambda value: str(value) or "first",
)
def test_every_page_of_every_machine(
    programme: Any, signed_in: Callable[..., Page], live_server: Any, slug: str, state: str
) -> None:
    cast = Cast()
    case: Any = cases.build(slug, state, cast) if state else cases.FIRST[slug](cast)
    admins = [cast.system_admin, cast.security_admin]
    people = [cast.provider, cast.reviewer, cast.lead, cast.officer, cast.approver, cast.assessor, *admins]
    found = []
    for actor in people:
        # The pages of every state's case; what does not depend on it is opened with the first one only.
        where = [*([] if state else common(slug, actor)), *addresses(slug, case, actor)]
        page = signed_in(actor) if where else None
        for language in LANGUAGES if page else ():
            cookie = {"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}
            page.context.add_cookies([cookie])
            # Another language has other words, not other marks; officials sit at desks.
            phone = language == "zh-hans" and actor.is_provider
            for address in where:
                found += visit(page, address, axe_on=(390, 1366) if phone else (1366,))
                if page.locator("html").get_attribute("lang") != LANGUAGES[language]:
                    found.append(f"{address}: not in {language}")
    assert found == []
