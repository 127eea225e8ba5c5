"""A finding's life."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from filings.models import (
    Finding,
)
from filings.services import deadlines
from filings.services import findings as finding_service
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Document, PilotUnit, TransitionRecord
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders
from tests.filings.acting import m1_errors, refused, state


def test_the_unit_confirms(finding: Finding, provider: Actor) -> None:
    assert fire(finding, "confirm", actor=provider).state == "confirmed"


def test_a_finding_is_confirmed_by_time_at_its_deadline(finding: Finding) -> None:
    due = world.moment(
        "2019-07-09 00:00"
    )  # five working days after Monday the 1st: the end of Monday the 8th
    assert finding.due_at == due
    world.at("2019-07-08 23:59")
    assert (deadlines.pass_deadlines(), state(finding)) == (0, "open")
    world.at("2019-07-12 08:00")
    assert (deadlines.pass_deadlines(), deadlines.pass_deadlines(), state(finding)) == (1, 0, "confirmed")
    step = TransitionRecord.objects.get(machine="finding", name="confirm")
    assert (step.at, step.role) == (due, "system")


def test_a_dispute_keeps_grounds_and_proof(finding: Finding, provider: Actor) -> None:
    proof = SimpleUploadedFile("证明.pdf", b"%PDF-1.7 proof")
    moved = fire(finding, "dispute_finding", actor=provider, reason="权威库记录有误", proof=proof)
    assert (moved.state, moved.dispute, moved.due_at) == ("disputed", "权威库记录有误", None)
    document = Document.objects.get(machine="finding", object_id=finding.pk)
    assert (document.kind, document.title, document.size) == ("proof", "证明", 14)


@pytest.mark.parametrize(
    ("content", "words"), [(b"MZ", "仅接收 PDF"), (b"%PDF-" + b"0" * (10 * 1024 * 1024), "不得超过 10 MB")]
)
def test_proof_that_cannot_be_taken_is_refused(
    finding: Finding, provider: Actor, content: bytes, words: str
) -> None:
    proof = SimpleUploadedFile("a.pdf", content)
    refused(finding, "dispute_finding", provider, words, reason="有误", proof=proof)


def test_a_dispute_needs_grounds_and_comes_in_time(finding: Finding, provider: Actor) -> None:
    refused(finding, "dispute_finding", provider, "请填写理由")
    world.at("2019-07-09 00:00")
    refused(finding, "dispute_finding", provider, "期限已届满", reason="有误")


def test_a_foreign_provider_cannot_answer(finding: Finding) -> None:
    refused(finding, "confirm", world.provider(), "只能办理本单位的事项")


def test_an_overturned_finding_leaves_the_figures(
    unit: PilotUnit, finding: Finding, provider: Actor, bureau_lead: Actor
) -> None:
    assert m1_errors(unit) == 1
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    assert m1_errors(unit) == 1
    fire(finding, "overturn", actor=bureau_lead, reason="复核属实")
    assert m1_errors(unit) == 0


def test_an_upheld_finding_stays(
    unit: PilotUnit, finding: Finding, provider: Actor, ministry_officer: Actor
) -> None:
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "uphold", actor=ministry_officer, reason="记录无误")
    assert m1_errors(unit) == 1


def test_the_finder_does_not_decide(unit: PilotUnit, bureau_reviewer: Actor, provider: Actor) -> None:
    row = builders.form(unit, "F-9")
    found = finding_service.report_finding(
        actor=bureau_reviewer, form=row, field="domain", kind="form", description="域名与登记不符"
    )
    fire(found, "dispute_finding", actor=provider, reason="有误")
    for name in ("uphold", "overturn"):
        refused(found, name, bureau_reviewer, "四眼", reason="理由")
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.unscoped.filter(pk=found.pk).update(decided_by=bureau_reviewer.person_id)
    assert fire(found, "uphold", actor=world.bureau(), reason="属实").state == "upheld"


def test_a_bureau_without_jurisdiction_decides_nothing(
    finding: Finding, unit: PilotUnit, provider: Actor
) -> None:
    stranger = world.bureau(province=11)
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    refused(finding, "overturn", stranger, "只能办理", reason="理由")
    with pytest.raises(Refused, match="只能记录"):
        finding_service.report_finding(
            actor=stranger, form=finding.form, field="a", kind="form", description="b"
        )


def test_a_fault_is_recorded_once(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    row = builders.form(unit, "F-9")
    fault = {"form": row, "field": "domain", "kind": "form", "description": "域名不符"}
    finding_service.report_finding(actor=bureau_reviewer, **fault)
    with pytest.raises(Refused, match="已有记录"):
        finding_service.report_finding(actor=bureau_reviewer, **fault)
