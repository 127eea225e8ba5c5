"""Every path an application can take through a bureau, from end to end: state, papers, notices, history."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from applications.documents import make_receipt
from applications.models import Application, ApplicationVersion
from applications.services import deadlines
from applications.services.late_admissions import propose_late_admission
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import Document, Notice, Organisation, OutboxMessage, Programme, TransitionRecord, Window
from pilot.services import objections, outbox, programmes
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world


def receive(case: Application) -> None:
    """What the worker does after a submission."""
    make_receipt(version_id=ApplicationVersion.unscoped.filter(application=case).latest("number").pk)


def hand_in(provider: Actor) -> Application:
    case = builders.submitted(provider)
    receive(case)
    return case


def history(case: Any) -> list[tuple[str, str]]:
    """The steps of the case itself: what was done, and in which role."""
    rows = TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk).order_by("number")
    return list(rows.values_list("name", "role"))


def papers(case: Application) -> list[str]:
    rows = Document.objects.filter(machine="application", object_id=case.pk).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def told(actor: Actor) -> list[str]:
    """The subjects of one person's notices in the order they were written, without the number of the case."""
    rows = Notice.objects.filter(person=actor.person_id).order_by("pk").values_list("subject", flat=True)
    return [subject.rpartition(" · ")[2] for subject in rows]


def state_of(case: Any) -> str:
    return str(type(case).unscoped.get(pk=case.pk).state)


def test_accepted(provider: Actor, bureau_reviewer: Actor) -> None:
    case = fire(hand_in(provider), "accept", actor=bureau_reviewer)
    assert (case.state, case.acceptance_number, case.due_at) == ("accepted", "SL2019-44-00001", None)
    assert papers(case) == ["receipt", "letter_acceptance"]
    assert told(provider) == ["提交申请", "受理"]
    assert told(bureau_reviewer) == ["提交申请"]
    assert history(case) == [
        ("open", "provider_admin"),
        ("submit", "provider_admin"),
        ("accept", "bureau_reviewer"),
    ]


