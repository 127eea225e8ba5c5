"""The machines are exactly those of the design, for every role, and the database knows them too.

The table is copied by hand from design.md, section 4. Three names differ from its words, because they are taken in
Python or by a field: ``return`` is ``return_for_correction`` and ``return_to_bureau``, ``dispute`` of a finding is
``dispute_finding``. A state that may be the first one is the first of its machine's lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from pilot import policy, workflow
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, StateChanged
from pilot.machines import MACHINES, Case, declared
from pilot.management.commands import machine_docs
from pilot.models import Programme, TransitionRecord
from tests.factories import cases, world
from tests.factories.cases import Cast

PROVIDER = {"provider_operator", "provider_admin"}
REVIEWER = {"bureau_reviewer"}
LEAD = {"bureau_lead"}
BUREAU = REVIEWER | LEAD
OFFICER = {"ministry_officer"}
APPROVER = {"ministry_approver"}
MINISTRY = OFFICER | APPROVER
OFFICIAL = BUREAU | MINISTRY
ASSESSOR = {"assessor"}
SYSTEM = {"system"}
TWO_ADMINS = {"system_admin", "security_admin"}  # the audit administrator watches and never acts

PROPOSAL = {
    ("proposed", "approve", "granted"): APPROVER,
    ("proposed", "reject", "rejected"): APPROVER,
}
DESIGN: dict[str, dict[tuple[str, str, str], set[str]]] = {
    "application": {
        ("draft", "submit", "submitted"): PROVIDER,
        ("submitted", "accept", "accepted"): BUREAU,
        ("submitted", "return_for_correction", "returned"): BUREAU,
        ("returned", "resubmit", "submitted"): PROVIDER,
        ("returned", "lapse", "lapsed"): SYSTEM,
        ("submitted", "refuse", "refused"): BUREAU,
        ("submitted", "deem_accepted", "accepted"): SYSTEM,
        ("accepted", "revert", "submitted"): BUREAU,
        ("returned", "revert", "submitted"): BUREAU,
        ("refused", "revert", "submitted"): BUREAU,
        ("draft", "withdraw", "withdrawn"): PROVIDER,
        ("submitted", "withdraw", "withdrawn"): PROVIDER,
        ("returned", "withdraw", "withdrawn"): PROVIDER,
        ("accepted", "withdraw", "withdrawn"): PROVIDER,
        ("recommended", "withdraw", "withdrawn"): PROVIDER,
        ("not_recommended", "withdraw", "withdrawn"): PROVIDER,
        ("reported", "withdraw", "withdrawn"): PROVIDER,
        ("accepted", "recommend", "recommended"): SYSTEM,
        ("accepted", "disrecommend", "not_recommended"): SYSTEM,
        ("recommended", "reopen", "accepted"): SYSTEM,
        ("not_recommended", "reopen", "accepted"): SYSTEM,
        ("recommended", "report", "reported"): SYSTEM,
        ("not_recommended", "report", "reported"): SYSTEM,
        ("reported", "admit", "listed"): SYSTEM,
        ("reported", "decline", "not_listed"): SYSTEM,
        ("not_listed", "admit", "listed"): SYSTEM,
        ("refused", "reinstate", "submitted"): SYSTEM,
    },
    "late-admission": PROPOSAL,
    "window-extension": PROPOSAL,
    "opinion": {
        ("pending", "draft", "drafted"): REVIEWER,
        ("drafted", "sign", "signed"): LEAD,
        ("drafted", "send_back", "pending"): LEAD,
        ("signed", "reopen", "pending"): LEAD,  # the design names nobody
        ("pending", "void", "void"): SYSTEM,
        ("drafted", "void", "void"): SYSTEM,
        ("signed", "void", "void"): SYSTEM,
    },
    "provincial-report": {
        ("open", "send", "sent"): LEAD,
        ("sent", "receive", "received"): OFFICER,
        ("sent", "return_to_bureau", "open"): OFFICER,
    },
    "capability-assessment": {
        ("planned", "assign", "assigned"): OFFICER,
        ("assigned", "start", "in_progress"): SYSTEM,
        ("assigned", "reassign", "assigned"): OFFICER,
        ("in_progress", "reassign", "assigned"): OFFICER,
        ("in_progress", "conclude", "concluded"): OFFICER,
        ("in_progress", "moderate", "in_moderation"): SYSTEM,
        ("in_moderation", "replace", "in_moderation"): OFFICER,
        ("in_moderation", "conclude", "concluded"): OFFICER,
        ("planned", "cancel", "cancelled"): SYSTEM,
        ("assigned", "cancel", "cancelled"): SYSTEM,
        ("in_progress", "cancel", "cancelled"): SYSTEM,
        ("in_moderation", "cancel", "cancelled"): SYSTEM,
    },
    "interest-declaration": {
        ("asked", "declare_none", "clear"): ASSESSOR,
        ("asked", "declare", "conflicted"): ASSESSOR,
        ("clear", "recuse", "conflicted"): ASSESSOR | OFFICER,
    },
    "approval-list": {
        ("draft", "prepare", "prepared"): OFFICER,
        ("prepared", "approve", "approved"): APPROVER,
        ("approved", "publish", "published"): APPROVER,
        ("prepared", "send_back", "draft"): APPROVER,
        ("approved", "retract", "prepared"): APPROVER,
    },
    "objection": {
        # "Officer who had no part": whoever of the ministry had none, since a case may have passed every officer.
        ("filed", "take", "under_review"): MINISTRY,
        ("under_review", "uphold", "upheld"): MINISTRY,
        ("under_review", "dismiss", "dismissed"): MINISTRY,
    },
    "alert": {("open", "clear", "cleared"): SYSTEM},
    "finding": {
        ("open", "confirm", "confirmed"): PROVIDER | SYSTEM,
        ("open", "dispute_finding", "disputed"): PROVIDER,
        ("disputed", "uphold", "upheld"): OFFICIAL,
        ("disputed", "overturn", "overturned"): OFFICIAL,
    },
    "inspection": {
        ("planned", "commit", "committed"): REVIEWER | OFFICER,
        ("committed", "draw", "drawn"): REVIEWER | OFFICER,
        ("drawn", "begin", "in_progress"): REVIEWER | OFFICER,
        ("in_progress", "conclude", "concluded"): LEAD | APPROVER,
        ("planned", "cancel", "cancelled"): OFFICIAL,
        ("committed", "cancel", "cancelled"): OFFICIAL,
        ("drawn", "cancel", "cancelled"): OFFICIAL,
        ("in_progress", "cancel", "cancelled"): OFFICIAL,
    },
    "rectification": {
        ("drafted", "issue", "issued"): LEAD,
        ("issued", "answer", "answered"): PROVIDER,
        ("answered", "accept", "closed"): LEAD,
        ("answered", "reject", "issued"): LEAD,
        ("issued", "pass_due", "overdue"): SYSTEM,
        ("overdue", "answer", "answered"): PROVIDER,
        # The system, too: the overturning of the last finding cancels the order in the same transaction.
        ("drafted", "cancel", "cancelled"): LEAD | SYSTEM,
        ("issued", "cancel", "cancelled"): LEAD | SYSTEM,
        ("answered", "cancel", "cancelled"): LEAD | SYSTEM,
        ("overdue", "cancel", "cancelled"): LEAD | SYSTEM,
    },
    "sanction": {
        ("proposed", "notify", "hearing"): BUREAU | OFFICER,
        ("hearing", "close_hearing", "heard"): PROVIDER | SYSTEM,
        ("heard", "impose", "imposed"): APPROVER,
        ("proposed", "drop", "dropped"): BUREAU | OFFICER,
        ("hearing", "drop", "dropped"): BUREAU | OFFICER,
        ("heard", "drop", "dropped"): BUREAU | OFFICER,
        ("imposed", "lift", "lifted"): APPROVER,
        ("imposed", "annul", "annulled"): SYSTEM,
    },
    "coordination-case": {
        ("open", "reply", "answered"): PROVIDER | OFFICIAL,
        ("answered", "close", "closed"): PROVIDER | OFFICIAL,
        ("answered", "reopen", "open"): PROVIDER | OFFICIAL,
    },
    "faq-entry": {
        ("drafted", "publish", "published"): OFFICIAL,
        ("drafted", "withdraw", "withdrawn"): OFFICIAL,
        ("published", "withdraw", "withdrawn"): OFFICIAL,
    },
    "bulletin": {
        ("compiled", "sign", "signed"): APPROVER,
        ("signed", "publish", "published"): APPROVER,
        ("compiled", "discard", "discarded"): APPROVER,
        ("signed", "discard", "discarded"): APPROVER,
    },
    "upload-job": {
        ("received", "start", "processing"): SYSTEM,
        ("processing", "finish", "done"): SYSTEM,
        ("received", "fail", "failed"): SYSTEM,
        ("processing", "fail", "failed"): SYSTEM,
    },
    "provider-registration": {
        ("requested", "confirm", "confirmed"): BUREAU,
        ("requested", "reject", "rejected"): BUREAU,
    },
    "role-change": {
        ("requested", "approve", "effective"): TWO_ADMINS,
        ("requested", "reject", "rejected"): TWO_ADMINS,
    },
}
every_machine = pytest.mark.parametrize("slug", DESIGN)


def states(slug: str) -> list[str]:
    """The states of a machine by the design, the first one first."""
    return list(dict.fromkeys(state for source, _name, target in DESIGN[slug] for state in (source, target)))


def test_every_machine_numbers_its_cases_so_that_no_other_does() -> None:
    """People quote a number over the telephone; the number of a row of some table means nothing to them."""
    own = {slug for slug, model in MACHINES.items() if "number" in vars(model)}
    prefixes = [model.number_prefix for slug, model in MACHINES.items() if slug not in own]
    assert (len(set(prefixes)), "" in prefixes) == (len(prefixes), False)


def test_the_machines_are_those_of_the_design() -> None:
    assert MACHINES.keys() == DESIGN.keys()


@every_machine
def test_transitions_and_roles_are_exactly_those_of_the_design(slug: str) -> None:
    found = {
        (str(move.source), move.name, str(move.target)): policy.roles_for(slug, move.name)
        for move in declared(MACHINES[slug])
    }
    assert found == DESIGN[slug]


@every_machine
def test_the_states_have_no_others_among_them(slug: str) -> None:
    field = MACHINES[slug]._meta.get_field("state")
    assert {str(value) for value, _label in field.flatchoices} == set(states(slug))
    assert field.default == states(slug)[0]


# --- states × transitions × roles -----------------------------------------------------------------
WHEN = world.moment("2019-06-01 09:00")


def outcome(slug: str, state: str, name: str, role: str) -> type[Exception] | None:
    """What the design has ``fire`` answer to a role, conditions apart."""
    moves = [(source, roles) for (source, known, _target), roles in DESIGN[slug].items() if known == name]
    if not any(role in roles for _source, roles in moves):
        return NotPermitted
    return None if state in {source for source, _roles in moves} else StateChanged


def combinations(slug: str, state: str) -> Iterator[tuple[str, Role, type[Exception] | None]]:
    """Every transition of a machine with every role, and the answer in a state."""
    for name in dict.fromkeys(name for _source, name, _target in DESIGN[slug]):
        for role in Role:
            yield name, role, outcome(slug, state, name, role)


def in_memory(slug: str, state: str) -> Case:
    """A case that exists in memory only, in a state."""
    case = MACHINES[slug]()
    case.__dict__["state"] = state
    return case


@pytest.fixture
def no_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions and effects have tests of their own, in the apps."""
    monkeypatch.setattr(workflow, "_handlers", {})


