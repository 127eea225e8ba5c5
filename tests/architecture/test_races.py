"""House rule 1 under load: fifty threads on fifty connections fire one transition of one case; exactly one wins.

One race per app belongs to the fast suite; the slow one holds a race for every transition of every machine.
``PILOT_RACE_ROUNDS`` says how many of each.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from threading import Barrier, Lock, Thread

import pytest
from django.core.management import call_command
from django.db import connection

from pilot.errors import PilotError
from pilot.machines import MACHINES, Case
from pilot.models import AuditEntry, TransitionRecord
from tests.factories import world
from tests.factories.cases import Cast
from tests.factories.scenes import TRANSITIONS, scene

THREADS = 50
ROUNDS = int(os.environ.get("PILOT_RACE_ROUNDS", "1"))

# One of every app, the one most people could reach for at once.
FAST = {
    ("role-change", "requested", "approve"),
    ("application", "submitted", "accept"),
    ("approval-list", "approved", "publish"),
    ("finding", "open", "dispute_finding"),
}

ROUND_TRIPS = {("assigned", "reassign"), ("in_moderation", "replace")}


def race(act: Callable[[], object]) -> Counter[str]:
    """Do one thing in fifty threads, each with a connection of its own, all let go together; count how they ended.

    A refusal counts under its status and code, if it has words; whatever else is raised under the name of its class.
    """
    barrier, lock = Barrier(THREADS), Lock()
    ended: Counter[str] = Counter()
    servers: set[int] = set()

    def run() -> None:
        try:
            connection.ensure_connection()
            with lock:
                servers.add(connection.connection.info.backend_pid)
            barrier.wait(timeout=120)
            act()
            outcome = "done"
        except PilotError as error:
            outcome = f"{error.status} {error.code}" if str(error.message).strip() else "no words"
        except Exception as error:
            outcome = type(error).__name__
        finally:
            connection.close()
        with lock:
            ended[outcome] += 1

    threads = [Thread(target=run, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(servers) == THREADS
    return ended


def steps(case: Case) -> int:
    return TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk).count()


def test_the_fast_races_cover_every_app() -> None:
    assert sorted(MACHINES[slug]._meta.app_label for slug, _source, _name in FAST) == sorted(
        {model._meta.app_label for model in MACHINES.values()}
    )


def deadlocks() -> int:
    """How many the server has had to break here; a deadlock is told to people as a lost race, so it is counted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300 * ROUNDS)
@pytest.mark.parametrize(
    ("slug", "source", "name"),
    [
        pytest.param(*row, id="-".join(row), marks=() if row in FAST else pytest.mark.slow)
        for row in TRANSITIONS
    ],
)
def test_of_fifty_at_once_exactly_one_wins(slug: str, source: str, name: str) -> None:
    broken = deadlocks()
    for turn in range(ROUNDS):
        if turn:
            call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
        one_race(slug, source, name)
    assert deadlocks() == broken


def one_race(slug: str, source: str, name: str) -> None:
    """A world, a case in it, and fifty who want the same."""
    world.install()
    act = scene(slug, source, name, Cast())
    assert act.case.state == source
    before = steps(act.case)
    entries = AuditEntry.objects.filter(
        action=f"{slug}.{name}", object_type=act.case._meta.model_name, object_id=str(act.case.pk)
    )
    ended = race(act.fire)
    # A transition that leads back to its own state leaves what was seen true; its condition holds no longer.
    lost = "422 condition" if (source, name) in ROUND_TRIPS else "409 state.changed"
    assert ended == {"done": 1, lost: THREADS - 1}
    assert steps(act.case) == before + 1
    assert Counter(entries.values_list("outcome", flat=True)) == {"done": 1, "denied": THREADS - 1}
