"""A finding's life."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image

from filings.models import Finding, FindingCause
from filings.services import attachments, deadlines
from filings.services import findings as finding_service
from filings.services.attachments import Proof
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from pilot.models import Document, Notice, PilotUnit, TransitionRecord
from pilot.services import scanner
from pilot.workflow import fire
from tests.applications.builders import pdf
from tests.factories import world
from tests.factories.audited import audited
from tests.filings import builders
from tests.filings.acting import m1_errors, refused, state
from tests.filings.test_pages import signed_in

PDF = pdf("proof")


def _png() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), "white").save(picture, "PNG")
    return picture.getvalue()


PNG = _png()


def test_the_unit_confirms(finding: Finding, provider: Actor) -> None:
    assert fire(finding, "confirm", actor=provider).state == "confirmed"


def test_a_finding_is_confirmed_by_time_at_its_deadline(finding: Finding) -> None:
    due = world.moment(
        "2019-07-09 00:00"
    )  # five working days after Monday the 1st: the end of Monday the 8th
    assert finding.due_at == due
    world.at("2019-07-08 23:59")
    assert (deadlines.pass_deadlines(), state(finding)) == (0, "open")
    refused(finding, "confirm", builders.SYSTEM, "期限尚未届满")
    world.at("2019-07-12 08:00")
    assert (deadlines.pass_deadlines(), deadlines.pass_deadlines(), state(finding)) == (1, 0, "confirmed")
    step = TransitionRecord.objects.get(machine="finding", name="confirm")
    assert (step.at, step.role) == (due, "system")


def test_a_dispute_that_arrived_in_time_is_served_before_the_bell(finding: Finding, provider: Actor) -> None:
    """Its files take a while to come in and to be scanned; the timetable looks every minute."""
    world.at("2019-07-09 00:00")
    assert deadlines.pass_deadlines() == 0
    arrived = finding.due_at - timedelta(seconds=1)
    assert fire(finding, "dispute_finding", actor=provider, at=arrived, reason="示例").state == "disputed"


def test_a_case_that_cannot_move_keeps_no_other_waiting(
    finding: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = builders.found(builders.form(finding.unit, "F-9"), at=clock.now())

    def locked_elsewhere(case: Finding, name: str, **more: Any) -> Any:
        if case.pk == finding.pk:
            raise StateChanged("该事项正由他人办理")
        return fire(case, name, **more)

    monkeypatch.setattr(deadlines, "fire", locked_elsewhere)
    world.at("2019-07-12 08:00")
    assert (deadlines.pass_deadlines(), state(finding), state(other)) == (1, "open", "confirmed")


def proof(name: str = "证明.pdf", content: bytes = PDF) -> Proof:
    return attachments.examine(SimpleUploadedFile(name, content))


def test_a_dispute_keeps_grounds_and_proof(finding: Finding, provider: Actor) -> None:
    files = [proof(), proof("../../截图.png", PNG)]
    moved = fire(finding, "dispute_finding", actor=provider, reason="权威库记录有误", proofs=files)
    assert (moved.state, moved.dispute, moved.due_at) == ("disputed", "权威库记录有误", None)
    rows = Document.objects.filter(machine="finding", object_id=finding.pk).order_by("pk")
    assert [(row.kind, row.title, row.content_type) for row in rows] == [
        ("proof", "证明", "application/pdf"),
        ("proof", "截图", "image/png"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "文件是空的"),
        (b"MZ", "仅接收完整的 PDF、JPG 或 PNG"),
        (b"%PDF-1.7 cut off", "仅接收完整的 PDF、JPG 或 PNG"),
        (PNG[:-5], "仅接收完整的 PDF、JPG 或 PNG"),
        (b"%PDF-" + b"0" * (10 * 1024 * 1024), "不得超过 10 MB"),
    ],
)
def test_proof_that_cannot_be_taken_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        proof("a.pdf", content)


def test_proof_is_scanned_where_there_is_a_scanner(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PILOT_CLAMD = "/tmp/no-such-scanner"  # noqa: S108 (never made)
    with pytest.raises(Refused, match="病毒扫描暂时不可用"):
        proof()
    monkeypatch.setattr(scanner, "_ask", lambda content: "Eicar-Signature")
    with pytest.raises(Refused, match="被查出病毒"):
        proof()


def test_many_findings_are_disputed_in_one_act_with_one_file(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor, bureau_lead: Actor
) -> None:
    neighbour = world.bureau(province=11)
    rows = [builders.form(unit, f"F-{n}", province=11 if n == 3 else 44) for n in range(1, 4)]
    found = [builders.found(row, at=clock.now()) for row in rows]
    too_many = [proof(f"{n}.pdf") for n in range(6)]
    refused(found[0], "dispute_finding", provider, "最多提交 5 个文件", reason="有误", proofs=too_many)
    crowd = [Finding(pk=-n) for n in range(1, 201)]
    refused(found[0], "dispute_finding", provider, "一次最多办理 200 条差错", reason="有误", others=crowd)
    moved = fire(
        found[0], "dispute_finding", actor=provider, reason="同一批次", others=found, proofs=[proof()]
    )
    assert Finding.unscoped.filter(state="disputed", dispute="同一批次").count() == 3
    files = Document.objects.filter(machine="finding", kind="proof")
    assert {(row.object_id, row.sha256) for row in files} == {(f.pk, proof().sha256) for f in found}
    # Who may open the finding may fetch its file, and nobody else.
    mine, theirs = (files.get(object_id=f.pk) for f in (found[0], found[2]))
    for actor, answers in ((provider, (200, 200)), (neighbour, (404, 200)), (world.provider(), (404, 404))):
        client = signed_in(actor)
        got = [client.get(reverse("document", args=[file.pk])).status_code for file in (mine, theirs)]
        assert tuple(got) == answers
    # One notice per office: the unit's bureau of all three, the other of the one of its province.
    told = Notice.objects.filter(source__startswith=f"finding:{found[0].pk}:2")
    assert sorted(told.values_list("person", "subject", "url")) == sorted(
        [
            (person.person_id, f"{moved.number} 等 3 条差错 · 提出异议", f"/cases/finding/{moved.pk}/")
            for person in (bureau_reviewer, bureau_lead)
        ]
        + [(neighbour.person_id, f"{found[2].number} · 提出异议", f"/cases/finding/{found[2].pk}/")]
    )


def test_a_cause_is_recorded_once_for_many(unit: PilotUnit, provider: Actor) -> None:
    found = [builders.found(builders.form(unit, f"F-{n}"), at=clock.now()) for n in range(1, 5)]
    fire(found[0], "confirm", actor=provider, cause_text="识别错误", others=found[1:2])
    fire(found[2], "confirm", actor=provider, cause_text=" 识别错误 ")
    cause = FindingCause.unscoped.get()
    assert (cause.text, cause.recorded_by_id) == ("识别错误", provider.person_id)
    assert set(cause.findings.values_list("form__form_no", flat=True)) == {"F-1", "F-2", "F-3"}
    # One that was confirmed by time gets its cause afterwards; once it has one, it keeps it.
    builders.decide(found[3], "confirmed")
    with pytest.raises(Refused, match="只能办理本单位"):
        finding_service.put_down_to_cause(case=found[3], actor=world.provider(), cause=cause)
    with pytest.raises(Refused, match="请填写或选择差错原因"):
        finding_service.put_down_to_cause(case=found[3], actor=provider, cause_text=" ")
    foreign = FindingCause(unit_id=unit.pk + 1, text="他人原因")
    with pytest.raises(Refused, match="只能选用本单位记录的差错原因"):
        finding_service.put_down_to_cause(case=found[3], actor=provider, cause=foreign)
    finding_service.put_down_to_cause(case=found[3], actor=provider, cause=cause)
    assert audited("finding.record_cause") == ("done", provider.person_id, "findingcause", str(cause.pk))
    assert cause.findings.count() == 4
    with pytest.raises(Refused, match="尚未记录原因"):
        finding_service.put_down_to_cause(case=found[3], actor=provider, cause_text="另一原因")


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
    for wrong in ({"source": "comparison"}, {"kind": "other"}):
        with pytest.raises(Refused, match="差错来源或类型不正确"):
            finding_service.report_finding(actor=bureau_reviewer, **(fault | wrong))
    finding_service.report_finding(actor=bureau_reviewer, **fault)
    with pytest.raises(Refused, match="已有记录"):
        finding_service.report_finding(actor=bureau_reviewer, **fault)
