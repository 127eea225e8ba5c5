"""Own and foreign objects: who gets which answer at the page of one object of provider A in Guangdong.

The table is written by hand from design.md, "People and visibility": 200 for whoever may know of the object, 404 where
it does not exist for the actor, 403 where the role has no business with such pages, 302 to sign in for the anonymous.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from filings.services import coordination
from pilot import clock, policy
from pilot.actors import Actor
from pilot.machines import MACHINES, Case, declared
from pilot.models import Document, Programme, TransitionRecord
from pilot.registry import pages_of
from pilot.selectors.people import bureau_of
from pilot.workflow import fire
from tests.factories import cases
from tests.factories.cases import Cast, build
from tests.factories.viewers import ELSEWHERE, VIEWERS, client_of, viewers
from tests.filings import builders as run
from tests.security import fields


def row(
    own: int, other: int, bureau: int, elsewhere: int, ministry: int, of_case: int, assessor: int, admins: int
) -> dict[str, int]:
    """A line of the table: both roles of the own provider, another provider, both roles of the own bureau, another
    bureau, both roles of the ministry, an assessor of the case, another assessor, the three administrators."""
    answers = (own, own, other, bureau, bureau, elsewhere, ministry, ministry, of_case, assessor)
    return dict(zip(VIEWERS, (*answers, admins, admins, admins, 302), strict=True))


@dataclass(frozen=True, slots=True)
class Scenario:
    """An object, how it comes about, and who gets which answer at its page."""

    make: Callable[[Cast], Any]
    answers: dict[str, int]
    slug: str = ""  # of the machine, where nothing but a state is asked for


def of(slug: str, state: str, *answers: int) -> Scenario:
    return Scenario(lambda cast: build(slug, state, cast), row(*answers), slug)


# --- objects that take more than a state ------------------------------------------------------------
def application_under_assessment(cast: Cast) -> Any:
    """The application whose assessment the assessors have begun."""
    return cases.started(cast).application


def application_before_declaration(cast: Cast) -> Any:
    """The application whose assessors have been asked, but have not declared."""
    return cases.assigned(cast).application


def form_elsewhere(cast: Cast) -> Any:
    """A form whose subject lives in the other bureau's province."""
    return run.form(cast.unit, "F-2", province=ELSEWHERE)


def finding_elsewhere(cast: Cast) -> Any:
    return run.found(form_elsewhere(cast), at=clock.now())


def matter_of_another_bureau(cast: Cast) -> Any:
    """A coordination case that the other bureau is to solve."""
    return coordination.open_case(
        actor=cast.provider, unit=cast.unit, subject="示例", text="示例", owner=bureau_of(ELSEWHERE)
    )


def document_of(make: Callable[[Cast], Case]) -> Callable[[Cast], Document]:
    """The newest document of a case."""

    def newest(cast: Cast) -> Document:
        case = make(cast)
        return Document.objects.filter(machine=case.slug(), object_id=case.pk).latest("pk")

    return newest


def file_of(make: Callable[[Cast], Any]) -> Callable[[Cast], Any]:
    """A file handed in with an application."""
    return lambda cast: make(cast).files.first()


def published(cast: Cast) -> Any:
    return fire(cases.approved(cast), "publish", actor=cast.approver)


