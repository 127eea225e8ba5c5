"""What the database itself refuses, whoever writes the SQL: one hand for two, a state skipped, a record changed.

The scene is built once by the acts a click calls; every statement is tried in a savepoint of it. Every pair of states
that no machine knows is refused for every machine in ``tests/architecture/test_machines.py``.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction

from assessment.models import (
    ApprovalListEntry,
    CatalogueEdition,
    Criterion,
    OpinionVersion,
    ReportLine,
    ScoreSheet,
    TestResult,
    TestRun,
)
from assessment.services.lists import create_list
from assessment.services.test_runs import hand_in, issue
from pilot import clock
from pilot.models import Membership, Programme
from pilot.services import objections
from tests.applications import builders as intake
from tests.assessment import builders
from tests.assessment.builders import EFFECT
from tests.factories import cases, papers
from tests.factories.cases import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def cast(programme: Programme) -> Cast:
    return Cast()


@pytest.fixture(scope="module")
def scene(cast: Cast, programme: Programme) -> dict[str, Any]:
    """A case of every machine of review, and a row in every table of what stays for good."""
    with papers.unset():
        rows = _scene(cast)
    CatalogueEdition.objects.get_or_create(
        programme=programme, version=1, defaults={"reason": "示例", "issued_at": clock.now()}
    )
    # What was written is checked now and not at the commit, or no table could be emptied for that reason alone.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")
    return rows


def _scene(cast: Cast) -> dict[str, Any]:
    desk, panel = cast.desk, cast.assessors[:2]
    refusal = intake.refused(cast.provider, cast.reviewer)
    unread = builders.accepted(builders.desk(45))
    waiting, scored = builders.recommended(desk), builders.recommended(desk)
    builders.begin_review()
    builders.received(desk)
    scoring = builders.assessment_of(scored)
    builders.started(scoring, desk, panel)
    _tested(scoring, cast)
    for actor in panel:
        builders.score(scoring, actor)
    return {
        "opinion": builders.opinion_of(unread),
        "provincial-report": builders.report_of(45),
        "capability-assessment": builders.assessment_of(waiting),
        "interest-declaration": builders.declaration_of(scoring, panel[0]),
        "approval-list": create_list(actor=cast.officer, effective_from=EFFECT),
        "objection": objections.file_objection(
            actor=cast.provider, machine="application", object_id=refusal.pk, grounds="示例"
        ),
    }


def _tested(case: Any, cast: Cast) -> None:
    key, answer = b"sample,expected\nG1,genuine\nI1,impostor\n", b"sample,result\nG1,accept\nI1,reject\n"
    run = issue(case=case, actor=cast.officer, title="示例", key=SimpleUploadedFile("key.csv", key))
    applicant = Membership.objects.get(organisation=case.application.provider_id).as_actor()
    hand_in(run=run, actor=applicant, upload=SimpleUploadedFile("result.csv", answer))


def execute(statement: str, values: Any = None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def refused(constraint: str, statement: str, values: Any) -> None:
    """The database refuses a statement by this constraint."""
    with pytest.raises(IntegrityError, match=constraint):
        execute(statement, values)


# --- two hands, and what a state rests on ---------------------------------------------------------
PEOPLE = {"reviewer", "lead", "officer", "approver"}
BOTH = {"drafted_by_id": "reviewer", "signed_by_id": "lead", "recommended": True}
HANDS = {"prepared_by_id": "officer", "approved_by_id": "approver"}
DONE = {"passed": True, "points": 90, "concluded_by_id": "officer"}
JUDGED = {"reviewer_id": "officer", "finding": "示例。"}
# Machine, the state the row is walked to, the state asked for, the columns set with it, the constraint that refuses.
UNLAWFUL: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("opinion", "drafted", "signed", BOTH | {"signed_by_id": "reviewer"}, "opinion_four_eyes"),
    ("opinion", "drafted", "signed", BOTH | {"signed_by_id": None}, "signed_opinion_complete"),
    ("opinion", "drafted", "signed", BOTH | {"drafted_by_id": None}, "signed_opinion_complete"),
    ("opinion", "drafted", "signed", BOTH | {"recommended": None}, "signed_opinion_complete"),
    ("approval-list", "prepared", "approved", HANDS | {"approved_by_id": "officer"}, "approval_list_four_eyes"),
    ("approval-list", "prepared", "approved", HANDS | {"approved_by_id": None}, "approved_list_has_both_hands"),
    ("approval-list", "prepared", "approved", HANDS | {"prepared_by_id": None}, "approved_list_has_both_hands"),
    ("approval-list", "approved", "published", {"prepared_by_id": "approver"}, "approval_list_four_eyes"),
    ("approval-list", "approved", "published", {"prepared_by_id": None}, "approved_list_has_both_hands"),
    ("capability-assessment", "in_progress", "concluded", DONE | {"passed": None}, "concluded_assessment_complete"),
    (
        "capability-assessment",
        "in_moderation",
        "concluded",
        DONE | {"concluded_by_id": None},
        "concluded_assessment_complete",
    ),
    ("capability-assessment", "in_progress", "concluded", DONE | {"points": None}, "concluded_assessment_complete"),
    ("objection", "under_review", "upheld", JUDGED | {"reviewer_id": None}, "objection_decided_with_finding"),
    ("objection", "under_review", "dismissed", JUDGED | {"finding": ""}, "objection_decided_with_finding"),
    # What was decided does not change while the case stays decided.
    ("opinion", "signed", "signed", {"recommended": False}, "does not change"),
    ("opinion", "signed", "signed", {"signed_by_id": None}, "does not change"),
    ("provincial-report", "received", "received", {"digest": "x"}, "does not change"),
    ("provincial-report", "sent", "sent", {"version": 9}, "does not change"),
    ("capability-assessment", "concluded", "concluded", {"passed": False}, "does not change"),
    ("approval-list", "prepared", "prepared", {"digest": "x"}, "does not change"),
    ("approval-list", "published", "published", {"prepared_by_id": None}, "does not change"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("slug", "source", "target", "columns", "constraint"),
    UNLAWFUL,
    ids=[f"{slug}-{target}-{n}" for n, (slug, _source, target, *_rest) in enumerate(UNLAWFUL)],
)
def test_one_hand_for_two_is_refused_and_so_is_a_state_without_what_it_rests_on(
    scene: dict[str, Any],
    cast: Cast,
    slug: str,
    source: str,
    target: str,
    columns: dict[str, Any],
    constraint: str,
) -> None:
    case = cases.walk_to(scene[slug], source, cast)
    values = [getattr(cast, v).person_id if v in PEOPLE else v for v in columns.values()]
    assignments = ", ".join(f"{column} = %s" for column in columns)
    statement = f'UPDATE "{case._meta.db_table}" SET state = %s, {assignments} WHERE id = %s'
    refused(constraint, statement, [target, *values, case.pk])


def test_nobody_is_declined_without_a_reason(scene: dict[str, Any]) -> None:
    entry = ApprovalListEntry.unscoped.filter(approval_list=scene["approval-list"]).first()
    statement = "UPDATE assessment_approvallistentry SET listed = false, reason = '' WHERE id = %s"
    refused("declined_with_reason", statement, [entry.pk])


@pytest.mark.parametrize("state", ["prepared", "approved", "published"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE assessment_approvallistentry SET listed = true, reason = '' WHERE id = %s",
        "DELETE FROM assessment_approvallistentry WHERE id = %s",
    ],
)
def test_entries_change_only_while_their_list_is_a_draft(
    scene: dict[str, Any], cast: Cast, state: str, statement: str
) -> None:
    entry = ApprovalListEntry.unscoped.filter(approval_list=scene["approval-list"]).first()
    _walked(scene["approval-list"], state, cast)
    refused("only while their list is a draft", statement, [entry.pk])


def test_whoever_assessed_does_not_conclude(scene: dict[str, Any], cast: Cast) -> None:
    declaration = scene["interest-declaration"]
    statement = (
        "UPDATE assessment_capabilityassessment SET state = 'concluded', passed = true, points = 90, "
        "concluded_by_id = %s WHERE id = %s"
    )
    refused("does not conclude", statement, [declaration.assessor_id, declaration.assessment_id])


def copy(table: str, key: int, **changed: Any) -> tuple[str, list[Any]]:
    """SQL that enters a row once more under another key, with columns changed."""
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    columns.remove("id")
    chosen = ["%s" if column in changed else f'"{column}"' for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    statement = f'INSERT INTO "{table}" ({names}) SELECT {", ".join(chosen)} FROM "{table}" WHERE id = %s'
    return statement, [*(changed[column] for column in columns if column in changed), key]


@pytest.mark.parametrize(
    ("slug", "first", "constraint"),
    [
        ("opinion", "pending", "one_living_opinion"),
        ("provincial-report", "open", "report_sequence_once"),
        ("capability-assessment", "planned", "one_living_assessment"),
        ("interest-declaration", "asked", "assessor_once_per_case"),
        ("approval-list", "draft", "list_sequence_once"),
        ("objection", "filed", "one_open_objection"),
    ],
)
def test_no_case_stands_twice(scene: dict[str, Any], slug: str, first: str, constraint: str) -> None:
    row = scene[slug]
    refused(constraint, *copy(row._meta.db_table, row.pk, state=first))


def test_a_signed_version_needs_two_hands_however_it_is_entered(scene: dict[str, Any]) -> None:
    version = OpinionVersion.unscoped.first()
    one_hand = copy("assessment_opinionversion", version.pk, number=2, signed_by_id=version.drafted_by_id)
    refused("opinion_version_four_eyes", *one_hand)


# --- no state is skipped --------------------------------------------------------------------------
SKIPS = [
    ("opinion", "pending", "signed"),
    ("opinion", "void", "signed"),
    ("provincial-report", "open", "received"),
    ("provincial-report", "received", "open"),
    ("capability-assessment", "planned", "in_progress"),
    ("capability-assessment", "planned", "concluded"),
    ("capability-assessment", "assigned", "concluded"),
    ("capability-assessment", "concluded", "in_progress"),
    ("interest-declaration", "conflicted", "clear"),
    ("interest-declaration", "clear", "asked"),
    ("approval-list", "draft", "approved"),
    ("approval-list", "draft", "published"),
    ("approval-list", "prepared", "published"),
    ("approval-list", "published", "draft"),
    ("objection", "filed", "upheld"),
    ("objection", "filed", "dismissed"),
    ("objection", "dismissed", "upheld"),
]


@pytest.mark.parametrize(("slug", "source", "target"), SKIPS)
def test_no_state_is_skipped(scene: dict[str, Any], cast: Cast, slug: str, source: str, target: str) -> None:
    case = scene[slug] if scene[slug].state == source else _walked(scene[slug], source, cast)
    columns = {**cases.needs(type(case), target, cast), "state": target}
    assignments = ", ".join(f"{_column(case, name)} = %s" for name in columns)
    with pytest.raises(
        DatabaseError, match=f'Invalid transition of field "state" from "{source}" to "{target}"'
    ):
        execute(
            f'UPDATE "{case._meta.db_table}" SET {assignments} WHERE id = %s', [*columns.values(), case.pk]
        )


def _walked(case: Any, goal: str, cast: Cast) -> Any:
    return cases.walk_to(type(case).unscoped.get(pk=case.pk), goal, cast)


def _column(case: Any, name: str) -> str:
    return str(case._meta.get_field(name).column)


FIRST = {"pending", "open", "planned", "asked", "draft", "filed"}


@pytest.mark.parametrize(
    ("slug", "state"), sorted({(slug, target) for slug, _source, target in SKIPS if target not in FIRST})
)
def test_no_case_begins_in_the_middle(scene: dict[str, Any], slug: str, state: str) -> None:
    row = scene[slug]
    statement, values = copy(row._meta.db_table, row.pk, state=state)
    with pytest.raises(DatabaseError, match=f"first state {state} is not allowed"):
        execute(statement, values)


# --- records stay ---------------------------------------------------------------------------------
RECORDS = {
    OpinionVersion: "remark = ''",
    ReportLine: "recommended = NOT recommended",
    ScoreSheet: "total = 100",
    TestRun: "key = '{}'",
    TestResult: "counts = '{}'",
    CatalogueEdition: "reason = ''",
    Criterion: "must_pass = 0",
}


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("verb", ["update", "delete", "truncate"])
def test_what_is_on_record_is_neither_changed_nor_removed(
    scene: dict[str, Any], model: Any, verb: str
) -> None:
    table = model._meta.db_table
    statement, words = {
        "update": (
            f"UPDATE {table} SET {RECORDS[model]}",
            f"Cannot update or delete rows from {table} table",
        ),
        "delete": (f"DELETE FROM {table}", f"Cannot update or delete rows from {table} table"),
        "truncate": (f"TRUNCATE {table} CASCADE", f"rows of {table} are append-only"),
    }[verb]
    with pytest.raises(DatabaseError, match=words):
        execute(statement)
