"""Clocks that run out: reminder, lapse, alert, deemed acceptance; once, dated to their moment, by working days."""

from __future__ import annotations

import pytest

from applications import tasks
from applications.models import Application
from applications.services import deadlines
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import AuditEntry, Document, Notice, Programme, TransitionRecord
from pilot.services import programmes
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world


def submitted_at(provider: Actor, at: str) -> Application:
    case: Application = fire(
        builders.drafted(provider), "submit", actor=provider, at=world.moment(at), declaration=True
    )
    return case


def returned_at(provider: Actor, reviewer: Actor, at: str) -> Application:
    case = builders.submitted(provider)
    moment = world.moment(at)
    returned: Application = fire(
        case, "return_for_correction", actor=reviewer, at=moment, items=builders.ITEMS
    )
    return returned


@pytest.mark.parametrize(
    ("returned", "due"),
    [
        ("2019-04-26 09:00", "2019-05-07 00:00"),  # 28 April and 5 May are worked, 1-3 May are not
        ("2019-04-15 23:59", "2019-04-23 00:00"),
        ("2019-04-30 00:00", "2019-05-10 00:00"),
        ("2019-06-06 09:00", "2019-06-15 00:00"),  # 端午 on 7 June
    ],
)
def test_working_days_of_the_correction_clock(
    provider: Actor, bureau_reviewer: Actor, returned: str, due: str
) -> None:
    assert returned_at(provider, bureau_reviewer, returned).due_at == world.moment(due)


@pytest.mark.parametrize(
    ("submitted", "due"),
    [("2019-04-01 00:00", "2019-04-10 00:00"), ("2019-04-15 23:59", "2019-04-23 00:00")],  # 清明 on 5 April
)
def test_working_days_of_the_acceptance_clock(provider: Actor, submitted: str, due: str) -> None:
    assert submitted_at(provider, submitted).due_at == world.moment(due)


def test_an_overdue_answer_lapses_at_its_deadline_whenever_the_job_runs(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = returned_at(provider, bureau_reviewer, "2019-04-26 09:00")
    due = world.moment("2019-05-07 00:00")
    assert deadlines.pass_deadlines(at=world.moment("2019-05-20 08:00")) == {"lapsed": 1}
    case.refresh_from_db()
    record = TransitionRecord.objects.get(object_id=case.pk, name="lapse")
    assert (case.state, case.due_at, record.at, record.role) == ("lapsed", None, due, "system")
    assert deadlines.pass_deadlines(at=world.moment("2019-05-20 08:00")) == {}
    told = Notice.objects.filter(subject__endswith="逾期未补正").values_list("person", flat=True)
    assert sorted(told) == sorted([provider.person_id, bureau_reviewer.person_id])


@pytest.mark.parametrize(
    ("at", "done"),
    [
        ("2019-04-29 23:59:59.999999", {}),  # 30 April, 5 and 6 May are left
        ("2019-04-30 00:00", {"reminded": 1}),
        ("2019-05-06 23:59:59.999999", {"reminded": 1}),
        ("2019-05-07 00:00", {"lapsed": 1}),
    ],
)
def test_reminder_two_working_days_before_and_lapse_at_the_deadline(
    provider: Actor, bureau_reviewer: Actor, at: str, done: dict[str, int]
) -> None:
    returned_at(provider, bureau_reviewer, "2019-04-26 09:00")
    assert deadlines.pass_deadlines(at=world.moment(at)) == done


def test_one_reminder_per_deadline(provider: Actor, bureau_reviewer: Actor) -> None:
    case = returned_at(provider, bureau_reviewer, "2019-04-26 09:00")
    assert deadlines.pass_deadlines(at=world.moment("2019-05-05 09:00")) == {"reminded": 1}
    assert deadlines.pass_deadlines(at=world.moment("2019-05-05 09:01")) == {}
    notice = Notice.objects.get(subject__endswith="补正期限将至")
    assert (notice.person_id, notice.subject) == (provider.person_id, f"{case.case_number} · 补正期限将至")
    assert AuditEntry.objects.filter(action="application.reminder").count() == 1


def test_a_silent_bureau_alerts_lead_and_ministry_once(
    provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor, ministry_officer: Actor
) -> None:
    case = submitted_at(provider, "2019-04-12 09:00")
    assert deadlines.pass_deadlines(at=world.moment("2019-04-19 23:59:59")) == {}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:00")) == {"alerted": 1}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-21 00:00")) == {}
    told = Notice.objects.filter(subject__endswith="受理已超期").values_list("person", flat=True)
    assert sorted(told) == sorted([bureau_lead.person_id, ministry_officer.person_id])
    case.refresh_from_db()
    assert case.state == "submitted"
    assert (
        fire(case, "accept", actor=bureau_reviewer, at=world.moment("2019-04-22 09:00")).state == "accepted"
    )


