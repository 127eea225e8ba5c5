"""The long walk through review, in a database that holds nobody but its own people (see test_walk)."""

from __future__ import annotations

import pytest

from applications.models import Application, LateAdmission
from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
    Opinion,
    ProvincialReport,
)
from pilot.machines import declared
from pilot.models import Objection, Programme
from tests.assessment.walking import Walk, assemble, walked
from tests.factories import papers

pytestmark = pytest.mark.django_db


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_steps_take_every_transition_of_review(programme: Programme) -> None:
    """Every act of every machine of review is taken, the second lists after objections among them."""
    with papers.unset():
        walk = Walk(assemble(window_closes="2019-04-25 00:00"), seed=2019, minutes=12)
        taken = walked(walk, steps=10_000)
    machines = (
        Application,
        LateAdmission,
        Opinion,
        ProvincialReport,
        CapabilityAssessment,
        InterestDeclaration,
        ApprovalList,
        Objection,
    )
    wanted = {(model.slug(), move.name) for model in machines for move in declared(model)}
    assert wanted - {(machine, name) for machine, _source, name in taken} == set()
    assert ("application", "not_listed", "admit") in taken  # by a second list, after an objection
    assert {("register", "set_status"), ("register", "set_scope")} <= set(walk.done)
