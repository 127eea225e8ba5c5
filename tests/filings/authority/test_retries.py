"""Forms whose people the authority cannot tell: pending, undeterminable, and asked for again."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from filings.models import AuthorityCircuit, AuthorityRetry, Determination, Finding, VerificationForm
from filings.services import comparison, figures, findings, retries
from filings.tasks import ask_authority_again
from pilot import clock
from pilot.models import PilotUnit, ProgrammeRule
from tests.factories import world
from tests.filings import builders
from tests.filings.authority.server import Authority

FIRM = (1, "91440000MA0000001X", "示例科技有限公司")
PERSON = (2, "440101199001010011", "示例甲")
START = "2019-07-01 09:00"


@pytest.fixture
def form(unit: PilotUnit) -> VerificationForm:
    return builders.form(unit, "F-1", content=builders.content(FIRM, PERSON))


def answers() -> list[tuple[int, str, str]]:
    return list(
        Determination.unscoped.order_by("form_id", "number").values_list("number", "outcome", "cause")
    )


def wait() -> timedelta:
    """Let the time pass until the next try is due; returns how long after the start that is, in whole minutes."""
    due = AuthorityRetry.objects.get().next_at
    clock.set_business_time(due)
    return due.replace(second=0, microsecond=0) - world.moment(START)


def test_a_match_is_on_record_with_its_source(authority: Authority, form: VerificationForm) -> None:
    authority.know(FIRM, PERSON)
    assert comparison.compare_pending() == 1
    made = Determination.unscoped.get()
    assert (made.outcome, made.authority, made.differences) == ("match", "http", {})
    assert AuthorityRetry.objects.count() == 0


def test_what_differs_is_on_record_and_opens_findings(authority: Authority, form: VerificationForm) -> None:
    authority.know((1, FIRM[1], "示例贸易有限公司"), (7, PERSON[1], PERSON[2]))
    comparison.compare_pending()
    made = Determination.unscoped.get()
    assert (made.outcome, made.differences) == (
        "mismatch",
        {"subject": ["name"], "principal": ["cert_type"]},
    )
    assert sorted(Finding.unscoped.values_list("field", flat=True)) == ["principal", "subject"]


def test_records_as_of_receipt_are_asked_for(authority: Authority, form: VerificationForm) -> None:
    authority.know(FIRM, PERSON, until="2019-06-18")
    authority.know((1, FIRM[1], "示例贸易有限公司"), since="2019-06-19")
    comparison.compare_pending()
    assert [query["as_of"] for query in authority.asked[0]] == ["2019-06-18", "2019-06-18"]
    assert answers() == [(1, "match", "")]


def test_without_answer_a_form_stays_pending_and_is_asked_for_when_its_time_comes(
    authority: Authority, form: VerificationForm
) -> None:
    authority.know(FIRM, PERSON)
    authority.faults += [401]
    assert comparison.compare_everything(unit=form.unit) == 0
    assert figures.figures(unit=form.unit, period="2019-06")["pending"] == 1
    assert answers() == []
    assert (ask_authority_again(), comparison.compare_pending(), len(authority.asked)) == (0, 0, 1)
    assert wait() == timedelta(minutes=5)
    assert (ask_authority_again(), answers()) == (1, [(1, "match", "")])
    assert AuthorityRetry.objects.count() == 0


def test_after_the_programmes_time_it_is_undeterminable_and_still_asked_for(
    authority: Authority, form: VerificationForm
) -> None:
    authority.faults += [401] * 11
    comparison.compare_pending()
    tries = []
    while not answers():
        tries.append(wait())
        ask_authority_again()
    assert tries == [timedelta(minutes=minutes) for minutes in (5, 20, 80, *range(320, 1520 + 1, 240))]
    assert answers() == [(1, "undeterminable", "unavailable")]
    assert (wait(), ask_authority_again()) == (timedelta(minutes=1520 + 60), 0)
    authority.know((1, FIRM[1], "示例贸易有限公司"), PERSON)
    authority.faults.clear()
    AuthorityCircuit.objects.all().delete()  # its pause is real time
    assert wait() == timedelta(minutes=1520 + 300)
    assert (ask_authority_again(), answers()[1:]) == (1, [(2, "mismatch", "")])
    assert Finding.unscoped.get().field == "subject"
    assert figures.figures(unit=form.unit, period="2019-06")["m1"]["errors"] == 1


def test_the_programme_sets_that_time(authority: Authority, form: VerificationForm) -> None:
    ProgrammeRule.objects.create(programme=form.unit.programme, key=retries.RULE, value=0)
    authority.faults += [401]
    comparison.compare_pending()
    assert answers() == [(1, "undeterminable", "unavailable")]


def test_no_record_is_asked_for_ever_more_seldom_and_only_news_is_written(
    authority: Authority, form: VerificationForm
) -> None:
    comparison.compare_pending()
    tries = []
    for _n in range(6):
        tries.append(wait())
        ask_authority_again()
    assert tries == [timedelta(hours=hours) for hours in (1, 5, 29, 101, 269, 437)]
    assert answers() == [(1, "undeterminable", "no_record")]
    authority.know(FIRM, PERSON)
    assert wait() == timedelta(hours=605)
    assert (ask_authority_again(), answers()[1:]) == (1, [(2, "match", "")])


def test_another_cause_is_news_but_silence_is_not(authority: Authority, form: VerificationForm) -> None:
    ProgrammeRule.objects.create(programme=form.unit.programme, key=retries.RULE, value=0)
    authority.faults += [401]
    comparison.compare_pending()
    assert comparison.compare_again() == 1
    authority.faults += [401]
    assert comparison.compare_again() == 0
    assert answers() == [(1, "undeterminable", "unavailable"), (2, "undeterminable", "no_record")]


def test_half_known_people_wait_for_the_other_half(authority: Authority, form: VerificationForm) -> None:
    authority.know((1, FIRM[1], "示例贸易有限公司"), PERSON)
    authority.faults += ["half", 401]
    assert (comparison.compare_pending(), answers()) == (0, [])
    wait()
    assert (ask_authority_again(), answers()) == (1, [(1, "mismatch", "")])


@pytest.mark.parametrize(
    ("name", "known", "outcome", "cause"),
    [
        ("示例䶮", "示例？", "undeterminable", "rare_characters"),
        ("示例\ue000", "示例甲", "undeterminable", "rare_characters"),
        ("示例䶮", "示例䶮", "match", ""),
        ("示例甲", "示例䶮", "mismatch", ""),
    ],
)
def test_a_rare_character_proves_no_mismatch(
    unit: PilotUnit, name: str, known: str, outcome: str, cause: str
) -> None:
    builders.form(unit, "F-1", content=builders.content(FIRM, (2, PERSON[1], name)))
    builders.on_record(FIRM, (2, PERSON[1], known))
    comparison.compare_pending()
    assert answers() == [(1, outcome, cause)]


def test_killed_between_asking_and_writing_nothing_is_left_behind(
    authority: Authority, form: VerificationForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.know((1, FIRM[1], "示例贸易有限公司"), PERSON)
    with monkeypatch.context() as killed:
        killed.setattr(findings, "open_findings", lambda **_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            comparison.compare_pending()
    assert (answers(), Finding.unscoped.count(), AuthorityRetry.objects.count()) == ([], 0, 0)
    assert comparison.compare_pending() == 1
    assert (answers(), Finding.unscoped.count()) == ([(1, "mismatch", "")], 1)


# --- several workers --------------------------------------------------------------------------------
def in_threads(number: int, work: Any) -> list[Any]:
    """Do the same at once on as many connections."""
    results: list[Any] = []
    barrier = Barrier(number)

    def run() -> None:
        barrier.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [Thread(target=run) for _n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_workers_ask_once_and_outside_any_transaction(authority: Authority, unit: PilotUnit) -> None:
    authority.know(FIRM, PERSON)
    for number in range(20):
        builders.form(unit, f"F-{number}", content=builders.content(FIRM, PERSON))
    open_transactions: list[int] = []

    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE state = 'idle in transaction' AND datname = current_database()"
            )
            open_transactions.append(cursor.fetchone()[0])
        connection.close()

    authority.before_answer = look
    done = in_threads(3, lambda: comparison.compare_pending(unit=unit))
    assert (sum(done), len(authority.asked), open_transactions) == (20, 1, [0])
    assert [outcome for _n, outcome, _cause in answers()] == ["match"] * 20

    builders.form(unit, "F-20", content=builders.content(FIRM, PERSON))
    with transaction.atomic(), pytest.raises(RuntimeError):  # whoever compares inside one is told
        comparison.compare_pending(unit=unit)


@pytest.mark.django_db(transaction=True)
def test_what_was_settled_meanwhile_is_not_written_again(authority: Authority, unit: PilotUnit) -> None:
    """As after a connection that broke and took its claim with it."""
    row = builders.form(unit, "F-1", content=builders.content(FIRM, PERSON))

    def settle() -> None:
        authority.before_answer = None
        builders.compared(row)
        connection.close()

    authority.before_answer = settle
    assert comparison.compare_pending(unit=unit) == 0
    assert answers() == [(1, "match", "")]
