"""Synthetic forms are sound, marked as synthetic, repeatable, and spoilt exactly as they say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from filings.intake.check import check_row
from filings.intake.records import UnitContext, open_scope
from filings.synthetic import FAULTS, SyntheticForm, authority_rows, make_forms
from filings.validators.certificates import certificate_faults

START = datetime.fromisoformat("2019-06-01T00:00:00+08:00")
END = datetime.fromisoformat("2019-07-01T00:00:00+08:00")
CONTEXT = UnitContext(
    "PU-01",
    "1001",
    START,
    END + timedelta(days=100),
    ((START, None),),
    open_scope(START),
    END + timedelta(hours=1),
)


def forms(n: int, **options: Any) -> list[SyntheticForm]:
    return list(
        make_forms(
            n,
            unit_code=options.pop("unit_code", "PU-01"),
            seed=options.pop("seed", 7),
            collected_from=START,
            collected_to=END,
            **options,
        )
    )


def test_every_form_passes_every_rule() -> None:
    made = forms(2000)
    rows = [check_row(form.record, CONTEXT) for form in made]
    assert [row.errors for row in rows if row.errors] == []
    assert {form.planted for form in made} == {None}
    assert len({row.form_no for row in rows}) == 2000
    assert {row.record["subject_kind"] for row in rows} == {"unit", "person"}
    assert len({row.record["subject_province"] for row in rows}) == 31


def test_a_spoilt_form_shows_exactly_the_planted_fault() -> None:
    made = forms(3000, error_rate=0.5)
    found = [check_row(form.record, CONTEXT).codes for form in made]
    assert found == [(form.planted,) if form.planted else () for form in made]
    assert {form.planted for form in made} == {None, *(fault.code for fault in FAULTS)}
    assert 1350 < sum(form.planted is not None for form in made) < 1650


def test_the_seed_decides() -> None:
    assert forms(20, error_rate=0.3) == forms(20, error_rate=0.3)
    assert forms(20) != forms(20, seed=8)
    assert forms(20) != forms(20, unit_code="PU-02")


def test_provinces_can_be_chosen() -> None:
    assert {form.record["subject_province"] for form in forms(50, provinces=("330000",))} == {"330000"}


def test_everything_is_marked_as_synthetic() -> None:
    for form in forms(100):
        record = form.record
        names = (record["subject"]["name"], record["principal"]["name"], record["verifier_name"])
        assert ["示例" in name for name in names] == [True, True, True]
        assert record["principal"]["email"].endswith("@example.cn")


class TestAuthorityRows:
    def test_every_identity_is_known_once(self) -> None:
        records = [form.record for form in forms(300)]
        rows = list(authority_rows(records))
        keys = [(row.cert_type, row.cert_no) for row in rows]
        people = {(record["principal"]["cert_type"], record["principal"]["cert_no"]) for record in records}
        subjects = {(record["subject"]["cert_type"], record["subject"]["cert_no"]) for record in records}
        assert len(keys) == len(set(keys))
        assert set(keys) == people | subjects
        assert [certificate_faults(row.cert_type, row.cert_no, END.date()) for row in rows] == [()] * len(
            rows
        )

    def test_names_that_differ_and_records_that_are_missing(self) -> None:
        records = [form.record for form in forms(30)]
        spoilt, lost = records[3], records[5]
        rows = {
            (row.cert_type, row.cert_no): row.name
            for row in authority_rows(records, differ={spoilt["form_no"]}, missing={lost["form_no"]})
        }
        complete = {(row.cert_type, row.cert_no): row.name for row in authority_rows(records)}
        spoilt_key = (2, spoilt["principal"]["cert_no"])
        lost_key = (2, lost["principal"]["cert_no"])
        assert rows[spoilt_key] != spoilt["principal"]["name"]
        assert complete.keys() - rows.keys() == {lost_key}
        assert {key for key in rows if rows[key] != complete[key]} == {spoilt_key}
