"""The machines are those of the design: exact transitions, exact roles, and the database knows them too."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from applications.enums import ApplicationState
from applications.models import Application, LateAdmission
from pilot import policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.machines import declared
from pilot.workflow import available_actions, fire
from tests.applications import builders

PROVIDERS = frozenset({"provider_operator", "provider_admin"})
BUREAU = frozenset({"bureau_reviewer", "bureau_lead"})
SYSTEM = frozenset({"system"})

APPLICATION = {
    ("draft", "submit", "submitted"): PROVIDERS,
    ("submitted", "accept", "accepted"): BUREAU,
    ("submitted", "return_for_correction", "returned"): BUREAU,
    ("returned", "resubmit", "submitted"): PROVIDERS,
    ("returned", "lapse", "lapsed"): SYSTEM,
    ("submitted", "refuse", "refused"): BUREAU,
    ("submitted", "deem_accepted", "accepted"): SYSTEM,
    ("accepted", "revert", "submitted"): BUREAU,
    ("returned", "revert", "submitted"): BUREAU,
    ("refused", "revert", "submitted"): BUREAU,
    ("draft", "withdraw", "withdrawn"): PROVIDERS,
    ("submitted", "withdraw", "withdrawn"): PROVIDERS,
    ("returned", "withdraw", "withdrawn"): PROVIDERS,
    ("accepted", "withdraw", "withdrawn"): PROVIDERS,
    ("recommended", "withdraw", "withdrawn"): PROVIDERS,
    ("not_recommended", "withdraw", "withdrawn"): PROVIDERS,
    ("reported", "withdraw", "withdrawn"): PROVIDERS,
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
}
ADMISSION = {
    ("proposed", "approve", "granted"): frozenset({"ministry_approver"}),
    ("proposed", "reject", "rejected"): frozenset({"ministry_approver"}),
}


@pytest.mark.parametrize(("model", "expected"), [(Application, APPLICATION), (LateAdmission, ADMISSION)])
def test_transitions_and_roles_are_exactly_those_of_the_design(model: type, expected: dict) -> None:
    found = {
        (str(t.source), t.name, str(t.target)): policy.roles_for(model.slug(), t.name)
        for t in declared(model)
    }
    assert found == expected


def test_every_role_in_every_state_is_offered_exactly_its_own_transitions(provider: Actor) -> None:
    case = builders.start_application(actor=provider)
    for state in ApplicationState:
        case.__dict__["state"] = state.value
        for role in Role:
            offered = {action.name for action in available_actions(case, Actor(role=role))}
            assert offered == {
                name for (source, name, _), roles in APPLICATION.items() if source == state and role in roles
            }, (state, role)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE applications_application SET state = 'accepted'",
        "UPDATE applications_application SET state = 'listed'",
        "UPDATE applications_application SET state = 'unheard-of'",
        "INSERT INTO applications_application (state, programme_id, provider_id, uscc, province, draft, revision,"
        " case_number, acceptance_number, late, case_key, opened_at, state_since)"
        " SELECT 'accepted', programme_id, provider_id, '91440000000000000X', province, draft, revision, '', '', late,"
        " gen_random_uuid(), opened_at, state_since FROM applications_application",
    ],
)
def test_the_database_refuses_to_skip_a_state(provider: Actor, sql: str) -> None:
    builders.start_application(actor=provider)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Application.unscoped.get().state == "draft"


LAW = [
    "UPDATE applications_applicationversion SET content = '{}'",
    "DELETE FROM applications_applicationversion",
    "TRUNCATE applications_applicationversion CASCADE",
    "UPDATE applications_completenessnotice SET due_at = now()",
    "UPDATE applications_noticeitem SET text = 'x'",
    "DELETE FROM applications_noticeitem",
    "UPDATE applications_applicationfile SET sha256 = 'x'",
    "DELETE FROM applications_applicationfile",
    "UPDATE applications_refusal SET reason = 'x'",
    "DELETE FROM applications_refusal",
]


def test_what_was_handed_in_or_told_is_append_only(provider: Actor, bureau_reviewer: Actor) -> None:
    case = builders.returned(provider, bureau_reviewer)
    case = fire(case, "revert", actor=bureau_reviewer)
    fire(case, "refuse", actor=bureau_reviewer, condition=1, reason="许可证不符")
    for sql in LAW:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
