"""What stored rows decide: repeats, conflicts and the chains of corrections, within a file and between files."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from filings.intake.records import ErrorItem
from filings.intake.versions import MOST_VERSIONS, Candidate, Ledger, Stored
from filings.models import VerificationForm
from filings.services import uploads
from tests.factories import world

pytestmark = pytest.mark.django_db


def counts(job: Any) -> tuple[int, int, int, int]:
    return job.rows, job.accepted, job.duplicates, job.rejected_rows


def correction(form: dict[str, Any], form_no: str, *, of: str | None = None) -> dict[str, Any]:
    return {**form, "form_no": form_no, "supersedes_form": of or form["form_no"], "verifier_name": "示例复核"}


def chain(unit: Any) -> list[tuple[Any, ...]]:
    rows = VerificationForm.unscoped.filter(unit=unit).order_by("version")
    return list(rows.values_list("form_no", "chain_no", "version", "supersedes", "day"))


def test_the_same_content_again_is_a_repeat_whatever_its_spelling(made: Any, hand_in: Any) -> None:
    form = made(1)[0]
    backwards = dict(reversed(form.items()))
    spelled = {**form, "liveness_score": form["liveness_score"] + "0", "form_no": f" {form['form_no']} "}
    assert counts(hand_in(form, form, backwards)) == (3, 1, 2, 0)
    assert counts(hand_in(spelled)) == (1, 0, 1, 0)


def test_another_content_under_the_same_number_is_a_conflict(made: Any, hand_in: Any, codes: Any) -> None:
    form = made(1)[0]
    other = {**form, "verifier_name": "示例另一人"}
    job = hand_in(form, other)
    assert (counts(job), codes(job)) == ((2, 1, 0, 1), [(2, ["form_no.conflict"])])
    later = hand_in(other)
    assert codes(later) == [(1, ["form_no.conflict"])]
    assert later.code_counts == {"form_no.conflict": 1}


def test_after_a_refusal_the_number_is_free(made: Any, hand_in: Any) -> None:
    form = made(1)[0]
    assert counts(hand_in({**form, "verifier_name": ""})) == (1, 0, 0, 1)
    assert counts(hand_in(form)) == (1, 1, 0, 0)


def test_a_faulty_row_is_told_of_its_conflict_too(made: Any, hand_in: Any, codes: Any) -> None:
    form = made(1)[0]
    job = hand_in(form, {**form, "verifier_name": "", "supersedes_form": "NO-SUCH-1"})
    assert codes(job) == [(2, ["field.required", "form_no.conflict", "supersedes.unknown"])]


def test_another_unit_may_use_the_same_number(made: Any, hand_in: Any, programme: Any, unit: Any) -> None:
    from tests.filings import builders

    other = builders.enrol(programme, world.provider())
    form = made(1)[0]
    assert counts(hand_in(form)) == (1, 1, 0, 0)
    assert counts(hand_in({**form, "verifier_name": "示例另一人"}, unit=other)) == (1, 1, 0, 0)


def test_corrections_form_a_chain_that_keeps_its_first_day(unit: Any, made: Any, hand_in: Any) -> None:
    form = made(1)[0]
    first, second = correction(form, "C-0001"), correction(form, "C-0002", of="C-0001")
    hand_in(form, received="2019-06-20 10:00")
    hand_in(first, second, received="2019-06-28 10:00")
    no, day = form["form_no"], date(2019, 6, 20)
    assert chain(unit) == [
        (no, no, 1, "", day),
        ("C-0001", no, 2, no, day),
        ("C-0002", no, 3, "C-0001", day),
    ]


def test_a_chain_within_one_file(unit: Any, made: Any, hand_in: Any) -> None:
    form = made(1)[0]
    assert counts(hand_in(form, correction(form, "C-0001"), correction(form, "C-0002", of="C-0001"))) == (
        3,
        3,
        0,
        0,
    )
    assert [row[2] for row in chain(unit)] == [1, 2, 3]


def test_nobody_corrects_a_form_for_ever() -> None:
    stored = Stored("B-0001", b"b", "A-0001", MOST_VERSIONS, date(2019, 6, 20))
    ledger = Ledger([stored], world.moment("2019-06-30 12:00"))
    ledger.add(stored, "key")
    stale = (ErrorItem("supersedes.stale", "/supersedes_form"),)
    assert ledger.judge(Candidate(1, "C-0001", b"", b"", b"c", supersedes="B-0001")).errors == stale
    assert ledger.judge(Candidate(2, "C-0002", b"", b"", b"d", chain_key="key")).errors == stale


def test_only_the_newest_existing_version_can_be_corrected(made: Any, hand_in: Any, codes: Any) -> None:
    form = made(1)[0]
    job = hand_in(
        form,
        correction(form, "C-0001"),
        correction(form, "C-0002"),
        correction(form, "C-0003", of="NO-SUCH-1"),
        correction(form, "C-0004", of="C-0004"),
    )
    assert codes(job) == [(3, ["supersedes.stale"]), (4, ["supersedes.unknown"]), (5, ["supersedes.unknown"])]
    assert codes(hand_in(correction(form, "C-0005"))) == [(1, ["supersedes.stale"])]


def test_a_form_of_another_unit_cannot_be_corrected(
    made: Any, hand_in: Any, codes: Any, programme: Any
) -> None:
    from tests.filings import builders

    other = builders.enrol(programme, world.provider())
    form = made(1)[0]
    hand_in(form)
    assert codes(hand_in(correction(form, "C-0001"), unit=other)) == [(1, ["supersedes.unknown"])]


def test_chains_and_repeats_across_chunks(
    unit: Any, made: Any, hand_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 2)
    forms = made(5)
    corrected = correction(forms[0], "C-0001")
    rows = [*forms, corrected, forms[1], correction(forms[0], "C-0002", of="C-0001")]
    assert counts(hand_in(*rows)) == (8, 7, 1, 0)
    trial = hand_in(*made(5, seed=2), *made(2, seed=2), dry_run=True)
    assert counts(trial) == (7, 5, 2, 0)


def test_a_form_received_after_the_run_phase_is_kept_and_marked_late(
    unit: Any, made: Any, hand_in: Any
) -> None:
    world.at("2020-01-10 09:00")
    form = made(1)[0]
    hand_in(form, received="2020-01-05 10:00")
    assert VerificationForm.unscoped.get(unit=unit).late is True
