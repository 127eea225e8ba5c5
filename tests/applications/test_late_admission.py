"""Late admission: proposed by one person, granted by another, used after the window until its moment."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from applications.models import LateAdmission
from applications.pages.form import bell
from applications.services.drafts import start_application
from applications.services.late_admissions import propose_late_admission
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry, Notice, Organisation
from pilot.workflow import fire
from tests.applications import builders
from tests.factories import world

UNTIL = "2019-04-25 00:00"


def propose(officer: Actor, provider: Actor, **changes: Any) -> LateAdmission:
    data: dict[str, Any] = {
        "provider": Organisation.objects.get(pk=provider.organisation_id),
        "until": world.moment(UNTIL),
        "reason": "示例：自然灾害",
        **changes,
    }
    return propose_late_admission(actor=officer, **data)


def test_a_granted_admission_opens_the_way_until_its_moment(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    world.at("2019-04-18 09:00")
    with pytest.raises(Refused) as refusal:
        start_application(actor=provider)
    assert str(refusal.value) == "申请阶段已结束；确有特殊原因的，请联系注册地通信管理局申请逾期准入"
    admission = fire(propose(ministry_officer, provider), "approve", actor=ministry_approver)
    assert (admission.state, admission.approved_by_id) == ("granted", ministry_approver.person_id)
    told = Notice.objects.values_list("person", flat=True)
    assert sorted(told) == sorted([provider.person_id, ministry_officer.person_id])

    case = builders.drafted(provider)
    with pytest.raises(Refused) as refusal:
        fire(case, "submit", actor=provider, at=world.moment(UNTIL), declaration=True)
    assert str(refusal.value) == "申请阶段已结束，且没有批准的逾期准入"
    longer = propose(ministry_officer, provider, until=world.moment("2019-04-28 00:00"))
    fire(longer, "approve", actor=ministry_approver)
    assert bell(case, at=world.moment("2019-04-18 09:00")).text == (
        "申请阶段已结束；经批准逾期准入，请在 2019-04-27 23:59:59 前提交"
    )
    case = fire(case, "submit", actor=provider, at=world.moment("2019-04-24 23:59:59"), declaration=True)
    assert (case.state, case.late) == ("submitted", True)


def test_an_admission_opens_the_way_for_nobody_else(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    world.at("2019-04-18 09:00")
    fire(propose(ministry_officer, provider), "approve", actor=ministry_approver)
    with pytest.raises(Refused):
        start_application(actor=world.provider())


@pytest.mark.parametrize("state", ["proposed", "rejected"])
def test_an_admission_that_was_not_granted_opens_nothing(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor, state: str
) -> None:
    world.at("2019-04-18 09:00")
    admission = propose(ministry_officer, provider)
    if state == "rejected":
        fire(admission, "reject", actor=ministry_approver, reason="理由不足")
    with pytest.raises(Refused):
        start_application(actor=provider)


@pytest.mark.parametrize("name", ["approve", "reject"])
def test_another_person_decides(provider: Actor, ministry_officer: Actor, name: str) -> None:
    admission = propose(ministry_officer, provider)
    with pytest.raises(NotPermitted):
        fire(admission, name, actor=ministry_officer, reason="x")
    same_person = Actor(role=Role.MINISTRY_APPROVER, person_id=ministry_officer.person_id)
    with pytest.raises(Refused) as refusal:
        fire(admission, name, actor=same_person, reason="x")
    assert str(refusal.value) == "须由另一人办理（四眼原则）"
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE applications_lateadmission SET approved_by_id = proposed_by_id")


def test_rejecting_takes_a_reason(provider: Actor, ministry_officer: Actor, ministry_approver: Actor) -> None:
    admission = propose(ministry_officer, provider)
    with pytest.raises(Refused) as refusal:
        fire(admission, "reject", actor=ministry_approver)
    assert str(refusal.value) == "请填写理由"
    rejected = fire(admission, "reject", actor=ministry_approver, reason="理由不足")
    assert rejected.state == "rejected"


def test_a_moment_that_is_past_cannot_be_granted(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    admission = propose(ministry_officer, provider)
    with pytest.raises(Refused) as refusal:
        fire(admission, "approve", actor=ministry_approver, at=world.moment(UNTIL))
    assert str(refusal.value) == "准入的截止时间已过"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"until": "2019-04-16 00:00"}, "逾期准入的截止时间应晚于申请阶段结束时间和当前时间"),
        ({"until": "2019-04-10 00:00"}, "逾期准入的截止时间应晚于申请阶段结束时间和当前时间"),
        ({"reason": "  "}, "请填写理由"),
    ],
)
def test_a_proposal_is_checked(
    provider: Actor, ministry_officer: Actor, changes: dict[str, str], words: str
) -> None:
    data: dict[str, Any] = dict(changes)
    if "until" in data:
        data["until"] = world.moment(data["until"])
    with pytest.raises(Refused) as refusal:
        propose(ministry_officer, provider, **data)
    assert str(refusal.value) == words


def test_only_providers_are_admitted_and_only_officers_propose(
    provider: Actor, ministry_officer: Actor, ministry_approver: Actor, bureau_lead: Actor
) -> None:
    with pytest.raises(Refused) as refusal:
        propose(ministry_officer, bureau_lead)
    assert str(refusal.value) == "只能为网络接入服务提供者提出逾期准入"
    for actor in (ministry_approver, bureau_lead, provider):
        with pytest.raises(NotPermitted) as denial:
            propose(actor, provider)
        assert str(denial.value) == "逾期准入由部经办人员提出"
    denied = AuditEntry.objects.filter(action="late-admission.open", outcome="denied")
    assert denied.count() == 3


def test_one_proposal_waits_at_a_time(provider: Actor, ministry_officer: Actor) -> None:
    propose(ministry_officer, provider)
    with pytest.raises(Refused) as refusal:
        propose(ministry_officer, provider)
    assert str(refusal.value) == "该单位的逾期准入正在等待批准"
