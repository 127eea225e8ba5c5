"""House rule 1 under load: fifty threads on fifty connections fire one transition of one case; exactly one wins.

One race per machine belongs to the fast suite; the slow one holds a race for every transition of every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Lock, Thread

import pytest
from django.db import connection

from pilot.errors import PilotError
from pilot.machines import Case
from pilot.models import AuditEntry, TransitionRecord
from tests.factories import world
from tests.factories.cases import Cast
from tests.factories.scenes import TRANSITIONS, scene

THREADS = 50

# One of every machine, the one most people could reach for at once.
FAST = {
    ("window-extension", "proposed", "approve"),
    ("provider-registration", "requested", "confirm"),
    ("role-change", "requested", "approve"),
    ("objection", "filed", "take"),
    ("application", "submitted", "accept"),
    ("late-admission", "proposed", "approve"),
    ("opinion", "drafted", "sign"),
    ("provincial-report", "open", "send"),
    ("capability-assessment", "planned", "assign"),
    ("interest-declaration", "asked", "declare_none"),
    ("approval-list", "approved", "publish"),
    ("upload-job", "received", "start"),
    ("alert", "open", "clear"),
    ("finding", "open", "dispute_finding"),
    ("inspection", "committed", "draw"),
    ("rectification", "drafted", "issue"),
    ("sanction", "heard", "impose"),
    ("coordination-case", "open", "reply"),
    ("faq-entry", "drafted", "publish"),
    ("bulletin", "compiled", "sign"),
}

ROUND_TRIPS = {("assigned", "reassign"), ("in_moderation", "replace")}


def race(act: Callable[[], object]) -> Counter[str]:
    """Do one thing in fifty threads, each with a connection of its own, all let go together; count how they ended.

    A refusal counts under its code; whatever else is raised (a deadlock, say) under the name of its class.
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
            outcome = error.code
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


def test_the_fast_races_cover_every_machine() -> None:
    machines = [slug for slug, _source, _name in TRANSITIONS]
    assert sorted(slug for slug, _source, _name in FAST) == sorted(set(machines))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("slug", "source", "name"),
    [
        pytest.param(*row, id="-".join(row), marks=() if row in FAST else pytest.mark.slow)
        for row in TRANSITIONS
    ],
)
def test_of_fifty_at_once_exactly_one_wins(slug: str, source: str, name: str) -> None:
    world.install()
    act = scene(slug, source, name, Cast())
    assert act.case.state == source
    before = steps(act.case)
    entries = AuditEntry.objects.filter(
        action=f"{slug}.{name}", object_type=act.case._meta.model_name, object_id=str(act.case.pk)
    )
    ended = race(act.fire)
    # A transition that leads back to its own state leaves what was seen true; its condition holds no longer.
    lost = "condition" if (source, name) in ROUND_TRIPS else "state.changed"
    assert ended == {"done": 1, lost: THREADS - 1}
    assert steps(act.case) == before + 1
    assert Counter(entries.values_list("outcome", flat=True)) == {"done": 1, "denied": THREADS - 1}
