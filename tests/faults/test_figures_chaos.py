"""Loaders, comparers, officials and folders at once, some of them killed: no figure is ever wrong, not for a moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from filings.enums import JobState
from filings.models import (
    CountDelta,
    DailyTally,
    Determination,
    Finding,
    UploadJob,
    VerificationForm,
)
from filings.selectors import counting
from filings.services import buckets, deltas, uploads
from pilot.actors import Actor
from pilot.models import PilotUnit
from tests.factories import world

ROOT = Path(__file__).parents[2]
ACTOR = Path(__file__).with_name("figures_actor.py")
ROLES = ("load", "load", "compare", "compare", "find", "find", "inspect", "fold", "fold")
FORMS = int(os.environ.get("PILOT_CHAOS_FORMS", "240"))
"""How many forms come in before it ends; by hand it is run with more."""
KILLS, TIMES = 8, max(1, FORMS // 240)
PATIENCE = 400.0 * TIMES
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(600 * TIMES)]


class Crowd:
    """Everybody at work; whoever was not killed has to end well."""

    def __init__(self, unit: PilotUnit, people: dict[str, Actor]) -> None:
        self._given = [str(unit.pk), json.dumps({name: asdict(actor) for name, actor in people.items()})]
        self._serial = 0
        self._workers = [self._start(role) for role in ROLES]

    def _start(self, role: str) -> subprocess.Popen[bytes]:
        self._serial += 1
        words = [connection.settings_dict["NAME"], role, f"{role}-{self._serial}", *self._given]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.Popen([sys.executable, str(ACTOR), *words], cwd=ROOT, env=environment)

    def kill(self, place: int) -> None:
        """kill -9 for one of them, and another one takes its part."""
        self._workers[place].send_signal(signal.SIGKILL)
        self._workers[place].wait()
        self._workers[place] = self._start(ROLES[place])

    def end(self) -> set[int]:
        """Tell everybody to end; how they ended."""
        for worker in self._workers:
            worker.terminate()
        return {worker.wait(60) for worker in self._workers}

    def disperse(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait()


def wrong(unit: PilotUnit) -> list[Any]:
    """Buckets, with what waits to be folded, that are not what a recount in the same snapshot gives."""
    return counting.differences(units=[unit.pk])


def test_no_figure_is_wrong_in_chaos_or_after_it(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor
) -> None:
    settings.VAR = Path(os.environ["PILOT_VAR"])
    people = {"provider": provider, "finder": bureau_reviewer, "decider": world.bureau()}
    rng, kills, end = Random(7), 0, time.monotonic() + PATIENCE  # noqa: S311 (who is killed, no secret)
    crowd = Crowd(unit, people)
    try:
        while (stored := VerificationForm.unscoped.filter(unit=unit).count()) < FORMS or kills < KILLS:
            assert time.monotonic() < end, (stored, kills)
            assert wrong(unit) == []
            if kills < KILLS and stored >= (kills + 1) * FORMS // (KILLS + 1):
                crowd.kill(rng.randrange(len(ROLES)))
                kills += 1
        assert crowd.end() <= {0, -signal.SIGTERM}  # the latter: told to end before it had begun
    finally:
        crowd.disperse()
    for job in UploadJob.unscoped.filter(state__in=(JobState.RECEIVED, JobState.PROCESSING)):
        uploads.process(job_id=job.pk)
    assert wrong(unit) == []
    buckets.fold()
    assert not CountDelta.objects.exists()
    assert wrong(unit) == []
    _equals_a_serial_recount(unit)
    assert VerificationForm.unscoped.filter(unit=unit, version__gt=1).exists()
    assert set(Determination.unscoped.values_list("outcome", flat=True)) == {
        "match",
        "mismatch",
        "undeterminable",
    }
    assert set(Finding.unscoped.values_list("state", flat=True)) >= {"confirmed", "upheld", "overturned"}


def _equals_a_serial_recount(unit: PilotUnit) -> None:
    """The folded buckets alone, against the statement that counts form by form."""
    sums = {name: Sum(name) for name in deltas.COLUMNS if name != "forms"}
    rows = DailyTally.unscoped.filter(unit=unit).values_list(*deltas.BY).annotate(**sums)
    folded = {row[:3]: row[3:] for row in rows if any(row[3:])}
    found = counting.tallies(units=[unit.pk], by=deltas.BY)
    recounted = {
        key: (tally.versions, *(getattr(tally.counts, name) for name in counting.CHAIN_NAMES))
        for key, tally in found.items()
    }
    assert folded == recounted
