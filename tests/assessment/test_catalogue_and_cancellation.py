"""The criteria catalogue, and how a withdrawal ends an assessment."""

from __future__ import annotations

import pytest

from assessment.models import Criterion
from assessment.services import criteria
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from pilot.models import Programme
from pilot.workflow import fire
from tests.assessment import builders
from tests.assessment.builders import FULL
from tests.assessment.refusals import refusal
from tests.factories import world

pytestmark = pytest.mark.django_db


def test_the_catalogue_of_the_programme_sums_to_a_hundred_and_is_installed_once(programme: Programme) -> None:
    first = criteria.install(programme)
    assert criteria.install(programme) == first
    assert sum(criterion.points for criterion in first) == 100
    assert {criterion.code: criterion.points for criterion in first} == FULL
    assert all(criterion.must_pass <= criterion.points for criterion in first)
    assert Criterion.objects.count() == 8


def test_withdrawal_cancels_the_running_assessment(staff: builders.Desk, assessors: list[Actor]) -> None:
    provider = world.provider()
    application = builders.recommended(staff, provider)
    builders.begin_review()
    builders.received(staff)
    case = builders.assessment_of(application)
    builders.assigned(case, staff, assessors[:2])
    application.refresh_from_db()
    fire(application, "withdraw", actor=provider)
    assert builders.refreshed(case).state == "cancelled"
    assert refusal(builders.declaration_of(case, assessors[0]), "declare_none", actor=assessors[0]) == (
        Refused,
        "评估已经结束",
    )
    assert refusal(case, "assign", actor=staff.officer)[0] is StateChanged
