"""``fire``: one transaction for move, effect and record; refusals in words; the database's own law."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from pilot import workflow
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.machines import UnscopedQueryError
from pilot.models import AuditEntry, ProposalState, TransitionRecord, Window, WindowExtension
from pilot.services import programmes
from tests.factories import world


@pytest.fixture
def extension(ministry_officer: Actor) -> WindowExtension:
    window = Window.objects.get(kind="application")
    return programmes.propose_extension(
        actor=ministry_officer,
        window=window,
        closes=world.moment("2019-04-20 00:00"),
        reason="示例：系统故障",
    )


def test_a_move_leaves_history_and_audit(extension: WindowExtension, ministry_approver: Actor) -> None:
    granted = workflow.fire(extension, "approve", actor=ministry_approver, seen="proposed", reason="同意")
    assert granted.state == ProposalState.GRANTED
    record = TransitionRecord.objects.get(machine="window-extension", number=2)
    assert (record.source, record.target, record.reason) == ("proposed", "granted", "同意")
    assert record.person_id == ministry_approver.person_id
    entry = AuditEntry.objects.get(action="window-extension.approve")
    assert (entry.outcome, entry.object_id) == ("done", str(extension.pk))


def test_a_case_carried_further_as_it_is_opened_leaves_what_separate_acts_leave(
    extension: WindowExtension, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    def begin(key: UUID, by: Actor) -> None:
        new = WindowExtension(window=extension.window, closes=extension.closes, reason="示例", case_key=key)
        new.proposed_by_id = ministry_officer.acting_person
        with transaction.atomic(), workflow.begun(new, actor=ministry_officer):
            assert workflow.fire(new, "reject", actor=by, reason="示例") is new

    workflow.fire(extension, "reject", actor=ministry_approver, reason="示例")
    with pytest.raises(NotPermitted):
        begin(uuid4(), ministry_officer)
    begin(key := uuid4(), ministry_approver)
    columns = ("number", "name", "source", "target", "person_id", "role", "reason")
    steps = [
        list(TransitionRecord.objects.filter(case_key=case).order_by("pk").values_list(*columns))
        for case in (extension.case_key, key)
    ]
    together = WindowExtension.unscoped.get(case_key=key)
    told = [
        list(AuditEntry.objects.filter(object_id=case.pk).order_by("pk").values_list("action", "detail"))
        for case in (extension, together)
    ]
    assert (together.state, steps[1], told[1]) == (ProposalState.REJECTED, steps[0], told[0])
    assert [step[0] for step in steps[0]] == [1, 2]
    assert (
        WindowExtension.unscoped.count(),
        AuditEntry.objects.filter(action__contains="reject").count(),
    ) == (2, 2)


def test_what_the_actor_saw_must_still_hold(extension: WindowExtension, ministry_approver: Actor) -> None:
    workflow.fire(extension, "approve", actor=ministry_approver)
    with pytest.raises(StateChanged, match="状态已由“待批准”变为“已批准”，请刷新后再办理"):
        workflow.fire(extension, "reject", actor=ministry_approver, seen="proposed", reason="x")


def test_a_move_not_open_from_this_state_says_so(
    extension: WindowExtension, ministry_approver: Actor
) -> None:
    workflow.fire(extension, "approve", actor=ministry_approver)
    with pytest.raises(StateChanged, match="当前状态为“已批准”，不能批准"):
        workflow.fire(extension, "approve", actor=ministry_approver)


def test_a_role_without_the_right_is_refused(extension: WindowExtension, ministry_officer: Actor) -> None:
    with pytest.raises(NotPermitted, match="“批准”不属于您当前角色的职责"):
        workflow.fire(extension, "approve", actor=ministry_officer)


def test_four_eyes_compares_persons(extension: WindowExtension, ministry_officer: Actor) -> None:
    same_person = Actor(role=Role.MINISTRY_APPROVER, person_id=ministry_officer.person_id)
    with pytest.raises(Refused, match="须由另一人办理（四眼原则）"):
        workflow.fire(extension, "approve", actor=same_person)


@pytest.mark.django_db(transaction=True)
def test_a_denied_act_is_audited_on_its_own() -> None:
    world.install()
    officer = world.ministry(Role.MINISTRY_OFFICER)
    extension = programmes.propose_extension(
        actor=officer,
        window=Window.objects.get(kind="application"),
        closes=world.moment("2019-04-20 00:00"),
        reason="示例",
    )
    with pytest.raises(NotPermitted):
        workflow.fire(extension, "approve", actor=officer)
    entry = AuditEntry.objects.get(action="window-extension.approve")
    assert (entry.outcome, entry.detail) == ("denied", {"code": "permission"})
    assert TransitionRecord.objects.filter(machine="window-extension").count() == 1


def test_available_actions_give_the_reason_why_not(
    extension: WindowExtension, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    same_person = Actor(role=Role.MINISTRY_APPROVER, person_id=ministry_officer.person_id)
    assert [
        (a.name, a.allowed, a.reason) for a in workflow.available_actions(extension, ministry_approver)
    ] == [
        ("approve", True, ""),
        ("reject", True, ""),
    ]
    assert [(a.name, a.allowed, a.reason) for a in workflow.available_actions(extension, same_person)] == [
        ("approve", False, "须由另一人办理（四眼原则）"),
        ("reject", False, "须由另一人办理（四眼原则）"),
    ]
    assert workflow.available_actions(extension, ministry_officer) == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE pilot_windowextension SET state = 'closed'",
        "INSERT INTO pilot_windowextension (state, window_id, closes, reason, proposed_by_id, case_key, opened_at,"
        " state_since) SELECT 'granted', window_id, closes, reason, proposed_by_id, gen_random_uuid(), opened_at,"
        " state_since FROM pilot_windowextension",
        "UPDATE pilot_windowextension SET state = 'granted', approved_by_id = proposed_by_id",
        "UPDATE pilot_transitionrecord SET reason = 'x'",
        "DELETE FROM pilot_auditentry",
        "TRUNCATE pilot_auditentry CASCADE",
    ],
)
def test_the_database_refuses_what_the_machine_does_not_allow(extension: WindowExtension, sql: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_the_state_field_is_protected(extension: WindowExtension) -> None:
    with pytest.raises(AttributeError):
        extension.state = "granted"


def test_an_unscoped_query_raises(programme: Any) -> None:
    with pytest.raises(UnscopedQueryError):
        WindowExtension.objects.count()


def test_a_bulk_update_to_a_state_outside_the_machine_is_refused(extension: WindowExtension) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        WindowExtension.unscoped.update(state="lapsed")


def test_refreshing_keeps_the_protection(extension: WindowExtension) -> None:
    extension.refresh_from_db()
    with pytest.raises(AttributeError):
        extension.state = "granted"


def test_a_step_that_leads_back_to_the_same_state_is_seen_too(
    extension: WindowExtension, ministry_approver: Actor
) -> None:
    assert workflow.steps(extension) == 1
    with pytest.raises(StateChanged, match="该事项已由他人办理了一步，请刷新后再办理"):
        workflow.fire(extension, "approve", actor=ministry_approver, seen="proposed", seen_step=0)
    workflow.fire(extension, "approve", actor=ministry_approver, seen="proposed", seen_step=1)
    assert workflow.steps(extension) == 2
