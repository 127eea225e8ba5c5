"""Random walks through review: whatever anybody tries, the law of review holds after every step.

The seeds are fixed, so that a walk that breaks the law breaks it again. Papers are not set in type: what they say is
looked at elsewhere, and setting them takes longer than everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from applications.models import Application
from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
)
from pilot import workflow
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Programme
from pilot.services.objections import file_objection
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.walking import Walk, World, assemble, begun, walked
from tests.factories import papers

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def unset() -> Iterator[None]:
    with papers.unset():
        yield


@pytest.fixture(scope="module")
def people(programme: Programme) -> World:
    """A world in which review has begun and the first assessments are over."""
    return begun(assemble(window_closes="2019-04-20 00:00"))


@pytest.mark.slow
def test_three_hundred_steps(people: World) -> None:
    walk = Walk(people.copy(), seed=87, minutes=120)
    taken = walked(walk, steps=300)
    assert {
        ("opinion", "drafted", "sign"),
        ("provincial-report", "open", "send"),
        ("capability-assessment", "planned", "assign"),
        ("approval-list", "draft", "prepare"),
    } <= taken
    assert walk.refused.total() > 0


# --- a walk can fail ------------------------------------------------------------------------------
type Errand = Callable[[Walk], tuple[str, str]]


def office(walk: Walk, role: str, place: int = 0) -> Actor:
    """Whoever holds an office; the first approver is the first officer too."""
    return [actor for actor in walk.cast if actor.role == role][place]


def applied(walk: Walk, place: int) -> Application:
    application: Application = Application.unscoped.get(provider=walk.providers[place].organisation_id)
    return application


def published_by_whoever_prepared(walk: Walk) -> tuple[str, str]:
    fire(ApprovalList.unscoped.get(), "publish", actor=office(walk, Role.MINISTRY_APPROVER))
    return "approval-list", "publish"


def withdrawn_from_a_fixed_list(walk: Walk) -> tuple[str, str]:
    fire(applied(walk, 0), "withdraw", actor=walk.providers[0], reason="示例")
    return "application", "withdraw"


def reviewed_by_whoever_decided(walk: Walk) -> tuple[str, str]:
    """The officer who concluded the assessment dismisses the objection against its consequence."""
    fire(ApprovalList.unscoped.get(), "publish", actor=office(walk, Role.MINISTRY_APPROVER, 1))
    objection = file_objection(
        actor=walk.providers[1], machine="application", object_id=applied(walk, 1).pk, grounds="示例"
    )
    fire(objection, "take", actor=office(walk, Role.MINISTRY_OFFICER))
    fire(objection, "dismiss", actor=office(walk, Role.MINISTRY_OFFICER), reason="示例")
    return "objection", "dismiss"


@pytest.fixture
def listed(people: World) -> Walk:
    """All assessments are over; a list was prepared by an officer who is an approver too, approved by another."""
    walk = Walk(people.copy(), seed=1, minutes=1)
    staff = builders.Desk(
        reviewer=office(walk, Role.BUREAU_REVIEWER),
        lead=office(walk, Role.BUREAU_LEAD),
        officer=office(walk, Role.MINISTRY_OFFICER),
        approver=office(walk, Role.MINISTRY_APPROVER, 1),
    )
    waiting = CapabilityAssessment.unscoped.get(state="planned")
    builders.concluded(waiting, staff, [office(walk, Role.ASSESSOR, n) for n in (3, 4)])
    builders.approved(staff)
    return walk


@pytest.mark.parametrize(
    ("errand", "guarded", "law"),
    [
        (published_by_whoever_prepared, ("approval-list", "publish"), "four_eyes"),
        (withdrawn_from_a_fixed_list, ("application", "withdraw"), "every_application_stands"),
        (reviewed_by_whoever_decided, ("objection", "take"), "four_eyes"),
    ],
)
def test_a_step_past_a_guard_is_refused_and_with_the_guard_gone_breaks_the_law(
    listed: Walk, monkeypatch: pytest.MonkeyPatch, errand: Errand, guarded: tuple[str, str], law: str
) -> None:
    listed.attempt(lambda: errand(listed))
    assert (listed.done.total(), listed.refused.total()) == (0, 1)
    open_to_all = replace(workflow._handlers[guarded], guards=())
    monkeypatch.setitem(workflow._handlers, guarded, open_to_all)
    with pytest.raises(AssertionError) as broken:
        listed.attempt(lambda: errand(listed))
    assert any(entry.name.startswith(law) for entry in broken.traceback)


def test_a_walk_finds_that_assessors_read_before_they_declare(
    people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(cls: Any, actor: Actor) -> Any:
        return cls.unscoped.filter(assessor=actor.person_id, released_at__isnull=True).values("assessment")

    walk = Walk(people.copy(), seed=87, minutes=30)
    monkeypatch.setattr(InterestDeclaration, "cleared", classmethod(asked))
    with pytest.raises(AssertionError) as broken:
        walked(walk, steps=300)
    assert broken.traceback[-1].name == "_look_through_the_eyes_of"