def test_the_clock_that_starts_afresh_alerts_afresh(provider: Actor, bureau_reviewer: Actor) -> None:
    case = submitted_at(provider, "2019-04-12 09:00")
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:00")) == {"alerted": 1}
    at = world.moment("2019-04-22 09:00")
    case = fire(case, "return_for_correction", actor=bureau_reviewer, at=at, items=builders.ITEMS)
    builders.corrected(case, provider)
    fire(case, "resubmit", actor=provider, at=at, declaration=True)
    assert deadlines.pass_deadlines(at=world.moment("2019-04-28 00:00")) == {}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-29 00:00")) == {"alerted": 1}


def test_silence_is_acceptance_only_where_the_programme_says_so(
    programme: Programme, provider: Actor
) -> None:
    case = submitted_at(provider, "2019-04-12 09:00")
    programmes.set_rule(
        actor=world.SETUP,
        programme=programme,
        key="deemed_acceptance",
        value=True,
        basis="示例规则：逾期未告知的视为受理",
    )
    assert deadlines.pass_deadlines(at=world.moment("2019-04-22 08:00")) == {"deemed_accepted": 1}
    case.refresh_from_db()
    record = TransitionRecord.objects.get(object_id=case.pk, name="deem_accepted")
    assert (case.state, case.acceptance_number) == ("accepted", "SL2019-44-00001")
    assert (case.accepted_at, record.at) == (
        world.moment("2019-04-12 09:00"),
        world.moment("2019-04-20 00:00"),
    )
    assert Document.objects.filter(object_id=case.pk, kind="letter_acceptance").count() == 1
    assert deadlines.pass_deadlines(at=world.moment("2019-04-22 08:00")) == {}


def test_deeming_without_rule_or_before_time_is_refused(programme: Programme, provider: Actor) -> None:
    case = submitted_at(provider, "2019-04-12 09:00")
    system = builders.system()
    with pytest.raises(Refused) as refusal:
        fire(case, "deem_accepted", actor=system, at=case.due_at)
    assert str(refusal.value) == "本项目没有视为受理的规则"
    programmes.set_rule(
        actor=world.SETUP, programme=programme, key="deemed_acceptance", value=True, basis="示例规则"
    )
    with pytest.raises(Refused) as refusal:
        fire(case, "deem_accepted", actor=system, at=world.moment("2019-04-19 23:59"))
    assert str(refusal.value) == "期限尚未届满"


def test_nothing_lapses_before_its_time(provider: Actor, bureau_reviewer: Actor) -> None:
    case = returned_at(provider, bureau_reviewer, "2019-04-26 09:00")
    with pytest.raises(Refused) as refusal:
        fire(case, "lapse", actor=builders.system(), at=world.moment("2019-05-06 23:59"))
    assert str(refusal.value) == "期限尚未届满"


def test_the_task_does_it_at_business_time(provider: Actor, bureau_reviewer: Actor) -> None:
    returned_at(provider, bureau_reviewer, "2019-04-26 09:00")
    world.at("2019-05-08 09:00")
    assert tasks.pass_deadlines() == {"lapsed": 1}
    assert clock.now() > world.moment("2019-05-08 09:00")


def test_a_new_application_is_possible_after_a_lapse_while_the_window_is_open(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    case = submitted_at(provider, "2019-04-01 09:00")
    at = world.moment("2019-04-02 09:00")
    fire(case, "return_for_correction", actor=bureau_reviewer, at=at, items=builders.ITEMS)
    assert deadlines.pass_deadlines(at=world.moment("2019-04-12 09:00")) == {"lapsed": 1}
    assert builders.submitted(provider).case_number == "SQ2019-44-00002"
