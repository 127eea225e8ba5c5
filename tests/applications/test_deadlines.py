"""Clocks that run out: warning, reminder, lapse, alert, deemed acceptance; once, dated, by working days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.dispatch import Signal
from django.urls import reverse

from applications import tasks
from applications.models import Application
from applications.selectors import deadlines as selectors
from applications.services import deadlines
from applications.services.drafts import start_application
from applications.services.late_admissions import propose_late_admission
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import AuditEntry, Document, Notice, Organisation, Programme, TransitionRecord, Window
from pilot.services import programmes
from pilot.signals import case_moved
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world
from tests.factories.audited import audited


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


@contextmanager
def receiving(signal: Signal, receiver: Callable[..., None]) -> Iterator[None]:
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


@pytest.mark.parametrize(
    ("returned", "due"),
    [
        ("2019-04-26 09:00", "2019-05-07 00:00"),  # 28 April and 5 May are worked, 1-3 May are not
        ("2019-04-15 23:59", "2019-04-23 00:00"),
        ("2019-04-30 00:00", "2019-05-10 00:00"),
        ("2019-06-06 09:00", "2019-06-15 00:00"),  # 端午 on 7 June
        ("2019-09-27 09:00", "2019-10-11 00:00"),  # a week of holidays, 29 September is worked
        ("2019-10-08 09:00", "2019-10-15 00:00"),  # so is Saturday, 12 October
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
        ("2019-04-29 23:59:59.999", {}),  # 30 April, 5 and 6 May are left
        ("2019-04-30 00:00", {"reminded": 1}),
        ("2019-05-06 23:59:59.999", {"reminded": 1}),
        ("2019-05-07 00:00:59.999", {}),  # an answer that arrived before the bell may still be on its way
        ("2019-05-07 00:01", {"lapsed": 1}),
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
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:00:59.999")) == {}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:01")) == {"alerted": 1}
    assert audited("application.overdue") == ("done", None, "application", str(case.pk))
    assert deadlines.pass_deadlines(at=world.moment("2019-04-21 00:00")) == {}
    told = Notice.objects.filter(subject__endswith="受理已逾期").values_list("person", flat=True)
    assert sorted(told) == sorted([bureau_lead.person_id, ministry_officer.person_id])
    case.refresh_from_db()
    assert case.state == "submitted"
    assert (
        fire(case, "accept", actor=bureau_reviewer, at=world.moment("2019-04-22 09:00")).state == "accepted"
    )


@pytest.mark.parametrize(
    ("at", "done"),
    [
        ("2019-04-17 23:59:59.999", {}),  # 18 and 19 April are left
        ("2019-04-18 00:00", {"warned": 1}),
        ("2019-04-19 23:59:59.999", {"warned": 1}),
        ("2019-04-20 00:00", {}),  # neither a warning any more nor an alert yet
    ],
)
def test_the_bureau_is_warned_one_working_day_before(provider: Actor, at: str, done: dict[str, int]) -> None:
    submitted_at(provider, "2019-04-12 09:00")
    assert deadlines.pass_deadlines(at=world.moment(at)) == done


def test_the_warning_goes_to_the_whole_bureau_once(
    provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor, ministry_officer: Actor
) -> None:
    case = submitted_at(provider, "2019-04-12 09:00")
    assert deadlines.pass_deadlines(at=world.moment("2019-04-18 09:00")) == {"warned": 1}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-18 09:01")) == {}
    told = Notice.objects.filter(subject=f"{case.case_number} · 受理期限将至").values_list(
        "person", flat=True
    )
    assert sorted(told) == sorted([bureau_reviewer.person_id, bureau_lead.person_id])
    assert AuditEntry.objects.filter(action="application.warning").count() == 1
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:01")) == {"alerted": 1}


def test_how_long_before_is_the_programmes_to_say(programme: Programme, provider: Actor) -> None:
    submitted_at(provider, "2019-04-12 09:00")
    programmes.set_rule(
        actor=world.SETUP, programme=programme, key="acceptance_warning_days", value=0, basis="示例规则"
    )
    assert deadlines.pass_deadlines(at=world.moment("2019-04-18 23:59")) == {}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-19 00:00")) == {"warned": 1}


def test_a_programme_without_the_rule_warns_one_day_before(programme: Programme, provider: Actor) -> None:
    submitted_at(provider, "2019-04-12 09:00")
    programme.rules.filter(key="acceptance_warning_days").delete()
    assert deadlines.pass_deadlines(at=world.moment("2019-04-17 23:59")) == {}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-18 00:00")) == {"warned": 1}


@pytest.mark.parametrize("fault", [Refused("示例"), RuntimeError("示例")], ids=["refusal", "fault"])
def test_one_case_that_cannot_be_moved_does_not_hold_up_the_next(
    provider: Actor, bureau_reviewer: Actor, fault: Exception
) -> None:
    first = returned_at(provider, bureau_reviewer, "2019-04-26 09:00")
    second = returned_at(world.provider(), bureau_reviewer, "2019-04-26 09:01")

    def break_off(case: Application, **kwargs: object) -> None:
        if case.pk == first.pk:
            raise fault

    with receiving(case_moved, break_off):
        at = world.moment("2019-05-08 09:00")
        assert deadlines.pass_deadlines(at=at) == {"failed": 1, "lapsed": 1}
    states = Application.unscoped.filter(pk__in=[first.pk, second.pk]).order_by("pk")
    assert list(states.values_list("state", flat=True)) == ["returned", "lapsed"]


def test_a_database_that_is_away_is_no_fault_of_a_case(provider: Actor, bureau_reviewer: Actor) -> None:
    case = returned_at(provider, bureau_reviewer, "2019-04-26 09:00")

    def break_off(**kwargs: object) -> None:
        raise OperationalError

    with receiving(case_moved, break_off), pytest.raises(OperationalError):
        deadlines.pass_deadlines(at=world.moment("2019-05-08 09:00"))
    assert Application.unscoped.get(pk=case.pk).state == "returned"


def test_a_case_in_other_hands_is_left_to_the_next_run(programme: Programme) -> None:
    assert deadlines._attempt(deadlines._pass_one, 0, world.moment("2019-05-08 09:00")) == ""


def test_what_changed_between_the_look_and_the_lock_is_let_be(
    provider: Actor, bureau_reviewer: Actor
) -> None:
    """The list is read without a lock: by the time a row is held, its clock may have stopped or been told of."""
    late = world.moment("2019-05-20 08:00")
    for case in (builders.accepted(provider, bureau_reviewer), builders.submitted(world.provider())):
        assert deadlines._tell_closed(case, late) == ""
        if case.state == "accepted":
            assert deadlines._pass_one(case, late) == ""
            case.due_at = late
            assert deadlines._pass_one(case, late) == ""
    draft = builders.drafted(world.provider())
    assert deadlines._tell_closed(draft, world.moment("2019-04-16 00:00:59.999")) == ""
    for told in ("2019-04-16 00:00", "2019-04-17 00:00"):
        draft.closed_told_at = world.moment(told)
        assert deadlines._tell_closed(draft, late) == ""
    case = builders.submitted(world.provider())
    case.alerted_due_at = case.warned_due_at = case.due_at
    assert case.due_at is not None
    assert deadlines._pass_one(case, case.due_at + timedelta(days=1)) == ""
    assert deadlines._pass_one(case, case.due_at - timedelta(hours=1)) == ""


# --- the window closes ------------------------------------------------------------------------------
CLOSED = "申请窗口已关闭，您的申请草稿未提交"


def told_of_closing() -> list[int]:
    return sorted(Notice.objects.filter(subject=CLOSED).values_list("person", flat=True))


def test_owners_of_drafts_are_told_once_that_the_window_closed(provider: Actor) -> None:
    draft, other = builders.drafted(provider), world.provider()
    start_application(actor=other)
    builders.submitted(world.provider())
    assert deadlines.pass_deadlines(at=world.moment("2019-04-16 00:00:59.999")) == {}
    after = world.moment("2019-04-16 00:01")
    assert deadlines.pass_deadlines(at=after) == {"closed": 2}
    assert deadlines.pass_deadlines(at=after) == {}
    assert told_of_closing() == sorted([provider.person_id, other.person_id])
    draft.refresh_from_db()
    assert draft.closed_told_at == world.moment("2019-04-16 00:00")
    assert AuditEntry.objects.filter(action="application.closed").count() == 2


def test_a_draft_that_was_left_behind_is_marked_and_can_be_read(provider: Actor) -> None:
    draft = builders.drafted(provider)
    client = builders.client_of(provider)
    listed, shown = reverse("application_list"), reverse("application_detail", args=[draft.pk])

    def marks() -> tuple[bool, bool]:
        rows = client.get(listed).context["page"].rows
        sections = client.get(shown).context["page"].sections
        mark = "窗口已关闭，未提交"
        return (
            any(getattr(cell, "label", "") == mark for row in rows for cell in row.cells),
            any(section.title == mark for section in sections),
        )

    world.at("2019-04-15 23:59:50")
    assert marks() == (False, False)
    world.at("2019-04-16 00:00")
    assert marks() == (True, True)


def test_a_late_admission_opens_the_draft_again_until_it_ends(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    draft = builders.drafted(provider)
    assert deadlines.pass_deadlines(at=world.moment("2019-04-16 09:00")) == {"closed": 1}
    world.at("2019-04-17 09:00")
    organisation = Organisation.objects.get(pk=provider.organisation_id)
    until = world.moment("2019-04-20 00:00")
    admission = propose_late_admission(
        actor=ministry_officer, provider=organisation, until=until, reason="示例"
    )
    assert selectors.left_behind(draft, world.moment("2019-04-19 23:59:59.999")) is True
    fire(admission, "approve", actor=ministry_approver)
    assert selectors.left_behind(draft, world.moment("2019-04-19 23:59:59.999")) is False
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:00:59")) == {}
    assert selectors.left_behind(draft, until) is True
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:01")) == {"closed": 1}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-21 00:00")) == {}
    assert told_of_closing() == [provider.person_id] * 2


def test_an_extended_window_closes_later_and_owners_of_drafts_hear_of_it(
    programme: Programme, provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    builders.drafted(provider)
    builders.submitted(world.provider())
    window = Window.objects.get(programme=programme, kind="application")
    closes = world.moment("2019-04-20 00:00")
    extension = programmes.propose_extension(
        actor=ministry_officer, window=window, closes=closes, reason="示例"
    )
    fire(extension, "approve", actor=ministry_approver)
    told = Notice.objects.filter(subject="申请窗口已延长，草稿仍可提交").values_list("person", flat=True)
    assert list(told) == [provider.person_id]
    assert deadlines.pass_deadlines(at=world.moment("2019-04-16 09:00")) == {}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:01")) == {"alerted": 1, "closed": 1}


def test_the_clock_that_starts_afresh_alerts_afresh(provider: Actor, bureau_reviewer: Actor) -> None:
    case = submitted_at(provider, "2019-04-12 09:00")
    assert deadlines.pass_deadlines(at=world.moment("2019-04-20 00:01")) == {"alerted": 1}
    at = world.moment("2019-04-22 09:00")
    case = fire(case, "return_for_correction", actor=bureau_reviewer, at=at, items=builders.ITEMS)
    builders.corrected(case, provider)
    fire(case, "resubmit", actor=provider, at=at, declaration=True)
    assert deadlines.pass_deadlines(at=world.moment("2019-04-28 00:00")) == {"warned": 1}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-29 00:01")) == {"alerted": 1}


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
