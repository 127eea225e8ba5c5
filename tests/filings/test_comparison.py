"""Comparing stored forms with the authority's records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from filings.enums import Comparison
from filings.models import AuthorityRetry, Determination, Finding, UnitMonthKey, VerificationForm
from filings.services import comparison, figures
from filings.services.authority_sources import UNAVAILABLE
from filings.services.authority_sources.extract import ExtractSource
from filings.tasks import ask_authority_again, compare_unit
from pilot import clock
from pilot.models import Notice, OutboxMessage, PilotUnit, Programme, TransitionRecord
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
        compare_unit(unit.pk)
        other.execute("SELECT pg_advisory_unlock(%s, %s)", [comparison.COMPARE_LOCK, unit.pk])
        other.connection.close()
    # Whoever has it may be at others of its forms, so the task is posted anew.
    posted = OutboxMessage.objects.filter(target="filings.tasks.compare_unit", payload={"unit_id": unit.pk})
    assert (posted.count(), held, comparison.compare_pending()) == (1, 0, 1)


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


# --- what stops one holds up no other -----------------------------------------------------------------
@contextmanager
def damaged(form: VerificationForm) -> Iterator[None]:
    """A form whose ciphertext was changed behind the portal's back; restored in the end."""
    with connection.cursor() as cursor:
        for content in (bytes(len(form.ciphertext)), bytes(form.ciphertext)):
            cursor.execute("SET LOCAL session_replication_role = replica")
            words = "UPDATE filings_verificationform SET ciphertext = %s WHERE id = %s"
            cursor.execute(words, [content, form.pk])
            cursor.execute("SET LOCAL session_replication_role = origin")
            if not any(content):
                yield


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExtractSource, "forms_at_once", 1)


def later(hours: int) -> None:
    clock.set_business_time(clock.now() + timedelta(hours=hours))


@pytest.mark.usefixtures("one_at_once")
@pytest.mark.parametrize("thorough", [False, True])
def test_a_form_that_cannot_be_opened_stays_pending_and_holds_up_no_other(
    unit: PilotUnit, thorough: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again ever more seldom, and compared once it was restored."""
    builders.on_record(FIRM, PERSON)
    rows = [builders.form(unit, f"F-{n}", content=builders.content(FIRM, PERSON)) for n in range(4)]
    with damaged(rows[0]), damaged(rows[2]):
        assert [comparison.compare_pending(unit=unit, thorough=thorough) for _ in range(2)] == [2, 0]
        assert list(Determination.unscoped.order_by("form_id").values_list("form_id", "outcome")) == [
            (rows[1].pk, "match"),
            (rows[3].pk, "match"),
        ]
        words = f"1 forms of unit {unit.pk} cannot be opened, the first is "
        assert caplog.messages == [f"{words}{rows[n].pk}" for n in (0, 2)]
        found = figures.figures(unit=unit, period="2019-06")
        assert (found["pending"], found["undeterminable"], found["m1"]["n"]) == (2, 0, 2)
        tries = []
        for hours in (1, 4, 24, 72, 168, 168):
            later(hours)
            tries.append((ask_authority_again(), *AuthorityRetry.objects.values_list("tries", flat=True)))
        assert tries == [(0, n, n) for n in range(2, 8)]
        assert comparison.compare_everything(unit=unit) == 0
    later(168)
    assert (ask_authority_again(), AuthorityRetry.objects.count()) == (2, 0)


def test_new_records_settle_the_others(unit: PilotUnit) -> None:
    rows = [builders.form(unit, f"F-{n}", content=builders.content(FIRM, PERSON)) for n in range(2)]
    comparison.compare_pending()
    builders.on_record(FIRM, PERSON)
    with damaged(rows[0]):
        assert comparison.compare_again() == 1
    later(4)  # the second time of the first
    assert (ask_authority_again(), Determination.unscoped.filter(outcome="match").count()) == (1, 2)


def test_the_patience_with_the_authority_begins_when_a_form_can_be_opened(
    unit: PilotUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form that could not be opened for long is not undeterminable at the first silence."""
    form = builders.form(unit, "F-1", content=builders.content(FIRM, PERSON))
    with damaged(form):
        comparison.compare_pending()
        for hours in (1, 4, 24):
            later(hours)
            ask_authority_again()
    monkeypatch.setattr(ExtractSource, "lookup", lambda _self, queries: [UNAVAILABLE] * len(queries))
    later(72)
    assert (ask_authority_again(), Determination.unscoped.count()) == (0, 0)


@pytest.mark.usefixtures("one_at_once")
def test_a_unit_that_cannot_be_compared_holds_up_no_other(
    unit: PilotUnit, programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = builders.enrol(programme, world.provider())
    for one in (unit, other):
        builders.form(one, "F-1", content=builders.content(FIRM, PERSON))
    comparison.compare_pending()
    builders.on_record(FIRM, PERSON)
    later(1)
    UnitMonthKey.objects.filter(unit=unit).update(master_version=9)  # a key that is not there
    assert (ask_authority_again(), Determination.unscoped.get(outcome="match").unit_id) == (1, other.pk)

    def away(*_what: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(ExtractSource, "lookup", away)
    UnitMonthKey.objects.filter(unit=unit).update(master_version=1)
    with pytest.raises(OperationalError):
        ask_authority_again()


@pytest.mark.usefixtures("one_at_once")
def test_a_unit_with_much_to_compare_is_compared_in_passes(
    unit: PilotUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many rounds as begin within the time of a pass; then the rest is posted, once."""
    for number in range(5):
        builders.form(unit, f"F-{number}", content=builders.content(FIRM, PERSON))
    seconds, lookup = [0.0], ExtractSource.lookup

    def slow(self: ExtractSource, queries: Any) -> Any:
        seconds[0] += comparison.PASS_SECONDS / 2
        return lookup(self, queries)

    monkeypatch.setattr(ExtractSource, "lookup", slow)
    monkeypatch.setattr(comparison, "monotonic", lambda: seconds[0])
    passes = []
    for _pass in range(3):
        done = compare_unit(unit.pk)
        waiting = OutboxMessage.objects.filter(target="filings.tasks.compare_unit")
        passes.append((done, list(waiting.values_list("payload", flat=True))))
        waiting.delete()
    assert passes == [(2, [{"unit_id": unit.pk}]), (2, [{"unit_id": unit.pk}]), (1, [])]


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
