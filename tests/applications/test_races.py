"""Real connections at once: one submission, one number; one winner of withdrawal and acceptance; one reminder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

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
        thread.join(timeout=120)
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


def test_submissions_of_many_applications_get_numbers_without_gap_or_double() -> None:
    world.install()
    providers = [world.provider() for _ in range(4)]
    cases = [(builders.drafted(provider), provider) for provider in providers]
    jobs = [
        lambda c=case, p=provider: fire(c, "submit", actor=p, declaration=True) for case, provider in cases
    ]
    assert at_once(jobs) == {"done": 4}
    numbers = Application.unscoped.order_by("case_number").values_list("case_number", flat=True)
    assert list(numbers) == [f"SQ2019-44-{n:05d}" for n in range(1, 5)]


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
