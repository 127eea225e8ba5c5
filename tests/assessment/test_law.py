"""What the database itself refuses, whoever writes the SQL: one hand for two, and states without what they rest on.

Pairs of states that no machine knows are refused for every machine in ``tests/architecture/test_machines.py``.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from assessment.models import ApprovalListEntry
from assessment.services.lists import create_list
from pilot.actors import Actor
from tests.assessment import builders
from tests.assessment.builders import EFFECT

pytestmark = pytest.mark.django_db


def refused(constraint: str, statement: str, *values: Any) -> None:
    """The database refuses a statement by this constraint."""
    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)


def test_an_opinion_is_signed_by_a_second_hand_or_not_at_all(staff: builders.Desk) -> None:
    opinion = builders.drafted(builders.accepted(staff), staff)
    sign = "UPDATE assessment_opinion SET state = 'signed', signed_by_id = %s WHERE id = %s"
    refused("opinion_four_eyes", sign, staff.reviewer.person_id, opinion.pk)
    refused("signed_opinion_complete", sign, None, opinion.pk)
    unsure = (
        "UPDATE assessment_opinion SET state = 'signed', signed_by_id = %s, recommended = NULL WHERE id = %s"
    )
    refused("signed_opinion_complete", unsure, staff.lead.person_id, opinion.pk)
    nobody = "UPDATE assessment_opinion SET state = 'signed', signed_by_id = %s, drafted_by_id = NULL WHERE id = %s"
    refused("signed_opinion_complete", nobody, staff.lead.person_id, opinion.pk)


def test_a_list_is_approved_by_a_second_hand_or_not_at_all(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    builders.concluded(builders.planned(staff), staff, assessors[:2])
    prepared = builders.prepared(staff)
    approve = "UPDATE assessment_approvallist SET state = 'approved', approved_by_id = %s WHERE id = %s"
    refused("approval_list_four_eyes", approve, staff.officer.person_id, prepared.pk)
    refused("approved_list_has_both_hands", approve, None, prepared.pk)
    unprepared = approve.replace("WHERE", ", prepared_by_id = NULL WHERE")
    refused("approved_list_has_both_hands", unprepared, staff.approver.person_id, prepared.pk)


def test_an_assessment_is_not_concluded_without_verdict_and_hand(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.planned(staff)
    builders.scored(case, staff, assessors[:2])
    conclude = (
        "UPDATE assessment_capabilityassessment "
        "SET state = 'concluded', passed = %s, concluded_by_id = %s WHERE id = %s"
    )
    refused("concluded_assessment_complete", conclude, None, staff.officer.person_id, case.pk)
    refused("concluded_assessment_complete", conclude, True, None, case.pk)


def test_nobody_is_declined_without_a_reason(staff: builders.Desk) -> None:
    builders.planned(staff)
    draft = create_list(actor=staff.officer, effective_from=EFFECT)
    entry = ApprovalListEntry.unscoped.get(approval_list=draft)
    decline = "UPDATE assessment_approvallistentry SET listed = false, reason = '' WHERE id = %s"
    refused("declined_with_reason", decline, entry.pk)


def copy(table: str, key: int, **changed: Any) -> tuple[str, list[Any]]:
    """SQL that enters a row once more under another key, with columns changed."""
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    columns.remove("id")
    chosen = ["%s" if column in changed else f'"{column}"' for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    statement = f'INSERT INTO "{table}" ({names}) SELECT {", ".join(chosen)} FROM "{table}" WHERE id = %s'
    return statement, [*(changed[column] for column in columns if column in changed), key]


def test_one_living_opinion_and_assessment_and_one_place_per_assessor(
    staff: builders.Desk, assessors: list[Actor]
) -> None:
    case = builders.assigned(builders.planned(staff), staff, assessors[:2])
    opinion = builders.opinion_of(case.application)
    declaration = builders.declaration_of(case, assessors[0])
    for constraint, row, first in [
        ("one_living_opinion", opinion, "pending"),
        ("one_living_assessment", case, "planned"),
        ("assessor_once_per_case", declaration, "asked"),
    ]:
        statement, values = copy(row._meta.db_table, row.pk, state=first)
        refused(constraint, statement, *values)


@pytest.mark.parametrize("statement", ["UPDATE {table} SET total = 100", "DELETE FROM {table}"])
def test_scores_once_handed_in_stay(staff: builders.Desk, assessors: list[Actor], statement: str) -> None:
    case = builders.started(builders.planned(staff), staff, assessors[:2])
    builders.score(case, assessors[0])
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table="assessment_scoresheet"))
