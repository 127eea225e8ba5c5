"""Test runs: a test set is issued to the applicant, its result file is counted. Nothing about it is typed in."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from assessment.enums import AssessmentState
from assessment.models import CapabilityAssessment, TestResult, TestRun
from assessment.rules import test_runs as rules
from assessment.selectors import capability
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.language import on_record
from pilot.selectors import people, programmes
from pilot.services import audit, documents, notices

STAFFED = (AssessmentState.ASSIGNED, AssessmentState.IN_PROGRESS, AssessmentState.IN_MODERATION)


def issue_obstacle(assessment: CapabilityAssessment, actor: Actor) -> str | None:
    """Why no test set can be issued now, in words."""
    return None if assessment.state in STAFFED else _("分派评估人员之后、作出结论之前才能下发测试集")


@audit.denials_recorded("test-run.issue")
@transaction.atomic
def issue(*, case: CapabilityAssessment, actor: Actor, title: str, key: File[bytes]) -> TestRun:
    """Hand a test set to the applicant, with the programme's working days to answer.

    ``key`` is a CSV ``sample,expected``. Raises :class:`NotPermitted`, or :class:`Refused` for a faulty key or while
    an earlier test set still waits for its result.
    """
    if not policy.may_act(CapabilityAssessment.slug(), "issue_test_set", actor.role):
        raise NotPermitted(_("只有部经办人员可以下发测试集"))
    assessment: CapabilityAssessment = CapabilityAssessment.unscoped.select_for_update().get(pk=case.pk)
    if words := issue_obstacle(assessment, actor):
        raise Refused(words)
    now = clock.now()
    if TestRun.unscoped.filter(assessment=assessment, result__isnull=True, due_at__gt=now).exists():
        raise Refused(_("上一个测试集尚未提交结果"))
    expected = rules.read_key(_content(key))
    application = assessment.application
    run: TestRun = TestRun.unscoped.create(
        assessment=assessment,
        application=application,
        number=TestRun.unscoped.filter(assessment=assessment).count() + 1,
        title=title.strip(),
        key=expected,
        digest=hashlib.sha256(json.dumps(expected, sort_keys=True).encode()).hexdigest(),
        issued_at=now,
        issued_by_id=actor.person_id,
        due_at=programmes.deadline(
            application.programme, start=now, days=programmes.rule(application.programme, "test_run_days")
        ),
    )
    with on_record():
        subject = _("%(number)s · 能力测试集已下发") % {"number": application.number}
    notices.send(
        members=people.providers(application.provider_id),
        subject=subject,
        machine=application.slug(),
        object_id=application.pk,
        source=f"test-run:{run.pk}",
        url=reverse("test_run", args=[run.pk]),
    )
    audit.record(
        action="test-run.issue",
        actor=actor,
        subject=run,
        detail={"digest": run.digest, "samples": len(expected)},
    )
    return run


def samples(run: TestRun) -> list[str]:
    """The samples as the applicant gets them, in an order that says nothing about the key."""
    return sorted(run.key, key=lambda sample: hashlib.sha256(f"{run.digest}:{sample}".encode()).digest())


def hand_in_obstacle(run: TestRun, actor: Actor, *, at: datetime) -> str | None:
    """Why this actor cannot hand in a result that arrives ``at`` (business time), in words."""
    if not actor.is_provider or run.application.provider_id != actor.organisation_id:
        return _("只能由申请单位提交测试结果")
    if TestResult.unscoped.filter(run=run).exists():
        return _("测试结果已提交，不能更改")
    if run.assessment.state in capability.OVER:
        return _("评估已经结束")
    return _("提交期限已过") if at >= run.due_at else None


@transaction.atomic
def hand_in(
    *, run: TestRun, actor: Actor, upload: File[bytes], arrived_at: datetime | None = None
) -> TestResult:
    """Count the applicant's result file (CSV ``sample,result``); the file is kept by its hash.

    It counts by its arrival (business time, default now): who came in time is in time however long the queue is.

    Raises :class:`Refused` for a faulty file, naming its lines, a second one, or one that comes late.
    """
    # Read with the lock: the run may have been looked up before a conclusion that was drawn meanwhile.
    run.assessment = CapabilityAssessment.unscoped.select_for_update().get(pk=run.assessment_id)
    at = arrived_at or clock.now()
    if words := hand_in_obstacle(run, actor, at=at):
        raise Refused(words)
    content = _content(upload)
    counts = rules.count(run.key, rules.read_results(content, run.key))
    result: TestResult = TestResult.unscoped.create(
        run=run,
        file_name=(upload.name or "")[:255],
        sha256=documents.put_bytes(content),
        counts=counts.as_json(),
        handed_in_at=at,
        handed_in_by_id=actor.person_id,
    )
    audit.record(
        action="test-run.hand_in",
        actor=actor,
        subject=run,
        detail={"sha256": result.sha256, **counts.as_json()},
    )
    return result


def _content(upload: File[bytes]) -> bytes:
    """The bytes of a file; one beyond the limit is refused without being read into memory."""
    rules.check_size(upload.size)
    content: Any = upload.read()
    return bytes(content)
