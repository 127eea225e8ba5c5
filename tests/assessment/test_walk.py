"""Random walks through review: whatever anybody tries, the law of review holds after every step.

The seeds are fixed, so that a walk that breaks the law breaks it again.
"""

from __future__ import annotations

import pytest

from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
    Opinion,
    ProvincialReport,
)
from pilot.machines import declared
from pilot.models import Programme, TransitionRecord
from tests.assessment.law import whole_histories
from tests.assessment.walking import Walk

pytestmark = pytest.mark.django_db


def walked(*, seed: int, minutes: int, steps: int) -> Walk:
    """A walk of so many steps, each up to ``minutes`` of business time after the one before."""
    walk = Walk(seed=seed, minutes=minutes)
    for _ in range(steps):
        walk.step()
    assert walk.done.total() + walk.refused.total() == steps
    assert whole_histories() >= walk.done.total() - walk.done["system", "housekeeping"]
    return walk


def test_three_hundred_steps(programme: Programme) -> None:
    walk = walked(seed=87, minutes=120, steps=300)
    taken = set(TransitionRecord.objects.values_list("machine", "name"))
    assert {("opinion", "sign"), ("provincial-report", "send"), ("provincial-report", "receive")} <= taken
    assert walk.refused.total() > 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_steps_take_every_transition_of_review(programme: Programme) -> None:
    """Long enough for every act of the five machines, and for lists after a pass and after an upheld objection."""
    walked(seed=2019, minutes=12, steps=10_000)
    taken = set(TransitionRecord.objects.values_list("machine", "name"))
    machines = (Opinion, ProvincialReport, CapabilityAssessment, InterestDeclaration, ApprovalList)
    wanted = {(model.slug(), move.name) for model in machines for move in declared(model)}
    assert wanted | {("application", "admit"), ("application", "decline"), ("objection", "uphold")} <= taken
