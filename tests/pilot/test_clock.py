"""Business time within one request or act: the shift is read once, and anew after it was moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pilot import clock
from pilot.actors import Actor
from pilot.demo import build
from pilot.errors import Refused
from pilot.models import Person, Programme
from pilot.workflow import fire
from tests.applications import builders

pytestmark = pytest.mark.django_db
JULY = datetime(2019, 7, 1, 1, tzinfo=UTC)


def test_a_block_reads_the_shift_once_and_so_does_one_within_it(
    programme: Programme, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(1), clock.steady():
        clock.now()
        with clock.steady():
            clock.now()
        clock.now()
    with django_assert_num_queries(2):
        clock.now()
        clock.now()


def test_within_a_block_a_moved_clock_is_seen(programme: Programme) -> None:
    with clock.steady():
        clock.set_business_time(JULY)
        assert clock.now() - JULY < timedelta(minutes=1)
        clock.set_business_time(JULY + timedelta(days=1))
        assert timedelta(days=1) <= clock.now() - JULY < timedelta(days=1, minutes=1)


def test_an_act_reads_the_shift_once(programme: Programme, provider: Actor) -> None:
    case = builders.drafted(provider)
    with CaptureQueriesContext(connection) as queries:
        fire(case, "submit", actor=provider, declaration=True)
    asked = [query["sql"] for query in queries if '"pilot_businessclock"."offset"' in query["sql"]]
    assert len(asked) == 1


def test_a_portal_that_is_only_being_set_up_is_no_place_for_the_demonstration() -> None:
    Person.objects.create(username="li", name="李")
    with pytest.raises(Refused, match="正式数据"):
        build.build("intake", forms=0, say=print)
    assert clock.is_demo() is False
