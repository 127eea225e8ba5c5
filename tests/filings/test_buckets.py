"""The daily buckets: always what a recount gives, at the cost of the days that changed."""

from __future__ import annotations

from datetime import date

import pytest

from filings.models import AccuracyResult, DailyTally, DirtyDay, Inspection, InspectionItem
from filings.services import buckets, figures, inspections, nightly
from filings.services import findings as finding_service
from pilot.actors import Actor
from pilot.models import AuditEntry, Notice, PilotUnit
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders


def agrees(unit: PilotUnit) -> bool:
    """Whether the buckets say what the forms say, to date and for the month."""
    return all(
        figures.figures(unit=unit, period=period, at=None, recount=True) | {"as_of": ""}
        == figures.figures(unit=unit, period=period, recount=False) | {"as_of": ""}
        for period in ("to-date", "2019-06", "2019-06-18")
    )


def dirty() -> set[date]:
    return set(DirtyDay.objects.values_list("day", flat=True))


def test_every_writer_queues_its_day(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    day = {date(2019, 6, 18)}
    row = builders.form(unit, "F-1")
    assert (dirty(), agrees(unit), dirty()) == (day, True, set())
    builders.compared(row)
    assert (dirty(), agrees(unit), dirty()) == (day, True, set())
    found = finding_service.report_finding(
        actor=bureau_reviewer, form=row, field="subject", kind="identity", description="示例"
    )
    assert (dirty(), agrees(unit), dirty()) == (day, True, set())
    fire(found, "confirm", actor=provider)
    assert (dirty(), agrees(unit), dirty()) == (day, True, set())
    inspection = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=1)
    inspection = fire(fire(inspection, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    assert (dirty(), agrees(unit), dirty()) == (day, True, set())
    inspection = fire(inspection, "begin", actor=bureau_reviewer)
    assert dirty() == set()
    item = InspectionItem.unscoped.get(inspection=inspection)
    inspections.record_verdict(
        case=inspection, actor=bureau_reviewer, item=item, identity_right=True, form_right=True
    )
    assert (dirty(), agrees(unit), dirty()) == (day, True, set())
    fire(Inspection.unscoped.get(), "cancel", actor=bureau_lead, reason="示例")
    assert (dirty(), agrees(unit)) == (day, True)


def test_a_fold_counts_only_the_days_that_changed(unit: PilotUnit) -> None:
    for number in range(5):
        builders.form(unit, f"F-{number}", f"2019-06-1{number} 10:00")
    assert (buckets.fold(unit=unit), DailyTally.unscoped.count()) == (5, 5)
    before = dict(DailyTally.unscoped.values_list("day", "pk"))
    builders.form(unit, "F-9", "2019-06-12 11:00")
    assert (buckets.fold(), buckets.fold()) == (1, 0)
    after = dict(DailyTally.unscoped.values_list("day", "pk"))
    assert {day for day in before if before[day] != after[day]} == {date(2019, 6, 12)}


def test_the_nightly_recount_appends_and_stays_silent(unit: PilotUnit, ministry_officer: Actor) -> None:
    builders.compared(builders.form(unit, "F-1"))
    assert nightly.recount_everything() == 3
    periods = AccuracyResult.unscoped.order_by("pk").values_list("period", flat=True)
    assert list(periods) == ["2019-06", "2019-07", "to-date"]
    assert not AuditEntry.objects.filter(action__startswith="figures.").exists()


def test_a_bucket_that_lies_raises_an_alert_once(unit: PilotUnit, ministry_officer: Actor) -> None:
    builders.compared(builders.form(unit, "F-1"))
    buckets.fold()
    DailyTally.unscoped.update(m1_errors=1)
    nightly.recount_everything()
    nightly.recount_everything()
    notices = Notice.objects.filter(person=ministry_officer.person_id, source__startswith="figures.")
    assert [(notice.url, notice.source) for notice in notices] == [
        (f"/units/{unit.code}/", f"figures.contradiction:{unit.pk}")
    ]


@pytest.mark.parametrize(("unknown", "alerts"), [(1, 0), (2, 1)])
def test_too_many_undeterminable_comparisons_raise_an_alert(
    unit: PilotUnit, ministry_officer: Actor, unknown: int, alerts: int
) -> None:
    rows = builders.forms(unit, 100)
    builders.compared(*rows[:unknown], outcome="undeterminable")
    builders.compared_all(rows[unknown:])
    world.at("2019-06-30 03:00")
    nightly.recount_everything()
    found = Notice.objects.filter(
        person=ministry_officer.person_id, source=f"figures.undeterminable:{unit.pk}"
    )
    assert found.count() == alerts