@every_machine
def test_every_role_in_every_state_may_do_exactly_what_the_design_says(
    slug: str, no_conditions: None
) -> None:
    wrong = []
    for state in states(slug):
        for name, role, expected in combinations(slug, state):
            why = workflow.why_not(in_memory(slug, state), name, actor=Actor(role=role), at=WHEN)
            if (None if why is None else type(why)) is not expected:
                wrong.append((state, name, str(role), why))
    assert wrong == []


@every_machine
def test_every_role_in_every_state_is_offered_exactly_its_own_acts(slug: str, no_conditions: None) -> None:
    for state in states(slug):
        for role in Role:
            offered = workflow.available_actions(in_memory(slug, state), Actor(role=role), at=WHEN)
            assert {(action.name, action.target) for action in offered} == {
                (name, target)
                for (source, name, target), roles in DESIGN[slug].items()
                if source == state and role in roles
            }, (state, role)


@pytest.mark.slow
@pytest.mark.parametrize(("slug", "state"), [(slug, state) for slug in DESIGN for state in states(slug)])
def test_what_the_design_does_not_allow_is_refused_and_changes_nothing(
    slug: str, state: str, programme: Programme
) -> None:
    case = cases.build(slug, state, Cast())
    before = TransitionRecord.objects.count()
    for name, role, expected in combinations(slug, state):
        if expected is not None:
            with pytest.raises(expected):
                workflow.fire(case, name, actor=Actor(role=role))
    assert type(case).unscoped.get(pk=case.pk).state == state
    assert TransitionRecord.objects.count() == before


