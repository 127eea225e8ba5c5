"""Hypothesis walks through intake and the run phase: no step is skipped, whatever is tried in whatever order (F05).

``PILOT_WALK_STEPS`` says how many steps each of the two takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from pilot.models import Programme
from tests.factories import papers
from tests.faults import walks

STEPS = int(os.environ.get("PILOT_WALK_STEPS", "150"))
LENGTH = 25  # steps of one walk

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(300 + STEPS)]


@pytest.fixture(autouse=True)
def unset() -> Iterator[None]:
    with papers.unset():
        yield


@pytest.mark.parametrize("walk", [walks.IntakeWalk, walks.RunWalk])
def test_no_order_of_acts_breaks_a_rule(walk: type[walks.Walk], programme: Programme) -> None:
    walks.seen.clear()
    chosen = settings(
        max_examples=max(1, STEPS // LENGTH),
        stateful_step_count=LENGTH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(walk, settings=chosen)
    assert {machine for machine, _source, _name in walks.seen} <= set(walk.table)
    assert walks.seen.total() > STEPS // 20  # not everything was refused