def test_returned_answered_accepted(provider: Actor, bureau_reviewer: Actor) -> None:
    case = fire(hand_in(provider), "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
    world.at("2019-04-18 10:00")  # after the window: an answer needs none
    builders.corrected(case, provider)
    case = fire(case, "resubmit", actor=provider, declaration=True)
    receive(case)
    assert case.due_at == world.moment("2019-04-26 00:00")
    case = fire(case, "accept", actor=bureau_reviewer)
    assert (case.state, case.late) == ("accepted", False)
    assert papers(case) == ["receipt", "letter_correction", "receipt", "letter_acceptance"]
    assert told(provider) == ["提交申请", "一次性告知补正", "提交补正", "受理"]
    assert told(bureau_reviewer) == ["提交申请", "提交补正"]
    assert [name for name, _role in history(case)] == [
        "open",
        "submit",
        "return_for_correction",
        "resubmit",
        "accept",
    ]


def test_returned_and_left_unanswered(provider: Actor, bureau_reviewer: Actor) -> None:
    case = fire(hand_in(provider), "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
    due = case.due_at
    assert deadlines.pass_deadlines(at=due - timedelta(days=1)) == {"reminded": 1}
    assert deadlines.pass_deadlines(at=due + timedelta(minutes=1)) == {"lapsed": 1}
    assert state_of(case) == "lapsed"
    assert papers(case) == ["receipt", "letter_correction"]
    assert told(provider) == ["提交申请", "一次性告知补正", "补正期限将至", "逾期未补正"]
    assert told(bureau_reviewer) == ["提交申请", "逾期未补正"]
    assert history(case)[-1] == ("lapse", "system")
    assert TransitionRecord.objects.get(name="lapse").at == due


def test_a_second_return_is_the_leads_with_a_reason(
    provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    case = fire(hand_in(provider), "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS)
    builders.corrected(case, provider)
    case = fire(case, "resubmit", actor=provider, declaration=True)
    receive(case)
    with pytest.raises(Refused, match=r"^申请人已补正过一次，再次要求补正须由省局负责人办理$"):
        fire(case, "return_for_correction", actor=bureau_reviewer, items=builders.ITEMS, reason="示例")
    with pytest.raises(Refused, match=r"^再次要求补正须说明理由$"):
        fire(case, "return_for_correction", actor=bureau_lead, items=builders.ITEMS)
    case = fire(case, "return_for_correction", actor=bureau_lead, items=builders.ITEMS, reason="附页仍缺")
    assert case.state == "returned"
    assert papers(case) == ["receipt", "letter_correction", "receipt", "letter_correction"]
    assert told(provider) == ["提交申请", "一次性告知补正", "提交补正", "一次性告知补正"]
    last = TransitionRecord.objects.filter(machine="application").latest("pk")
    assert (last.name, last.role, last.reason) == ("return_for_correction", "bureau_lead", "附页仍缺")


def test_refused_and_reinstated_by_an_objection(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor
) -> None:
    case = fire(
        hand_in(provider), "refuse", actor=bureau_reviewer, condition=3, reason="未提供权威库比对授权"
    )
    assert papers(case) == ["receipt", "letter_refusal"]
    world.at("2019-04-15 09:00")
    objection = objections.file_objection(
        actor=provider, machine="application", object_id=case.pk, grounds="授权书随附"
    )
    fire(objection, "take", actor=ministry_officer)
    fire(objection, "uphold", actor=ministry_officer, reason="授权书有效")
    case = Application.unscoped.get(pk=case.pk)
    assert (case.state, case.due_at) == ("submitted", world.moment("2019-04-23 00:00"))
    assert history(case)[-2:] == [("refuse", "bureau_reviewer"), ("reinstate", "system")]
    assert told(provider) == ["提交申请", "不予受理", "受理复核", "恢复受理审查", "申诉成立"]
    assert told(bureau_reviewer) == ["提交申请", "恢复受理审查"]
    assert fire(case, "accept", actor=bureau_reviewer).state == "accepted"


def test_a_silent_bureau_is_warned_then_reported_and_nothing_is_deemed(
    provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor, ministry_officer: Actor
) -> None:
    case = hand_in(provider)
    done = [
        deadlines.pass_deadlines(at=world.moment(at))
        for at in ("2019-04-17 09:00", "2019-04-18 09:00", "2019-04-19 09:00", "2019-04-22 09:00")
    ]
    assert done == [{}, {"warned": 1}, {}, {"alerted": 1}]
    assert told(bureau_reviewer) == ["提交申请", "受理期限将至"]
    assert told(bureau_lead) == ["提交申请", "受理期限将至", "受理已逾期"]
    assert told(ministry_officer) == ["受理已逾期"]
    assert (state_of(case), papers(case)) == ("submitted", ["receipt"])
    assert [name for name, _role in history(case)] == ["open", "submit"]


def test_silence_is_acceptance_where_the_programme_says_so(
    programme: Programme, provider: Actor, bureau_lead: Actor
) -> None:
    programmes.set_rule(
        actor=world.SETUP, programme=programme, key="deemed_acceptance", value=True, basis="示例规则"
    )
    case = hand_in(provider)
    assert deadlines.pass_deadlines(at=world.moment("2019-04-19 09:00")) == {"warned": 1}
    assert deadlines.pass_deadlines(at=world.moment("2019-04-22 09:00")) == {"deemed_accepted": 1}
    assert (state_of(case), papers(case)) == ("accepted", ["receipt", "letter_acceptance"])
    assert told(provider) == ["提交申请", "视为受理"]
    assert told(bureau_lead) == ["提交申请", "受理期限将至", "视为受理"]
    assert history(case)[-1] == ("deem_accepted", "system")


def test_late_by_decision_of_two(
    provider: Actor, bureau_reviewer: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    case = builders.drafted(provider)
    world.at("2019-04-17 09:00")
    assert deadlines.pass_deadlines() == {"closed": 1}
    with pytest.raises(Refused, match=r"^申请阶段已结束，且没有批准的逾期准入$"):
        fire(case, "submit", actor=provider, declaration=True)
    admission = propose_late_admission(
        actor=ministry_officer,
        provider=Organisation.objects.get(pk=provider.organisation_id),
        until=world.moment("2019-04-20 00:00"),
        reason="系统故障，经核实",
    )
    fire(admission, "approve", actor=ministry_approver)
    case = fire(case, "submit", actor=provider, declaration=True)
    receive(case)
    assert (case.state, case.late, papers(case)) == ("submitted", True, ["receipt"])
    assert history(admission) == [("open", "ministry_officer"), ("approve", "ministry_approver")]
    assert told(provider) == ["申请窗口已关闭，您的申请草稿未提交", "批准", "提交申请"]
    assert told(bureau_reviewer) == ["批准", "提交申请"]
    assert told(ministry_officer) == ["批准"]


def test_an_extended_window_lets_everybody_in(
    programme: Programme, bureau_reviewer: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    providers = [world.provider(), world.provider()]
    first, second = (builders.drafted(provider) for provider in providers)
    window = Window.objects.get(programme=programme, kind="application")
    extension = programmes.propose_extension(
        actor=ministry_officer, window=window, closes=world.moment("2019-04-20 00:00"), reason="系统故障"
    )
    with pytest.raises(Refused, match=r"^须由另一人办理（四眼原则）$"):
        fire(extension, "approve", actor=replace(ministry_officer, role=Role.MINISTRY_APPROVER))
    fire(extension, "approve", actor=ministry_approver)
    world.at("2019-04-19 23:59:00")
    for case, provider in zip((first, second), providers, strict=True):
        handed_in = fire(case, "submit", actor=provider, declaration=True)
        assert (handed_in.state, handed_in.late) == ("submitted", False)
        assert told(provider) == ["申请窗口已延长，草稿仍可提交", "提交申请"]
    assert told(bureau_reviewer) == ["批准", "提交申请", "提交申请"]
    assert history(extension) == [("open", "ministry_officer"), ("approve", "ministry_approver")]
    extension.refresh_from_db()
    assert (extension.proposed_by_id, extension.approved_by_id) == (
        ministry_officer.person_id,
        ministry_approver.person_id,
    )


def test_withdrawn_and_begun_again(provider: Actor, bureau_reviewer: Actor) -> None:
    case = fire(hand_in(provider), "withdraw", actor=provider, reason="另行准备")
    assert (case.state, case.due_at, papers(case)) == ("withdrawn", None, ["receipt"])
    assert told(bureau_reviewer) == ["提交申请", "撤回申请"]
    assert history(case)[-1] == ("withdraw", "provider_admin")
    again = hand_in(provider)
    assert (again.case_number, again.case_key != case.case_key) == ("SQ2019-44-00002", True)


def test_taken_back_within_thirty_seconds_and_never_told(provider: Actor, bureau_reviewer: Actor) -> None:
    case = hand_in(provider)
    due = case.due_at
    case = fire(case, "refuse", actor=bureau_reviewer, condition=3, reason="误点")
    case = fire(case, "revert", actor=bureau_reviewer)
    assert (case.state, case.due_at) == ("submitted", due)
    assert told(provider) == ["提交申请"]
    assert papers(case) == [
        "receipt",
        "letter_refusal",
    ]  # what was made stays on record, marked as taken back
    assert [name for name, _role in history(case)] == ["open", "submit", "refuse", "revert"]
    outbox.relay()
    held = OutboxMessage.objects.filter(not_before__gt=clock.security_now(), cancelled_at__isnull=True)
    assert held.count() == 0
    assert fire(case, "accept", actor=bureau_reviewer).state == "accepted"
    assert told(provider) == ["提交申请", "受理"]
