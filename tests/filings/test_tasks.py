"""The recurring jobs do what their services do, under the names the timetable calls."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from filings import tasks
from filings.models import AccuracyResult, Alert, Finding
from pilot.celery import app
from tests.factories import world


def test_the_timetable_names_tasks_that_exist() -> None:
    called = {entry["task"] for entry in app.conf.beat_schedule.values()}
    ours = {name for name in called if name.startswith("filings.")}
    assert ours == ours & set(app.tasks)
    assert ours >= {"filings.tasks.pass_deadlines", "filings.tasks.nightly_recount"}


def test_a_job_that_waits_for_room_on_the_disk_is_no_task_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(**_asked: Any) -> None:
        raise fault

    monkeypatch.setattr(tasks.uploads, "process", full)
    fault = OSError(errno.ENOSPC, "no room")
    tasks.process_upload(1)
    fault = OSError(errno.EACCES, "not ours")
    with pytest.raises(PermissionError):
        tasks.process_upload(1)


@pytest.mark.django_db
def test_before_a_programme_is_installed_no_deadline_passes() -> None:
    assert tasks.pass_deadlines() == 0


@pytest.mark.usefixtures("finding")
def test_deadlines_pass_by_the_job() -> None:
    world.at("2019-07-09 00:01")
    assert (tasks.pass_deadlines(), Finding.unscoped.get().state) == (1, "confirmed")


@pytest.mark.usefixtures("finding")
def test_the_nightly_job_appends_results() -> None:
    assert (tasks.nightly_recount(), AccuracyResult.unscoped.filter(alerts=None).count()) == (3, 3)
    assert Alert.unscoped.exclude(result=None).count() == 3  # the alerts are looked at right after
    assert tasks.review_alerts() == 0
