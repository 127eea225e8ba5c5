"""What every case page says: of which kind the case is, who acted, whom it waits for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from pilot.actors import Actor
from pilot.machines import declared
from pilot.models import Window, WindowExtension
from pilot.registry import MachinePages, all_pages
from pilot.services import programmes
from pilot.views import case_parts
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world
from tests.factories.viewers import client_of
from tests.pilot.lists.helpers import find

pytestmark = pytest.mark.django_db


@pytest.fixture
def extension(programme: Any, ministry_officer: Actor, ministry_approver: Actor) -> WindowExtension:
    found = programmes.propose_extension(
        actor=ministry_officer,
        window=Window.objects.get(kind="application"),
        closes=world.moment("2019-04-20 00:00"),
        reason="示例",
    )
    fire(found, "approve", actor=ministry_approver)
    return found


def read(client: Client, case: Any) -> html.HtmlElement:
    return html.document_fromstring(client.get(reverse(f"{case.slug()}_detail", args=[case.pk])).content)


def texts(root: html.HtmlElement, selector: str) -> list[str]:
    return [" ".join(element.text_content().split()) for element in find(root, selector)]


def test_the_kind_of_case_stands_with_its_title(programme: Any, provider: Actor) -> None:
    case = builders.submitted(provider)
    root = read(client_of(provider), case)
    assert texts(root, ".page-head > .page-kind, .page-head > h1") == ["试点申请", case.title]
    assert texts(root, "head > title") == [f"试点申请 {case.title} {case.number} - 电子化核验试点管理平台"]


def test_ones_own_name_is_not_masked_and_the_others_are(
    extension: WindowExtension, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    seen = {}
    for actor in (ministry_officer, ministry_approver):
        cells = texts(read(client_of(actor), extension), ".timeline-meta span")
        seen[actor.role] = [cell.rpartition(" ")[2] for cell in cells]
    names = {actor.role: actor.name for actor in (ministry_officer, ministry_approver)}
    officer, approver = seen["ministry_officer"], seen["ministry_approver"]
    assert (officer[1], approver[0]) == (names["ministry_officer"], names["ministry_approver"])
    assert ["*" in name for name in (officer[0], approver[1])] == [True, True]


def test_the_steps_of_a_case_do_not_repeat_its_kind(
    extension: WindowExtension, ministry_officer: Actor
) -> None:
    assert [entry.machine for entry in case_parts.timeline(extension, ministry_officer)] == ["", ""]


@pytest.mark.parametrize(
    ("names", "words"),
    [([], ""), (["甲"], "甲"), (["甲", "乙"], "甲或乙"), (["甲", "乙", "丙"], "甲、乙或丙")],
)
def test_one_of_several(names: list[str], words: str) -> None:
    assert case_parts.either(names) == words


# --- what is offered -------------------------------------------------------------------------------------
def test_of_two_verdicts_none_is_put_forward(
    programme: Any, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    case = programmes.propose_extension(
        actor=ministry_officer,
        window=Window.objects.get(kind="application"),
        closes=world.moment("2019-04-20 00:00"),
        reason="示例",
    )
    buttons = find(read(client_of(ministry_approver), case), ".action-buttons a")
    assert [(button.text, button.get("class")) for button in buttons] == [
        ("批准", "btn btn-outline-primary"),
        ("不批准", "btn btn-outline-danger"),
    ]


@pytest.mark.parametrize("pages", [pages for pages in all_pages() if pages.verdicts], ids=lambda p: p.slug)
def test_a_verdict_has_an_opposite_in_the_same_state(pages: MachinePages) -> None:
    decided: dict[str, list[str]] = {}
    for move in declared(pages.model):
        if move.name in pages.verdicts:
            decided.setdefault(move.source, []).append(move.name)
    assert {name for names in decided.values() for name in names} == pages.verdicts
    assert [len(names) > 1 for names in decided.values()] == [True] * len(decided)
