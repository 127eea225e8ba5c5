"""The daily buckets: always what a recount gives, at the cost of what changed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from filings.models import (
    AccuracyResult,
    CountDelta,
    DailyTally,
    Determination,
    Finding,
    FoldMark,
    Inspection,
    InspectionItem,
    MonthTally,
    VerificationForm,
)
from filings.selectors import counting, rollups
from filings.services import buckets, deltas, figures, inspections, loading, nightly
from filings.services import findings as finding_service
from pilot import celery
from pilot.actors import Actor
from pilot.models import AuditEntry, Notice, OutboxMessage, PilotUnit
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders


def agrees(unit: PilotUnit) -> bool:
    """Whether buckets and queue say what the forms say, by bucket, to date and for the month."""
    return not counting.differences(units=[unit.pk]) and all(
        figures.figures(unit=unit, period=period, at=None, recount=True) | {"as_of": ""}
        == figures.figures(unit=unit, period=period, recount=False) | {"as_of": ""}
        for period in ("to-date", "2019-06", "2019-06-18")
    )


def queued() -> dict[str, int]:
    """What waits to be folded, without the counts that do not change."""
    total: dict[str, int] = {}
    for row in CountDelta.objects.all():
        for name in deltas.COLUMNS:
            total[name] = total.get(name, 0) + getattr(row, name)
    return {name: number for name, number in total.items() if number}


def taken() -> dict[str, int]:
    """What the last write queued, folded away."""
    change = queued()
    buckets.fold()
    assert not CountDelta.objects.exists()
    return change


def test_every_writer_queues_what_it_changes(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    row = builders.form(unit, "F-1")
    assert (taken(), agrees(unit)) == ({"forms": 1, "versions": 1, "pending": 1}, True)
    builders.compared(row)
    judged = {"m1_n": 1, "m2_n": 1, "pending": -1, "first_pass_m1_n": 1, "first_pass_m2_n": 1}
    assert (taken(), agrees(unit)) == (judged, True)
    found = finding_service.report_finding(
        actor=bureau_reviewer, form=row, field="subject", kind="identity", description="示例"
    )
    assert (taken(), agrees(unit)) == ({"m1_provisional": 1, "m2_provisional": 1}, True)
    fire(found, "confirm", actor=provider)
    wrong = dict.fromkeys(("m1_errors", "m2_errors", "first_pass_m1_errors", "first_pass_m2_errors"), 1)
    assert (taken(), agrees(unit)) == (wrong | {"m1_provisional": -1, "m2_provisional": -1}, True)
    builders.form(unit, "F-2", "2019-06-19 10:00", corrects=row)
    assert (taken(), agrees(unit)) == ({"forms": 1, "versions": 1, "errors_corrected": 1}, True)


def test_an_inspection_queues_what_it_closes_and_judges(
    unit: PilotUnit, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    builders.form(unit, "F-1")
    buckets.fold()
    inspection = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=1)
    inspection = fire(fire(inspection, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    inspection = fire(inspection, "begin", actor=bureau_reviewer)
    assert (taken(), agrees(unit)) == ({}, True)
    item = InspectionItem.unscoped.get(inspection=inspection)
    inspections.record_verdict(
        case=inspection, actor=bureau_reviewer, item=item, identity_right=True, form_right=True
    )
    judged = {"m1_n": 1, "m2_n": 1, "pending": -1, "first_pass_m1_n": 1, "first_pass_m2_n": 1}
    assert (taken(), agrees(unit)) == (judged, True)
    fire(Inspection.unscoped.get(), "cancel", actor=bureau_lead, reason="示例")
    assert (taken(), agrees(unit)) == ({name: -number for name, number in judged.items()}, True)


def test_forms_of_one_batch_are_counted_with_their_corrections(unit: PilotUnit) -> None:
    first = builders.form(unit, "F-1")
    late = builders.form(unit, "F-2", late=True)
    buckets.fold()
    rows = [
        _copy(first, "F-3", 1),
        _copy(first, "F-4", 1),
        _copy(first, "F-5", 2, chain="F-4"),
        _copy(late, "F-6", 1),
    ]
    rows.append(_copy(first, "F-7", 2, chain="F-1"))
    with deltas.arriving(unit_id=unit.pk, arrivals=[builders.arrival(row) for row in rows]):
        VerificationForm.unscoped.bulk_create(rows)
    assert (taken(), agrees(unit)) == ({"forms": 5, "versions": 4, "pending": 2, "late": 1}, True)


def _copy(form: VerificationForm, number: str, version: int, chain: str = "") -> VerificationForm:
    row = VerificationForm.unscoped.get(pk=form.pk)
    row.pk, row.form_no, row.chain_no, row.version = None, number, chain or number, version
    return row


def test_a_fold_adds_changes_without_counting_anything_afresh(unit: PilotUnit) -> None:
    for number in range(5):
        builders.form(unit, f"F-{number}", f"2019-06-1{number} 10:00")
    assert (buckets.fold(unit=unit), DailyTally.unscoped.count()) == (5, 5)
    before = set(DailyTally.unscoped.values_list("day", "pk"))
    builders.form(unit, "F-9", "2019-06-12 11:00")
    shown = rollups.summed(rollups.of_unit(unit.pk))[()]
    assert (buckets.fold(), buckets.fold()) == (1, 0)
    assert set(DailyTally.unscoped.values_list("day", "pk")) == before
    assert rollups.summed(rollups.of_unit(unit.pk))[()] == shown  # a page reads the same before and after
    assert FoldMark.objects.get(unit=unit).number == 2


def test_uploads_that_end_have_their_counts_folded_once(unit: PilotUnit) -> None:
    for accepted in (1, 1, 0):
        upload = builders.job(unit, world.moment("2019-06-18 10:00"), accepted=accepted)
        for step in ("start", "finish"):
            upload = fire(upload, step, actor=loading.LOADER)
    assert OutboxMessage.objects.filter(target="filings.tasks.fold_counts").count() == 1
    assert celery.app.conf.beat_schedule["fold"]["task"] == "filings.tasks.fold_counts"


def test_what_is_undone_is_not_counted(unit: PilotUnit) -> None:
    row = builders.form(unit, "F-1")
    with deltas.recorded(unit_id=unit.pk, chains=["F-1"]):
        with (
            pytest.raises(RuntimeError),
            deltas.recorded(unit_id=unit.pk, chains=["F-1"]),
            transaction.atomic(),
        ):
            _compare_and_fail(row)
        builders.compared(row, outcome="undeterminable")
    assert (agrees(unit), queued()["undeterminable"]) == (True, 1)


def _compare_and_fail(row: VerificationForm) -> None:
    builders.compared(row)
    raise RuntimeError


UNCOUNTED: dict[str, Any] = {
    "form": lambda row: _copy(row, "F-2", 1).save(),
    "form by SQL": lambda row: _execute(
        "CREATE TEMP TABLE one ON COMMIT DROP AS SELECT * FROM filings_verificationform;"
        "UPDATE one SET id = id + 1, form_no = 'F-2';"
        "INSERT INTO filings_verificationform SELECT * FROM one"
    ),
    "comparison": lambda row: Determination.unscoped.create(
        form=row, unit_id=row.unit_id, number=2, outcome="match", at=row.received_at
    ),
    "finding": lambda row: _again(Finding.unscoped.get(), field="another"),
    "state of a finding": lambda row: _execute("UPDATE filings_finding SET state = 'confirmed'"),
    "drawn form": lambda row: _again(InspectionItem.unscoped.get(), rank=2, form_id=row.pk + 1),
    "verdict": lambda row: _execute("UPDATE filings_inspectionitem SET identity_right = false"),
    "cancelled inspection": lambda row: _execute("UPDATE filings_inspection SET state = 'cancelled'"),
}


def _again(row: Any, **fields: Any) -> None:
    for name, value in {"pk": None, **fields}.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("write", UNCOUNTED.values(), ids=UNCOUNTED)
def test_no_writer_can_forget_to_count(unit: PilotUnit, bureau_reviewer: Actor, write: Any) -> None:
    row = builders.form(unit, "F-1")
    builders.compared(row)
    builders.found(row)
    inspection = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=1)
    fire(fire(inspection, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    with pytest.raises(IntegrityError, match="has to be counted"), transaction.atomic():
        write(row)
    with deltas.recorded(unit_id=unit.pk, chains=["F-1"]):
        Finding.unscoped.update(state="confirmed")
    assert agrees(unit)


def test_the_nightly_recount_appends_and_stays_silent(unit: PilotUnit, ministry_officer: Actor) -> None:
    builders.compared(builders.form(unit, "F-1"))
    assert nightly.recount_everything() == 3
    periods = AccuracyResult.unscoped.order_by("pk").values_list("period", flat=True)
    assert list(periods) == ["2019-06", "2019-07", "to-date"]
    assert not AuditEntry.objects.filter(action__startswith="figures.").exists()


def test_a_month_that_lies_is_found_and_counted_afresh(unit: PilotUnit) -> None:
    """Months are kept by the statement that keeps the days, and held against the same recount."""
    for number, day in enumerate(("2019-06-18", "2019-06-19", "2019-07-01")):
        builders.compared(builders.form(unit, f"F-{number}", f"{day} 10:00"))
    buckets.fold()
    kept = [(date(2019, 6, 1), 2, 2), (date(2019, 7, 1), 1, 1)]
    rows = MonthTally.unscoped.order_by("day").values_list("day", "forms", "m1_n")
    assert (list(rows), agrees(unit)) == (kept, True)
    MonthTally.unscoped.filter(day=date(2019, 6, 1)).update(forms=7)
    assert counting.differences(units=[unit.pk]) == [(unit.pk, date(2019, 6, 1), 44, "unit")]
    nightly.check_buckets()
    assert (list(rows.all()), agrees(unit)) == (kept, True)


def test_a_bucket_that_lies_raises_an_alert_once(unit: PilotUnit, ministry_officer: Actor) -> None:
    builders.compared(builders.form(unit, "F-1"))
    buckets.fold()
    for _night in range(2):
        DailyTally.unscoped.update(m1_errors=1)
        nightly.recount_everything()
        assert agrees(unit)  # what was wrong has been counted afresh
    details = AuditEntry.objects.filter(action="figures.contradiction").values_list("detail", flat=True)
    assert list(details) == [{"buckets": 1, "first": ["2019-06-18 44 unit"]}] * 2
    notices = Notice.objects.filter(person=ministry_officer.person_id, source__startswith="figures.")
    assert [(notice.url, notice.source) for notice in notices] == [
        (f"/units/{unit.code}/", f"figures.contradiction:{unit.pk}")
    ]
