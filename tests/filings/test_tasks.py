"""The recurring jobs do what their services do, under the names the timetable calls."""

from __future__ import annotations

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