# --- the database's own law -----------------------------------------------------------------------
@every_machine
def test_the_database_refuses_what_the_machine_does_not_know(slug: str, programme: Programme) -> None:
    cast = Cast()
    case = cases.FIRST[slug](cast)
    pairs = {(source, target) for source, _name, target in DESIGN[slug]}
    for source in states(slug):
        with transaction.atomic():
            cases.walk_to(case, source, cast)
            for target in {*states(slug), "unheard-of"} - {source}:
                if (source, target) not in pairs:
                    _refused_to_move(case, target)
            transaction.set_rollback(True)
    for state in states(slug)[1:]:
        _refused_to_begin(case, state)


def _refused_to_move(case: Case, state: str) -> None:
    statement = f'UPDATE "{case._meta.db_table}" SET state = %s WHERE id = %s'
    with (
        pytest.raises(DatabaseError, match="Invalid transition"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [state, case.pk])


def _refused_to_begin(case: Case, state: str) -> None:
    """A copy of the case that begins in the middle."""
    copy = type(case).unscoped.get(pk=case.pk)
    copy.pk, copy._state.adding = None, True
    copy.__dict__["state"] = state
    with pytest.raises(DatabaseError, match=f"first state {state} is not allowed"), transaction.atomic():
        copy.save()


# --- the documentation ----------------------------------------------------------------------------
def test_the_diagrams_in_the_documentation_are_those_of_the_code() -> None:
    call_command("machine_docs", check=True)


def test_an_outdated_document_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_docs, "TARGET", tmp_path / "machines.md")
    with pytest.raises(CommandError, match="out of date"):
        call_command("machine_docs", check=True)
    call_command("machine_docs")
    call_command("machine_docs", check=True)