# fmt: off
#                                                    own other bureau elsewhere ministry of-case assessor admins
OBJECTS: dict[str, Scenario] = {
    "window extension": of("window-extension", "proposed", 403, 403, 200, 200, 200, 403, 403, 403),
    "registration": of("provider-registration", "requested", 403, 403, 200, 404, 200, 403, 403, 403),
    "role change": of("role-change", "requested",          403, 403, 403, 403, 403, 403, 403, 200),
    "objection": of("objection", "filed",                  200, 404, 200, 404, 200, 403, 403, 403),
    "draft application": of("application", "draft",        200, 404, 404, 404, 404, 404, 404, 403),
    "application": of("application", "submitted",          200, 404, 200, 404, 200, 404, 404, 403),
    "application under assessment":
        Scenario(application_under_assessment,         row(200, 404, 200, 404, 200, 200, 404, 403)),
    "application before declaration":
        Scenario(application_before_declaration,       row(200, 404, 200, 404, 200, 404, 404, 403)),
    "late admission": of("late-admission", "proposed",     200, 404, 200, 404, 200, 403, 403, 403),
    "opinion in draft": of("opinion", "drafted",           403, 403, 200, 404, 404, 403, 403, 403),
    "opinion": of("opinion", "signed",                     403, 403, 200, 404, 200, 403, 403, 403),
    "provincial report": of("provincial-report", "sent",   403, 403, 200, 404, 200, 403, 403, 403),
    "assessment before declaration":
        of("capability-assessment", "assigned",            403, 403, 403, 403, 200, 404, 404, 403),
    "assessment": of("capability-assessment", "in_progress", 403, 403, 403, 403, 200, 200, 404, 403),
    "declaration": of("interest-declaration", "asked",     403, 403, 403, 403, 200, 200, 404, 403),
    "approval list in draft": of("approval-list", "draft", 404, 404, 404, 404, 200, 403, 403, 403),
    "approved list": of("approval-list", "approved",       404, 404, 404, 404, 200, 403, 403, 403),
    "published list": Scenario(published,              row(200, 200, 200, 200, 200, 403, 403, 403)),
    "upload job": of("upload-job", "received",             200, 404, 200, 404, 200, 403, 403, 403),
    "alert": of("alert", "open",                           403, 403, 200, 404, 200, 403, 403, 403),
    "finding": of("finding", "open",                       200, 404, 200, 404, 200, 403, 403, 403),
    "finding on a subject elsewhere":
        Scenario(finding_elsewhere,                    row(200, 404, 200, 200, 200, 403, 403, 403)),
    "planned inspection": of("inspection", "planned",      404, 404, 200, 404, 200, 403, 403, 403),
    "inspection": of("inspection", "committed",            200, 404, 200, 404, 200, 403, 403, 403),
    "drafted order": of("rectification", "drafted",        404, 404, 200, 404, 200, 403, 403, 403),
    "order": of("rectification", "issued",                 200, 404, 200, 404, 200, 403, 403, 403),
    "proposed sanction": of("sanction", "proposed",        404, 404, 200, 404, 200, 403, 403, 403),
    "sanction": of("sanction", "hearing",                  200, 404, 200, 404, 200, 403, 403, 403),
    "coordination case": of("coordination-case", "open",   200, 404, 200, 404, 200, 403, 403, 403),
    "coordination case of another bureau":
        Scenario(matter_of_another_bureau,             row(200, 404, 200, 200, 200, 403, 403, 403)),
    "drafted answer": of("faq-entry", "drafted",           403, 403, 200, 200, 200, 403, 403, 403),
    "bulletin in draft": of("bulletin", "compiled",        404, 404, 404, 404, 200, 403, 403, 403),
    "bulletin": of("bulletin", "published",                200, 200, 200, 200, 200, 403, 403, 403),
    "pilot unit": Scenario(lambda cast: cast.unit,     row(200, 404, 200, 200, 200, 403, 403, 403)),
    "form": Scenario(lambda cast: cast.form,           row(200, 404, 200, 404, 200, 403, 403, 403)),
    "form of a subject elsewhere":
        Scenario(form_elsewhere,                       row(200, 404, 200, 200, 200, 403, 403, 403)),
    "document of an application":
        Scenario(document_of(application_under_assessment),
                                                       row(200, 404, 200, 404, 200, 200, 404, 403)),
    "document of a provincial report":
        Scenario(document_of(lambda cast: build("provincial-report", "sent", cast)),
                                                       row(404, 404, 200, 404, 200, 404, 404, 403)),
    "file of a draft":
        Scenario(file_of(lambda cast: build("application", "draft", cast)),
                                                       row(200, 404, 404, 404, 404, 404, 404, 403)),
    "file of an application":
        Scenario(file_of(application_under_assessment), row(200, 404, 200, 404, 200, 200, 404, 403)),
    "file before declaration":
        Scenario(file_of(application_before_declaration),
                                                       row(200, 404, 200, 404, 200, 404, 404, 403)),
}
# fmt: on


def address(thing: Any) -> str:
    """The address of an object's page, or of the file itself."""
    names = {"PilotUnit": "pilot-unit_detail", "VerificationForm": "verification-form_detail"}
    names |= {"Document": "document", "ApplicationFile": "application_file"}
    if isinstance(thing, Case):
        return reverse(f"{thing.slug()}_detail", args=[thing.pk])
    key = thing.code if hasattr(thing, "code") else thing.pk
    return reverse(names[type(thing).__name__], args=[key])


FAST = (
    "application",
    "opinion",
    "published list",
    "finding",
    "form of a subject elsewhere",
    "file of a draft",
)
"""One of every kind that the code treats apart; the others are walked by the slow suite."""


def test_the_table_holds_every_machine() -> None:
    assert {scenario.slug for scenario in OBJECTS.values()} - {""} == MACHINES.keys()


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in OBJECTS]
)
def test_everybody_gets_the_answer_of_the_table(name: str, programme: Programme) -> None:
    cast = Cast()
    thing = OBJECTS[name].make(cast)
    people = [(who, actor, client_of(actor)) for who, actor in viewers(cast).items()]
    page = address(thing)
    answers = {who: client.get(page) for who, _actor, client in people}
    assert {who: response.status_code for who, response in answers.items()} == OBJECTS[name].answers
    open_to = {who: response for who, response in answers.items() if response.status_code == 200}
    fields.check("objects", name, {who: fields.shown(_page(response)) for who, response in open_to.items()})
    if isinstance(thing, Case):
        # Every act of the state comes up, with one person after another.
        acts = cycle(sorted({move.name for move in declared(type(thing)) if move.source == thing.state}))
        before = TransitionRecord.objects.count()
        for (who, actor, client), act in zip(people, acts, strict=False):
            _cannot_act(thing, act, actor, client, OBJECTS[name].answers[who])
        assert type(thing).unscoped.get(pk=thing.pk).state == thing.state
        assert TransitionRecord.objects.count() == before


def _page(response: Any) -> Any:
    """What a page was made of; a file has nothing of the kind."""
    return None if response.context is None else [part for layer in response.context for part in layer]


def _cannot_act(case: Case, act: str, actor: Actor | None, client: Client, answer: int) -> None:
    """A foreign object does not exist, whatever is posted; a role without the act is told so."""
    if answer == 200 and actor and policy.may_act(case.slug(), act, actor.role):
        return
    url = reverse(f"{case.slug()}_act", args=[case.pk, act])
    response = client.post(url, {"seen": case.state, "reason": "示例理由"})
    assert (act, response.status_code) == (act, _refusal(case, actor, answer))
    if answer == 404:
        for task in pages_of(case.slug()).tasks:
            assert client.post(reverse(f"{case.slug()}_task", args=[case.pk, task.name])).status_code == 404


def _refusal(case: Case, actor: Actor | None, answer: int) -> int:
    """The answer to an act of somebody who gets ``answer`` at the page: assessors read applications, never act."""
    reads_only = case.slug() == "application" and actor is not None and actor.is_assessor
    return 403 if answer == 200 or reads_only else answer
