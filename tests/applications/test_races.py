"""Real connections at once: one submission, one number; one winner of withdrawal and acceptance; one reminder.

``PILOT_SUBMISSIONS`` says how many applications are handed in at once, over at most a hundred connections.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from applications.models import Application, ApplicationVersion
from applications.services import deadlines
from applications.services.drafts import start_application
from pilot.actors import Actor
from pilot.errors import PilotError
from pilot.models import Notice, NumberSequence, OutboxMessage, TransitionRecord
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world

pytestmark = pytest.mark.django_db(transaction=True)
SUBMISSIONS = int(os.environ.get("PILOT_SUBMISSIONS", "6"))
CONNECTIONS = 100
PROVINCES = (44, 45)


def at_once(jobs: Sequence[Callable[[], object]]) -> Counter[str]:
    """Run every job in its own thread on its own connection, all released together; count how they ended."""
    barrier = Barrier(len(jobs))
    ended: list[str] = []

    def run(job: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            try:
                job()
                ended.append("done")
            except PilotError as error:
                ended.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120 + SUBMISSIONS)
    assert len(ended) == len(jobs)
    return Counter(ended)


@pytest.fixture
def people() -> tuple[Actor, Actor]:
    world.install()
    return world.provider(), world.bureau()


def test_twenty_submissions_of_one_application_give_one_number(people: tuple[Actor, Actor]) -> None:
    provider, _reviewer = people
    case = builders.drafted(provider)

    def submit() -> None:
        fire(Application.unscoped.get(pk=case.pk), "submit", actor=provider, seen="draft", declaration=True)

    assert at_once([submit] * 20) == {"done": 1, "state.changed": 19}
    assert NumberSequence.objects.get(series="SQ2019-44").last == 1
    assert ApplicationVersion.unscoped.count() == 1
    assert OutboxMessage.objects.filter(target="applications.tasks.make_receipt").count() == 1
    assert TransitionRecord.objects.filter(name="submit").count() == 1


class Stopped(Exception):
    """Something fails after the number was drawn."""


@pytest.mark.timeout(300 + SUBMISSIONS)
def test_submissions_of_many_applications_get_numbers_without_gap_or_double() -> None:
    """In two provinces, and every third is undone once when it had its number already."""
    world.install()
    providers = [world.provider(PROVINCES[n % 2]) for n in range(SUBMISSIONS)]
    cases = [(builders.drafted(provider), provider) for provider in providers]
    lanes = min(SUBMISSIONS, CONNECTIONS)

    def submit(lane: int) -> None:
        for place, (case, provider) in enumerate(cases[lane::lanes], start=lane):
            if place % 3 == 0:
                with suppress(Stopped), transaction.atomic():
                    fire(case, "submit", actor=provider, declaration=True)
                    raise Stopped
            fire(case, "submit", actor=provider, declaration=True)

    assert at_once([lambda lane=lane: submit(lane) for lane in range(lanes)]) == {"done": lanes}
    for place, province in enumerate(PROVINCES):
        numbers = Application.unscoped.filter(province=province).order_by("case_number")
        wanted = len(providers[place::2])
        assert list(numbers.values_list("case_number", flat=True)) == [
            f"SQ2019-{province}-{n:05d}" for n in range(1, wanted + 1)
        ]


def test_of_withdrawal_and_acceptance_exactly_one_wins(people: tuple[Actor, Actor]) -> None:
    provider, reviewer = people
    case = builders.submitted(provider)
    ended = at_once(
        [
            lambda: fire(case, "withdraw", actor=provider, seen="submitted"),
            lambda: fire(case, "accept", actor=reviewer, seen="submitted"),
        ]
    )
    assert ended == {"done": 1, "state.changed": 1}
    case.refresh_from_db()
    assert case.state in {"withdrawn", "accepted"}


def test_two_people_of_one_provider_begin_one_application(people: tuple[Actor, Actor]) -> None:
    provider, _reviewer = people
    assert at_once([lambda: start_application(actor=provider)] * 8) == {"done": 1, "condition": 7}
    assert Application.unscoped.count() == 1


def test_workers_side_by_side_remind_and_lapse_once(people: tuple[Actor, Actor]) -> None:
    provider, reviewer = people
    case = builders.returned(provider, reviewer)
    assert case.due_at is not None
    near, over = case.due_at - timedelta(hours=1), case.due_at + timedelta(minutes=1)
    assert at_once([lambda: deadlines.pass_deadlines(at=near)] * 4) == {"done": 4}
    assert Notice.objects.filter(subject__endswith="补正期限将至").count() == 1
    assert at_once([lambda: deadlines.pass_deadlines(at=over)] * 4) == {"done": 4}
    assert TransitionRecord.objects.filter(name="lapse").count() == 1
