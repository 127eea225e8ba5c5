"""The figures, line by line of design.md section 5."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import Sum

from filings.enums import FindingKind, FindingSource
from filings.models import AccuracyResult, LiveTally
from filings.periods import Period
from filings.selectors import counting
from filings.selectors.units import unit_views
from filings.services import buckets, figures
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import PilotUnit
from pilot.services import programmes
from tests.factories import world
from tests.factories.audited import audited
from tests.filings import builders

JUNE = "2019-06"


def june(unit: PilotUnit) -> dict[str, object]:
    """The figures of June without what names them."""
    result = figures.figures(unit=unit, period=JUNE)
    return {key: result[key] for key in result if key not in {"unit", "period", "as_of", "rule_version"}}


def shown(errors: int, n: int, met: bool | None, text: str) -> dict[str, object]:
    return {"n": n, "errors": errors, "met": met, "shown": text}


def test_without_forms_there_is_no_figure(unit: PilotUnit) -> None:
    assert figures.figures(unit=unit, period=JUNE, at=world.moment("2019-07-01 09:00")) == {
        "unit": unit.code,
        "period": "2019-06",
        "as_of": "2019-07-01T09:00:00+08:00",
        "rule_version": "2019-87/1",
        "m1": shown(0, 0, None, "--"),
        "m2": shown(0, 0, None, "--"),
        "pending": 0,
        "undeterminable": 0,
        "refused": 0,
        "duplicates": 0,
        "late": 0,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "met", "text"), [(1_999, False, "99.9499%"), (2_000, True, "99.9500%"), (2_001, True, "99.9500%")]
)
def test_one_error_is_judged_by_the_product_and_shown_truncated(
    unit: PilotUnit, n: int, met: bool, text: str
) -> None:
    rows = builders.forms(unit, n)
    builders.compared(rows[0], outcome="mismatch")
    builders.compared_all(rows[1:])
    assert june(unit)["m1"] == shown(1, n, met, text)
    assert june(unit)["m2"] == shown(1, n, False, text)


def test_pending_and_undeterminable_stay_outside_m1(unit: PilotUnit) -> None:
    match, mismatch, unknown, _pending = (builders.form(unit, f"F-{n}") for n in range(4))
    builders.compared(match)
    builders.compared(mismatch, outcome="mismatch")
    builders.compared(unknown, outcome="undeterminable")
    assert june(unit) == {
        "m1": shown(1, 2, False, "50.0000%"),
        "m2": shown(1, 3, False, "66.6666%"),
        "pending": 1,
        "undeterminable": 1,
        "refused": 0,
        "duplicates": 0,
        "late": 0,
    }


def test_a_later_comparison_replaces_an_undeterminable_one(unit: PilotUnit) -> None:
    row = builders.form(unit, "F-1")
    builders.compared(row, outcome="undeterminable")
    builders.compared(row, outcome="match")
    assert (june(unit)["m1"], june(unit)["undeterminable"]) == (shown(0, 1, True, "100.0000%"), 0)


@pytest.mark.parametrize(
    ("path", "errors"),
    [
        ((), 1),
        (("confirmed",), 1),
        (("disputed",), 1),
        (("disputed", "upheld"), 1),
        (("disputed", "overturned"), 0),
    ],
)
def test_a_mismatch_counts_in_every_state_until_overturned(
    unit: PilotUnit, path: tuple[str, ...], errors: int
) -> None:
    row = builders.form(unit, "F-1")
    builders.compared(row, outcome="mismatch")
    builders.decide(row.findings.get(), *path)
    assert june(unit)["m1"] == shown(errors, 1, errors == 0, "0.0000%" if errors else "100.0000%")
    assert june(unit)["m2"] == june(unit)["m1"]


@pytest.mark.parametrize("source", [FindingSource.INSPECTION, FindingSource.NATIONAL, FindingSource.REPORT])
@pytest.mark.parametrize(
    ("path", "errors"),
    [
        ((), 0),
        (("confirmed",), 1),
        (("disputed",), 0),
        (("disputed", "upheld"), 1),
        (("disputed", "overturned"), 0),
    ],
)
def test_findings_of_other_sources_count_from_confirmed_or_upheld(
    unit: PilotUnit, source: str, path: tuple[str, ...], errors: int
) -> None:
    row = builders.form(unit, "F-1")
    builders.compared(row)
    builders.decide(builders.found(row, source=source), *path)
    assert june(unit)["m1"] == shown(errors, 1, errors == 0, "0.0000%" if errors else "100.0000%")


def test_a_form_finding_is_an_error_of_m2_alone(unit: PilotUnit) -> None:
    row = builders.form(unit, "F-1")
    builders.compared(row)
    builders.decide(builders.found(row, kind=FindingKind.FORM, field="domain"), "confirmed")
    assert (june(unit)["m1"], june(unit)["m2"]) == (
        shown(0, 1, True, "100.0000%"),
        shown(1, 1, False, "0.0000%"),
    )


def test_two_findings_on_one_form_are_one_error(unit: PilotUnit) -> None:
    row = builders.form(unit, "F-1")
    builders.compared(row, outcome="mismatch")
    builders.found(row, source=FindingSource.COMPARISON, field="principal")
    assert june(unit)["m1"] == shown(1, 1, False, "0.0000%")


def test_the_last_correction_of_the_first_day_is_counted(unit: PilotUnit) -> None:
    first = builders.form(unit, "F-1", "2019-06-18 10:00")
    second = builders.form(unit, "F-2", "2019-06-18 23:59", corrects=first)
    third = builders.form(unit, "F-3", "2019-06-19 00:00", corrects=second)
    for row, outcome in ((first, "mismatch"), (second, "match"), (third, "undeterminable")):
        builders.compared(row, outcome=outcome)
    assert (june(unit)["m1"], june(unit)["undeterminable"]) == (shown(0, 1, True, "100.0000%"), 0)


def test_a_correction_after_the_notice_does_not_remove_the_error(unit: PilotUnit) -> None:
    first = builders.form(unit, "F-1", "2019-06-18 10:00")
    builders.compared(first, outcome="match")
    builders.decide(builders.found(first, at=world.moment("2019-06-18 11:00")), "confirmed")
    builders.compared(builders.form(unit, "F-2", "2019-06-18 11:00", corrects=first))
    assert june(unit)["m1"] == shown(1, 1, False, "0.0000%")
    tally = counting.tallies(units=[unit.pk], period=Period.parse(JUNE))[()]
    assert (tally.counts.errors_corrected, tally.versions) == (1, 2)


def test_a_chain_belongs_to_its_first_day_for_good(unit: PilotUnit) -> None:
    first = builders.form(unit, "F-1", "2019-06-30 23:59")
    builders.form(unit, "F-2", "2019-07-01 00:10", corrects=first)
    builders.compared(first)
    found = {
        name: figures.figures(unit=unit, period=name)["m1"]["n"] for name in (JUNE, "2019-07", "2019-06-30")
    }
    assert found == {JUNE: 1, "2019-07": 0, "2019-06-30": 1}


def test_the_day_is_that_of_shanghai(unit: PilotUnit) -> None:
    builders.compared(
        builders.form(unit, "F-1", "2019-06-01 00:00"), builders.form(unit, "F-2", "2019-05-31 23:59")
    )
    found = {
        name: figures.figures(unit=unit, period=name)["m1"]["n"] for name in ("2019-05", JUNE, "to-date")
    }
    assert found == {"2019-05": 1, JUNE: 1, "to-date": 2}


def test_late_forms_are_kept_out_of_the_figures(unit: PilotUnit) -> None:
    builders.compared(builders.form(unit, "F-1", late=True), outcome="mismatch")
    assert june(unit) == {
        "m1": shown(0, 0, None, "--"),
        "m2": shown(0, 0, None, "--"),
        "pending": 0,
        "undeterminable": 0,
        "refused": 0,
        "duplicates": 0,
        "late": 1,
    }


def test_rows_turned_away_have_figures_of_their_own(unit: PilotUnit) -> None:
    inside, outside = world.moment("2019-06-30 23:59"), world.moment("2019-07-01 00:00")
    upload = builders.job(unit, inside, duplicates=3)
    builders.job(unit, inside, duplicates=5, dry_run=True)
    builders.job(unit, outside, duplicates=7)
    for row, moment in enumerate((inside, inside, outside), start=1):
        builders.refusal(unit, moment, row=row, upload=upload)
    assert (june(unit)["refused"], june(unit)["duplicates"], june(unit)["m1"]) == (
        2,
        3,
        shown(0, 0, None, "--"),
    )


def test_the_same_fault_in_many_forms_counts_in_each(unit: PilotUnit) -> None:
    rows = [builders.form(unit, f"F-{n}") for n in range(3)]
    builders.compared(*rows, outcome="mismatch")
    assert june(unit)["m1"] == shown(3, 3, False, "0.0000%")


def test_figures_of_a_moment_leave_out_what_came_later(unit: PilotUnit) -> None:
    builders.compared(
        builders.form(unit, "F-1", "2019-06-18 10:00"), builders.form(unit, "F-2", "2019-06-19 10:00")
    )
    early = figures.figures(unit=unit, period=JUNE, at=world.moment("2019-06-19 10:00"))
    assert (early["m1"]["n"], early["as_of"]) == (1, "2019-06-19T10:00:00+08:00")


@pytest.mark.parametrize(
    "period",
    [
        "2019",
        "2019-6",
        "2019-06-31",
        "to date",
        "",
        "2019-13",
        "9999-12",
        "9999-12-31",
        "0001-01",
        "２０１９-06",
    ],
)
def test_an_unknown_period_is_refused_in_words(unit: PilotUnit, period: str) -> None:
    with pytest.raises(Refused, match="期间应为"):
        figures.figures(unit=unit, period=period)


# --- rules ----------------------------------------------------------------------------------------
def test_a_period_is_judged_by_the_rules_of_its_last_day(unit: PilotUnit, ministry_officer: Actor) -> None:
    for month in ("06", "07"):
        wrong, *right = (builders.form(unit, f"F-{month}-{n}", f"2019-{month}-01 08:00") for n in range(3))
        builders.compared(wrong, outcome="mismatch")
        builders.compared(*right)
    looser: Any = {"programme": unit.programme, "value": {"errors": 1, "out_of": 3}, "basis": "示例"}
    programmes.set_rule(actor=world.SETUP, key="identity_accuracy", valid_from=date(2019, 7, 1), **looser)
    assert audited("programme.rule") == ("done", None, "programme", str(unit.programme_id))

    def met() -> dict[str, bool | None]:
        periods = (JUNE, "2019-06-01", "2019-07", "to-date")
        return {name: figures.figures(unit=unit, period=name)["m1"]["met"] for name in periods}

    assert met() == {JUNE: False, "2019-06-01": False, "2019-07": True, "to-date": True}
    (view,) = unit_views(ministry_officer)
    assert {name: demand[0].per for name, demand in view.demands.items()} == {JUNE: 2_000, "2019-07": 3}
    with pytest.raises(Refused, match="生效日期"):
        programmes.set_rule(actor=world.SETUP, key="dispute_days", valid_from=date(2019, 7, 1), **looser)


# --- results --------------------------------------------------------------------------------------
def test_every_computation_is_a_new_row_that_pins_what_it_counted(unit: PilotUnit) -> None:
    row = builders.form(unit, "F-1")
    builders.compared(row)
    first = figures.compute_results(unit=unit, period=JUNE)
    found = builders.found(row)
    builders.decide(found, "confirmed")
    buckets.fold()
    second = figures.compute_results(unit=unit, period=JUNE)
    kept = list(AccuracyResult.unscoped.order_by("pk"))
    assert [result.counts["m1_errors"] for result in kept] == [0, 1]
    assert [result.errors for result in kept] == [[], [[row.pk, 1, [found.pk]]]]
    assert [result.marks["fold"] for result in kept] == [0, 1]
    assert {result.rule_version for result in kept} == {"2019-87/1"}
    assert first.marks["form"] == second.marks["form"] == row.pk
    assert first.marks["finding_step"] < second.marks["finding_step"]


def test_counts_by_province_and_day_add_up(unit: PilotUnit) -> None:
    builders.compared(
        builders.form(unit, "F-1", "2019-06-18 10:00", province=44),
        builders.form(unit, "F-2", "2019-06-18 10:00", province=11),
        builders.form(unit, "F-3", "2019-06-19 10:00", province=11),
    )
    by = counting.tallies(units=[unit.pk], period=Period.parse(JUNE), by=("subject_province", "day"))
    day = world.moment("2019-06-18 00:00").date()
    assert {key: tally.counts.m1_n for key, tally in by.items()} == {
        (44, day): 1,
        (11, day): 1,
        (11, day + timedelta(days=1)): 1,
    }


def test_a_chain_counts_where_its_counted_version_belongs(unit: PilotUnit) -> None:
    first = builders.form(unit, "F-1", "2019-06-18 10:00", province=44, kind="person")
    second = builders.form(unit, "F-2", "2019-06-18 11:00", corrects=first, province=11, kind="unit")
    builders.form(unit, "F-3", "2019-06-19 11:00", corrects=second, province=31)  # too late to be counted
    builders.compared(first, second)
    by = counting.tallies(units=[unit.pk], by=("subject_province", "subject_kind"))
    assert {key: tally.counts.m1_n for key, tally in by.items()} == {(11, "unit"): 1}
    rows = LiveTally.unscoped.filter(unit=unit).values_list("subject_province", "subject_kind")
    sums = rows.annotate(Sum("forms"), Sum("versions"), Sum("m1_n")).order_by("subject_province")
    assert list(sums) == [(11, "unit", 1, 3, 1), (31, "unit", 1, 0, 0), (44, "person", 1, 0, 0)]
    assert counting.differences(units=[unit.pk]) == []
