"""Every field of every model is in the inventory, and what the inventory says of periods is what the jobs do."""

from __future__ import annotations

import pytest

from applications.services import uploads
from filings.services import rejects
from pilot import inventory
from pilot.celery import app
from pilot.services import exports, idempotency, webhooks
from tests.security.inventory import PAGE, fields_of, table


@pytest.mark.parametrize("app_name", inventory.APPS)
def test_every_field_has_a_row_and_every_row_a_field(app_name: str) -> None:
    models = fields_of(app_name)
    assert sorted(inventory.models_of(app_name)) == sorted(models)
    described = {
        model: [row.field for row in inventory.rows(app_name, model, fields)]
        for model, fields in models.items()
    }
    assert {model: sorted(fields.keys() - set(described[model])) for model, fields in models.items()} == {
        model: [] for model in models
    }
    stale = {
        model: sorted(inventory.named(app_name, model) - fields.keys()) for model, fields in models.items()
    }
    assert stale == {model: [] for model in models}


def test_every_term_is_known_and_used() -> None:
    known = inventory.terms()
    found = [
        row for name in inventory.APPS for model, fields in fields_of(name).items()
        for row in inventory.rows(name, model, fields)
    ]  # fmt: skip
    periods = {row.period for row in found} | {
        "session",
        "attempt",
        "spool",
    }  # what others' models hold, and files
    assert periods == set(known["period"])
    assert {row.sees for row in found} == set(known["sees"].values())
    assert {row.basis for row in found} == set(known["basis"].values())


def test_every_period_with_days_is_carried_out_by_a_job_that_runs() -> None:
    timetable = {entry["task"] for entry in app.conf.beat_schedule.values()}
    jobs = {
        name: period.get("job") for name, period in inventory.terms()["period"].items() if "days" in period
    }
    assert {name: job for name, job in jobs.items() if job not in timetable} == {}
    kept = {
        "export": exports.KEPT,
        "answer": idempotency.KEPT_FOR,
        "delivery": webhooks.KEPT,
        "partial": uploads.STALE_AFTER,
        "spool": rejects.KEPT_FOR,
    }
    assert kept == {name: inventory.period(name) for name in kept}


def test_the_page_shows_the_inventory() -> None:
    assert table() == PAGE.read_text(encoding="utf-8")
