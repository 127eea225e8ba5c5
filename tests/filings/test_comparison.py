"""Comparing stored forms with the authority's records."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from filings.enums import Comparison
from filings.models import Determination, Finding
from filings.services import comparison, figures
from pilot.models import Notice, PilotUnit, TransitionRecord
from tests.factories import world
from tests.filings import builders

FIRM = (1, "91440000MA0000001X", "示例科技有限公司")
OTHER_NAME = (1, "91440000MA0000001X", "示例贸易有限公司")
PERSON = (2, "440101199001010011", "示例甲")
OTHER_PERSON = (2, "440101199001010011", "示例乙")
WEBMASTER = (2, "440101199102020022", "示例丙")
OTHER_WEBMASTER = (2, "440101199102020022", "示例丁")


def outcome_of(unit: PilotUnit, **content: Any) -> tuple[str, list[str], list[str]]:
    """Store one form, compare it, and return outcome, differing places and the fields of its findings."""
    row = builders.form(unit, "F-1", content=builders.content(*content.get("people", (FIRM, PERSON))))
    assert comparison.compare_pending(unit=unit) == 1
    made = Determination.unscoped.get(form=row.pk)
    fields = sorted(Finding.unscoped.filter(form=row.pk).values_list("field", flat=True))
    return made.outcome, made.fields, fields


@pytest.mark.parametrize(
    ("known", "outcome", "differing", "findings"),
    [
        ((FIRM, PERSON), Comparison.MATCH, [], []),
        ((OTHER_NAME, PERSON), Comparison.MISMATCH, ["subject"], ["subject"]),
        ((FIRM, OTHER_PERSON), Comparison.MISMATCH, ["principal"], ["principal"]),
        ((OTHER_NAME, OTHER_PERSON), Comparison.MISMATCH, ["subject", "principal"], ["principal", "subject"]),
        ((OTHER_NAME,), Comparison.MISMATCH, ["subject"], ["subject"]),
        ((FIRM,), Comparison.UNDETERMINABLE, [], []),
        ((), Comparison.UNDETERMINABLE, [], []),
        ((FIRM, OTHER_NAME, PERSON), Comparison.MATCH, [], []),
    ],
)
def test_subject_and_principal_decide(
    unit: PilotUnit, known: tuple[Any, ...], outcome: str, differing: list[str], findings: list[str]
) -> None:
    builders.on_record(*known)
    assert outcome_of(unit) == (outcome, differing, findings)


def test_website_principals_are_reported_and_decide_nothing(unit: PilotUnit) -> None:
    builders.on_record(FIRM, PERSON, OTHER_WEBMASTER)
    assert outcome_of(unit, people=(FIRM, PERSON, WEBMASTER)) == (
        Comparison.MATCH,
        ["websites.0.principal"],
        [],
    )


def test_a_subject_that_is_its_own_principal_has_one_finding(unit: PilotUnit) -> None:
    builders.on_record(OTHER_PERSON)
    assert outcome_of(unit, people=(PERSON, PERSON)) == (
        Comparison.MISMATCH,
        ["subject", "principal"],
        ["subject"],
    )


@pytest.mark.parametrize(
    ("valid", "outcome"),
    [
        (("2019-06-18", "2019-06-18"), Comparison.MATCH),
        (("2019-06-19", None), Comparison.UNDETERMINABLE),
        ((None, "2019-06-17"), Comparison.UNDETERMINABLE),
    ],
)
def test_the_record_as_of_receipt_decides(unit: PilotUnit, valid: tuple[Any, Any], outcome: str) -> None:
    builders.on_record(FIRM, PERSON, valid=valid)
    assert outcome_of(unit)[0] == outcome


def test_a_mismatch_opens_a_finding_with_its_clock_and_tells_the_unit_once(unit: PilotUnit) -> None:
    builders.on_record(OTHER_NAME, OTHER_PERSON)
    for number in range(3):
        builders.form(unit, f"F-{number}", content=builders.content(FIRM, PERSON))
    world.at("2019-06-28 15:00")  # a Friday
    assert comparison.compare_pending() == 3
    found = list(Finding.unscoped.order_by("pk"))
    assert [(f.source, f.kind, f.state, f.found_by, f.due_at) for f in found] == [
        ("comparison", "identity", "open", None, world.moment("2019-07-06 00:00"))
    ] * 6
    assert TransitionRecord.objects.filter(machine="finding").count() == 6
    assert [notice.url for notice in Notice.objects.all()] == [f"/cases/finding/{found[0].pk}/"]
    assert figures.figures(unit=unit, period="2019-06")["m1"]["errors"] == 3


def test_comparing_twice_changes_nothing(unit: PilotUnit) -> None:
    builders.on_record(OTHER_NAME, PERSON)
    builders.form(unit, "F-1", content=builders.content(FIRM, PERSON))
    assert [comparison.compare_pending(unit=unit) for _ in range(2)] == [1, 0]
    assert (Determination.unscoped.count(), Finding.unscoped.count()) == (1, 1)


def test_a_form_whose_subject_is_unknown_stays_pending(unit: PilotUnit) -> None:
    builders.form(unit, "F-1", subject_known=False)
    assert comparison.compare_pending(unit=unit) == 0
    assert figures.figures(unit=unit, period="2019-06")["pending"] == 1


def test_the_limit_holds_and_the_rest_stays_pending(unit: PilotUnit) -> None:
    for number in range(3):
        builders.form(unit, f"F-{number}", content=builders.content())
    assert (comparison.compare_pending(limit=2), comparison.pending(unit=unit)) == (2, 1)
    assert comparison.compare_pending(thorough=False) == 1


def test_a_unit_in_another_workers_hands_is_left_to_it(unit: PilotUnit) -> None:
    builders.form(unit, "F-1", content=builders.content())
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [comparison.COMPARE_LOCK, unit.pk])
        held = comparison.compare_pending()
        other.execute("SELECT pg_advisory_unlock(%s, %s)", [comparison.COMPARE_LOCK, unit.pk])
        other.connection.close()
    assert (held, comparison.compare_pending()) == (0, 1)


def test_new_records_settle_what_was_undeterminable(unit: PilotUnit) -> None:
    builders.form(unit, "F-1", content=builders.content(FIRM, PERSON))
    builders.form(unit, "F-2", content=builders.content(FIRM, WEBMASTER))
    comparison.compare_pending()
    builders.on_record(FIRM, PERSON)
    assert comparison.compare_again() == 1
    assert list(Determination.unscoped.order_by("form_id", "number").values_list("number", "outcome")) == [
        (1, "undeterminable"),
        (2, "match"),
        (1, "undeterminable"),
    ]


def test_what_older_rows_hold_in_a_new_column_of_json_is_a_container(db: None) -> None:
    """A default given as text would be a JSON text, not the empty object that pages read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, column_default FROM information_schema.columns "
            "WHERE data_type = 'jsonb' AND column_default IS NOT NULL AND table_name LIKE 'filings!_%' ESCAPE '!'"
        )
        defaults = dict(cursor.fetchall())
        cursor.execute(f"SELECT {', '.join(f'jsonb_typeof({default})' for default in defaults.values())}")
        kinds = dict(zip(defaults, cursor.fetchone(), strict=True))
    assert kinds == {"differences": "object", "errors": "array", "fault_params": "object"}
