"""The sample files come out exactly as their expected.json says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from filings.intake.decode import FileFormat, check, read_rows
from filings.intake.records import UnitContext


def test_forms_ndjson_comes_out_as_expected(samples: Path, context: UnitContext) -> None:
    expected = json.loads((samples / "expected.json").read_text("utf-8"))
    with (samples / "forms.ndjson").open("rb") as file:
        rows = [check(row, context) for row in read_rows(file, FileFormat.NDJSON, national_id="1001")]

    accepted = [row for row in rows if row.accepted]
    contents = {row.digest_source for row in accepted}
    assert len(rows) == expected["rows"]
    assert {str(row.number): list(row.codes) for row in rows if not row.accepted} == expected["rejected"]
    assert Counter(code for row in rows for code in row.codes) == expected["code_counts"]
    assert len(contents) == expected["accepted"]
    assert len(accepted) - len(contents) == expected["duplicates"]
    assert len({row.form_no for row in accepted}) == expected["accepted"]


def test_forms_xml_are_fifty_accepted_filings_of_units(samples: Path, context: UnitContext) -> None:
    with (samples / "forms.xml").open("rb") as file:
        rows = [check(row, context) for row in read_rows(file, FileFormat.V3, national_id="1001")]

    assert [row.errors for row in rows] == [[]] * 50
    assert {row.record["filing_type"] for row in rows} == {"new_filing"}
    assert {row.record["subject_kind"] for row in rows} == {"unit"}
    assert len({row.form_no for row in rows}) == 50
    assert {len(row.v3.attachments) for row in rows if row.v3} == {5}


def test_forms_xml_describes_the_first_good_units_of_forms_ndjson(
    samples: Path, context: UnitContext
) -> None:
    with (samples / "forms.ndjson").open("rb") as file:
        rows = [check(row, context) for row in read_rows(file, FileFormat.NDJSON, national_id="1001")]
    with (samples / "forms.xml").open("rb") as file:
        filed = [check(row, context) for row in read_rows(file, FileFormat.V3, national_id="1001")]

    units = [row.record for row in rows if row.accepted and row.record["subject_kind"] == "unit"]
    parts = ("subject_province", "subject", "principal")
    assert [[row.record[part] for part in parts] for row in filed] == [
        [record[part] for part in parts] for record in units[:50]
    ]
