"""What the tests of a module share: built once, kept in one transaction; every test works in a savepoint of it.

Papers take most of the time of a scene, so scenes that many tests start from are built per module. Names of models are
imported late: Django is set up after conftests are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pilot.actors import Actor
    from pilot.models import Programme
    from tests.assessment.builders import Desk


@pytest.fixture(scope="module")
def shared(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A transaction around all tests of the module, rolled back at its end."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def programme(shared: None) -> Programme:
    from tests.factories import world

    return world.install()


@pytest.fixture(scope="module")
def staff(programme: Programme) -> Desk:
    """The people of 广东 and of the ministry."""
    from tests.assessment import builders

    return builders.desk()


@pytest.fixture(scope="module")
def assessors(programme: Programme) -> list[Actor]:
    """Three assessors of three agencies."""
    from tests.factories import world

    return [world.assessor() for _ in range(3)]


@pytest.fixture(scope="module")
def decided(staff: Desk, assessors: list[Actor]) -> list[Any]:
    """Three reported applicants of 广东: one passed, one failed the assessment, one was not recommended."""
    from tests.assessment import builders
    from tests.factories import world

    passed, failed = builders.recommended(staff), builders.recommended(staff)
    unwanted = builders.not_recommended(staff)
    builders.begin_review()
    builders.received(staff)
    builders.concluded(builders.assessment_of(passed), staff, assessors[:2])
    builders.concluded(
        builders.assessment_of(failed), staff, assessors[:2], {**builders.FULL, "protection": 3}
    )
    world.at("2019-05-14 09:00")
    return [passed, failed, unwanted]
