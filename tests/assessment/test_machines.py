"""The machines are those of the design: exact transitions, exact roles, and the database knows them too."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from assessment.models import (
    ApprovalList,
    CapabilityAssessment,
    InterestDeclaration,
    Opinion,
    OpinionVersion,
    ProvincialReport,
    ReportLine,
)
from pilot import policy
from pilot.machines import declared
from tests.assessment import builders

REVIEWER = frozenset({"bureau_reviewer"})
LEAD = frozenset({"bureau_lead"})
OFFICER = frozenset({"ministry_officer"})
APPROVER = frozenset({"ministry_approver"})
ASSESSOR = frozenset({"assessor"})
SYSTEM = frozenset({"system"})

OPINION = {
    ("pending", "draft", "drafted"): REVIEWER,
    ("drafted", "sign", "signed"): LEAD,
    ("drafted", "send_back", "pending"): LEAD,
    ("signed", "reopen", "pending"): LEAD,
    ("pending", "void", "void"): SYSTEM,
    ("drafted", "void", "void"): SYSTEM,
    ("signed", "void", "void"): SYSTEM,
}
REPORT = {
    ("open", "send", "sent"): LEAD,
    ("sent", "receive", "received"): OFFICER,
    ("sent", "return_to_bureau", "open"): OFFICER,
}
ASSESSMENT = {
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
}
DECLARATION = {
    ("asked", "declare_none", "clear"): ASSESSOR,
    ("asked", "declare", "conflicted"): ASSESSOR,
    ("clear", "recuse", "conflicted"): ASSESSOR | OFFICER,
}
LIST = {
    ("draft", "prepare", "prepared"): OFFICER,
    ("prepared", "approve", "approved"): APPROVER,
    ("approved", "publish", "published"): APPROVER,
    ("prepared", "send_back", "draft"): APPROVER,
    ("approved", "retract", "prepared"): APPROVER,
}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Opinion, OPINION),
        (ProvincialReport, REPORT),
        (CapabilityAssessment, ASSESSMENT),
        (InterestDeclaration, DECLARATION),
        (ApprovalList, LIST),
    ],
)
def test_transitions_and_roles_are_exactly_those_of_the_design(model: type, expected: dict) -> None:
    found = {
        (str(t.source), t.name, str(t.target)): policy.roles_for(model.slug(), t.name)
        for t in declared(model)
    }
    assert found == expected


@pytest.mark.django_db
def test_the_database_refuses_a_pair_the_machine_does_not_know(staff: builders.Desk) -> None:
    opinion = builders.opinion_of(builders.accepted(staff))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE assessment_opinion SET state = 'signed' WHERE id = %s", [opinion.pk])


@pytest.mark.django_db
def test_signed_versions_and_report_lines_are_append_only(staff: builders.Desk) -> None:
    builders.recommended(staff)
    builders.begin_review()
    builders.sent(staff)
    for model, column in ((OpinionVersion, "remark"), (ReportLine, "snapshot")):
        with pytest.raises(DatabaseError), transaction.atomic():
            model.unscoped.update(**{column: "x"})
        with pytest.raises(DatabaseError), transaction.atomic():
            model.unscoped.all().delete()
