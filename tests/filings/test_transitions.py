"""The machines of the run phase: exact transitions, happy paths, refusals in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from filings.accuracy import sampling
from filings.enums import FindingSource, SanctionKind
from filings.models import (
    Bulletin,
    CoordinationCase,
    Finding,
    Inspection,
    Rectification,
    Sanction,
)
from filings.services import bulletins, coordination, deadlines, figures, inspections, supervision
from filings.services import findings as finding_service
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, PilotError, Refused, StateChanged
from pilot.machines import declared
from pilot.models import Document, Objection, Organisation, PilotUnit, ProgrammeRule, TransitionRecord
from pilot.selectors import register
from pilot.services import objections
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders

MACHINES = {
    Finding: {
        ("open", "confirm", "confirmed"),
        ("open", "dispute_finding", "disputed"),
        ("disputed", "uphold", "upheld"),
        ("disputed", "overturn", "overturned"),
    },
    Inspection: {
        ("planned", "commit", "committed"),
        ("committed", "draw", "drawn"),
        ("drawn", "begin", "in_progress"),
        ("in_progress", "conclude", "concluded"),
        ("planned", "cancel", "cancelled"),
        ("committed", "cancel", "cancelled"),
        ("drawn", "cancel", "cancelled"),
        ("in_progress", "cancel", "cancelled"),
    },
    Rectification: {
        ("drafted", "issue", "issued"),
        ("issued", "answer", "answered"),
        ("overdue", "answer", "answered"),
        ("answered", "accept", "closed"),
        ("answered", "reject", "issued"),
        ("issued", "pass_due", "overdue"),
        ("drafted", "cancel", "cancelled"),
        ("issued", "cancel", "cancelled"),
        ("answered", "cancel", "cancelled"),
        ("overdue", "cancel", "cancelled"),
    },
    Sanction: {
        ("proposed", "notify", "hearing"),
        ("hearing", "close_hearing", "heard"),
        ("heard", "impose", "imposed"),
        ("proposed", "drop", "dropped"),
        ("hearing", "drop", "dropped"),
        ("heard", "drop", "dropped"),
        ("imposed", "lift", "lifted"),
        ("imposed", "annul", "annulled"),
    },
    CoordinationCase: {
        ("open", "reply", "answered"),
        ("answered", "close", "closed"),
        ("answered", "reopen", "open"),
    },
    Bulletin: {
        ("compiled", "sign", "signed"),
        ("signed", "publish", "published"),
        ("compiled", "discard", "discarded"),
        ("signed", "discard", "discarded"),
    },
}


@pytest.mark.parametrize("model", MACHINES, ids=lambda model: model.__name__)
def test_the_machine_has_exactly_these_transitions(model: type[Any]) -> None:
    assert {(str(t.source), t.name, str(t.target)) for t in declared(model)} == MACHINES[model]


def refused(
    case: Any, name: str, actor: Actor, words: str, error: type[PilotError] = Refused, **data: Any
) -> None:
    """The act is refused with these words and changes nothing."""
    before = type(case).unscoped.get(pk=case.pk).state
    with pytest.raises(error, match=words):
        fire(case, name, actor=actor, **data)
    assert type(case).unscoped.get(pk=case.pk).state == before


def state(case: Any) -> str:
    return str(type(case).unscoped.get(pk=case.pk).state)


def m1_errors(unit: PilotUnit) -> int:
    return int(figures.figures(unit=unit, period="2019-06")["m1"]["errors"])


@pytest.fixture
def finding(unit: PilotUnit) -> Finding:
    """A mismatch found on Monday 1 July 2019, 09:00."""
    row = builders.form(unit, "F-1")
    builders.compared(row)
    return builders.found(row, source=FindingSource.COMPARISON, at=world.at("2019-07-01 09:00"))


@pytest.fixture
def other_lead(programme: Any) -> Actor:
    return world.bureau(Role.BUREAU_LEAD)


# --- findings -------------------------------------------------------------------------------------
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


# --- inspections ----------------------------------------------------------------------------------
@pytest.fixture
def inspection(unit: PilotUnit, bureau_reviewer: Actor) -> Inspection:
    """An inspection of three of ten forms, HYD-01 … HYD-10."""
    for number in range(1, 11):
        builders.compared(builders.form(unit, f"HYD-{number:02d}"))
    return inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=3)


def begun(inspection: Inspection, actor: Actor) -> Inspection:
    for name in ("commit", "draw", "begin"):
        inspection = fire(inspection, name, actor=actor)
    return inspection


def test_the_seed_is_committed_to_before_the_draw(inspection: Inspection, bureau_reviewer: Actor) -> None:
    committed = fire(inspection, "commit", actor=bureau_reviewer)
    assert (
        len(committed.seed),
        committed.seed_hash == sampling.sha256(committed.seed.encode()).hexdigest(),
    ) == (64, True)
    drawn = fire(committed, "draw", actor=bureau_reviewer)
    frame = [f"HYD-{number:02d}" for number in range(1, 11)]
    assert drawn.frame_digest == "ef9e8a2195df79e7dea348ec4a7ccb1731617124ff684d98884417fcbc0edf9b"
    assert (drawn.seed, drawn.frame_size) == (committed.seed, 10)
    items = drawn.items.select_related("form")
    assert [item.form.form_no for item in items] == list(sampling.draw(frame, drawn.seed, 3))


def test_only_counted_versions_are_drawn(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    first = builders.form(unit, "F-1", "2019-06-18 10:00")
    builders.form(unit, "F-2", "2019-06-18 11:00", corrects=first)
    builders.form(unit, "F-3", "2019-06-20 11:00", corrects=builders.form(unit, "F-4"))
    builders.form(unit, "F-5", late=True)
    planned = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=9)
    drawn = fire(fire(planned, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    numbers = {item.form.form_no for item in drawn.items.select_related("form")}
    assert (numbers, drawn.frame_size) == ({"F-2", "F-4"}, 2)


def test_an_empty_frame_cannot_be_drawn(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    planned = inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=3)
    refused(fire(planned, "commit", actor=bureau_reviewer), "draw", bureau_reviewer, "没有可以抽查的核验单")


def test_an_inspection_to_its_report(
    unit: PilotUnit, inspection: Inspection, bureau_reviewer: Actor, bureau_lead: Actor, provider: Actor
) -> None:
    running = begun(inspection, bureau_reviewer)
    refused(running, "conclude", bureau_lead, "还有 3 份", conclusion="结论")
    verdicts = [(True, True, ""), (False, True, "证件号码不符"), (True, False, "域名不符")]
    for item, (identity, rest, remark) in zip(running.items.all(), verdicts, strict=True):
        inspections.record_verdict(
            case=running,
            actor=bureau_reviewer,
            item=item,
            identity_right=identity,
            form_right=rest,
            remark=remark,
        )
    opened = Finding.unscoped.order_by("pk")
    assert list(opened.values_list("source", "kind", "field", "state", "description")) == [
        ("inspection", "identity", "identity", "open", "证件号码不符"),
        ("inspection", "form", "form", "open", "域名不符"),
    ]
    assert m1_errors(unit) == 0  # provisional until confirmed
    fire(opened[0], "confirm", actor=provider)
    assert m1_errors(unit) == 1
    refused(running, "conclude", bureau_lead, "请填写抽查结论")
    done = fire(running, "conclude", actor=bureau_lead, conclusion="发现差错 2 份，转整改。")
    assert (done.state, done.concluded_by_id) == ("concluded", bureau_lead.person_id)
    assert Document.objects.get(machine="inspection").title == f"电子化核验单抽查报告（{done.number}）"


def test_a_verdict_is_given_once_while_reading_and_says_what_is_wrong(
    inspection: Inspection, bureau_reviewer: Actor
) -> None:
    drawn = fire(fire(inspection, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    item = drawn.items.first()
    right = {"item": item, "identity_right": True, "form_right": True}
    for case, actor, data, words in [
        (drawn, bureau_reviewer, right, "检查尚未开始"),
        (None, world.bureau(province=11), right, "由制定抽查计划的单位办理"),
        (None, bureau_reviewer, {**right, "identity_right": False}, "请说明差错内容"),
    ]:
        case = (
            case or fire(drawn, "begin", actor=bureau_reviewer)
            if state(drawn) == "drawn" and not case
            else drawn
        )
        with pytest.raises(Refused, match=words):
            inspections.record_verdict(case=case, actor=actor, **data)
    inspections.record_verdict(case=drawn, actor=bureau_reviewer, **right)
    with pytest.raises(Refused, match="已有检查结果"):
        inspections.record_verdict(case=drawn, actor=bureau_reviewer, **right)


def test_the_planner_does_not_conclude(
    unit: PilotUnit, inspection: Inspection, bureau_reviewer: Actor
) -> None:
    running = begun(inspection, bureau_reviewer)
    refused(running, "conclude", bureau_reviewer, "职责", NotPermitted, conclusion="结论")
    with pytest.raises(IntegrityError), transaction.atomic():
        Inspection.unscoped.filter(pk=running.pk).update(concluded_by=bureau_reviewer.person_id)


def test_another_office_does_not_carry_on(inspection: Inspection, ministry_officer: Actor) -> None:
    refused(inspection, "commit", ministry_officer, "由制定抽查计划的单位办理")
    refused(inspection, "commit", world.bureau(province=11), "只能办理本省")


def test_a_correction_after_the_draw_is_not_counted(
    inspection: Inspection, unit: PilotUnit, bureau_reviewer: Actor
) -> None:
    world.at("2019-06-18 12:00")
    drawn = fire(fire(inspection, "commit", actor=bureau_reviewer), "draw", actor=bureau_reviewer)
    row = drawn.items.select_related("form").first().form
    later = builders.form(unit, "HYD-99", "2019-06-18 13:00", corrects=row)
    builders.compared(later, outcome="mismatch")
    assert m1_errors(unit) == 0


@pytest.mark.parametrize("names", [(), ("commit",), ("commit", "draw"), ("commit", "draw", "begin")])
def test_an_inspection_is_cancelled_with_a_reason(
    inspection: Inspection, bureau_lead: Actor, bureau_reviewer: Actor, names: tuple[str, ...]
) -> None:
    for name in names:
        inspection = fire(inspection, name, actor=bureau_reviewer)
    refused(inspection, "cancel", bureau_lead, "请填写理由")
    assert fire(inspection, "cancel", actor=bureau_lead, reason="计划调整").state == "cancelled"


@pytest.mark.parametrize("size", [0, 20_001])
def test_a_sample_has_a_size(unit: PilotUnit, bureau_reviewer: Actor, size: int) -> None:
    with pytest.raises(Refused, match="样本量"):
        inspections.plan_inspection(actor=bureau_reviewer, unit=unit, period="2019-06", size=size)


# --- rectification --------------------------------------------------------------------------------
@pytest.fixture
def order(unit: PilotUnit, finding: Finding, bureau_reviewer: Actor) -> Rectification:
    return supervision.draft_rectification(
        actor=bureau_reviewer,
        unit=unit,
        findings=[finding],
        reasons="6月准确率未达到要求",
        measures="逐份复核\n查明原因",
        days=10,
    )


def test_an_order_to_its_close_in_two_rounds(
    order: Rectification, bureau_lead: Actor, provider: Actor
) -> None:
    issued = fire(order, "issue", actor=bureau_lead)
    assert issued.due_at == world.moment("2019-07-16 00:00")  # ten working days after Monday 1 July
    refused(issued, "answer", provider, "请填写整改报告")
    world.at("2019-07-10 09:00")
    answered = fire(issued, "answer", actor=provider, answer_text="已更正")
    again = fire(answered, "reject", actor=bureau_lead, reason="未说明原因")
    assert (again.state, again.round, again.due_at) == ("issued", 2, world.moment("2019-07-25 00:00"))
    done = fire(fire(again, "answer", actor=provider, answer_text="补充"), "accept", actor=bureau_lead)
    assert (done.state, done.due_at) == ("closed", None)
    assert Document.objects.filter(machine="rectification", kind="rectification").count() == 2


def test_an_order_that_is_not_answered_becomes_overdue(
    order: Rectification, bureau_lead: Actor, provider: Actor
) -> None:
    fire(order, "issue", actor=bureau_lead)
    world.at("2019-07-15 23:59")
    deadlines.pass_deadlines()
    assert state(order) == "issued"
    world.at("2019-07-16 00:00")
    deadlines.pass_deadlines()
    assert state(order) == "overdue"
    assert fire(order, "answer", actor=provider, answer_text="迟交").state == "answered"


def test_the_drafter_does_not_issue(order: Rectification, bureau_reviewer: Actor) -> None:
    refused(order, "issue", bureau_reviewer, "职责", NotPermitted)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rectification.unscoped.filter(pk=order.pk).update(issued_by=bureau_reviewer.person_id)


def test_only_the_bureau_of_the_unit_issues(order: Rectification) -> None:
    refused(order, "issue", world.bureau(Role.BUREAU_LEAD, province=11), "只能办理本省")


def test_an_order_falls_with_its_findings(
    order: Rectification, finding: Finding, bureau_lead: Actor, provider: Actor
) -> None:
    fire(order, "issue", actor=bureau_lead)
    refused(order, "cancel", bureau_lead, "未全部撤销", reason="撤回")
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    assert state(order) == "cancelled"
    step = TransitionRecord.objects.get(machine="rectification", name="cancel")
    assert (step.role, step.person_id) == ("system", bureau_lead.person_id)


def test_a_draft_can_be_given_up(order: Rectification, bureau_lead: Actor) -> None:
    assert fire(order, "cancel", actor=bureau_lead, reason="不予签发").state == "cancelled"


def test_an_order_rests_on_findings_of_its_unit(
    unit: PilotUnit, finding: Finding, bureau_reviewer: Actor
) -> None:
    text = {"reasons": "示例", "measures": "示例"}
    for findings, days, words in [([], 10, "至少一条"), ([finding], 0, "工作日"), ([finding], 61, "工作日")]:
        with pytest.raises(Refused, match=words):
            supervision.draft_rectification(
                actor=bureau_reviewer, unit=unit, findings=findings, days=days, **text
            )
    with pytest.raises(Refused, match="本省"):
        supervision.draft_rectification(
            actor=world.bureau(province=11), unit=unit, findings=[finding], days=10, **text
        )
    builders.decide(finding, "disputed", "overturned")
    with pytest.raises(Refused, match="未被撤销"):
        supervision.draft_rectification(
            actor=bureau_reviewer, unit=unit, findings=[Finding.unscoped.get(pk=finding.pk)], days=10, **text
        )


# --- sanctions ------------------------------------------------------------------------------------
@pytest.fixture
def rule(programme: Any) -> None:
    """The programme holds a rule on sanctions (示例)."""
    ProgrammeRule.objects.filter(programme=programme, key="sanctions").update(
        value=True, basis="规则（示例）第6条"
    )


def proposal(actor: Actor, unit: PilotUnit, kind: str = SanctionKind.SUSPENSION) -> Sanction:
    return supervision.propose_sanction(actor=actor, unit=unit, kind=kind, grounds="两轮整改未通过")


def imposed(
    sanction: Sanction, actor: Actor, approver: Actor, effect_from: datetime | None = None
) -> Sanction:
    fire(sanction, "notify", actor=actor)
    world.at("2019-07-09 00:00")
    deadlines.pass_deadlines()
    return fire(sanction, "impose", actor=approver, effect_from=effect_from)


def test_without_a_rule_there_is_no_sanction(unit: PilotUnit, bureau_reviewer: Actor) -> None:
    with pytest.raises(Refused, match="没有暂停或退出的规则"):
        proposal(bureau_reviewer, unit)


@pytest.mark.usefixtures("rule")
def test_a_suspension_heard_imposed_and_lifted(
    unit: PilotUnit, bureau_reviewer: Actor, provider: Actor, ministry_approver: Actor
) -> None:
    sanction = proposal(bureau_reviewer, unit)
    assert sanction.basis == "规则（示例）第6条"
    hearing = fire(sanction, "notify", actor=bureau_reviewer)
    assert hearing.due_at == world.moment("2019-07-09 00:00")
    refused(hearing, "close_hearing", provider, "请填写陈述申辩意见")
    heard = fire(hearing, "close_hearing", actor=provider, statement="已整改")
    assert (heard.state, heard.statement) == ("heard", "已整改")
    world.at("2019-07-10 09:00")
    effect = world.moment("2019-07-15 00:00")
    refused(heard, "impose", ministry_approver, "不得早于", effect_from=world.moment("2019-07-09 00:00"))
    fire(heard, "impose", actor=ministry_approver, effect_from=effect)
    assert [
        register.status_at(unit, world.moment(text)) for text in ("2019-07-14 23:59", "2019-07-15 00:00")
    ] == [
        "active",
        "suspended",
    ]
    world.at("2019-08-01 09:00")
    refused(sanction, "lift", ministry_approver, "请填写理由")
    fire(
        sanction,
        "lift",
        actor=ministry_approver,
        reason="整改通过",
        effect_from=world.moment("2019-08-05 00:00"),
    )
    found = [
        register.status_at(unit, world.moment(text)) for text in ("2019-08-04 23:59", "2019-08-05 00:00")
    ]
    assert found == ["suspended", "active"]
    kinds = Document.objects.filter(machine="sanction").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["sanction-hearing", "sanction-imposed", "sanction-lifted"]


@pytest.mark.usefixtures("rule")
def test_silence_closes_the_hearing(unit: PilotUnit, bureau_reviewer: Actor, provider: Actor) -> None:
    sanction = fire(proposal(bureau_reviewer, unit), "notify", actor=bureau_reviewer)
    world.at("2019-07-09 00:00")
    refused(sanction, "close_hearing", provider, "期限已届满", statement="迟到")
    assert (deadlines.pass_deadlines(), state(sanction)) == (1, "heard")


@pytest.mark.usefixtures("rule")
def test_a_removal_has_no_end_and_freezes_nothing_earlier(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    sanction = imposed(
        proposal(ministry_officer, unit, SanctionKind.REMOVAL), ministry_officer, ministry_approver
    )
    refused(sanction, "lift", ministry_approver, "不能恢复", reason="理由")
    assert register.status_at(unit, world.moment("2020-06-01 00:00")) == "removed"
    with pytest.raises(Refused, match="当前状态"):
        proposal(ministry_officer, unit)


@pytest.mark.usefixtures("rule")
def test_an_upheld_objection_annuls_the_sanction(
    unit: PilotUnit,
    bureau_reviewer: Actor,
    ministry_approver: Actor,
    ministry_officer: Actor,
    provider: Actor,
) -> None:
    sanction = imposed(proposal(bureau_reviewer, unit), bureau_reviewer, ministry_approver)
    assert register.status_at(unit, world.moment("2019-07-09 01:00")) == "suspended"
    objection = objections.file_objection(
        actor=provider, machine="sanction", object_id=sanction.pk, grounds="已整改"
    )
    fire(objection, "take", actor=ministry_officer)
    fire(Objection.unscoped.get(pk=objection.pk), "uphold", actor=ministry_officer, reason="申诉成立")
    assert state(sanction) == "annulled"
    assert register.status_at(unit, world.moment("2019-07-10 00:00")) == "active"


@pytest.mark.usefixtures("rule")
def test_four_eyes_and_sides_of_a_sanction(
    unit: PilotUnit, bureau_reviewer: Actor, ministry_approver: Actor, other_lead: Actor
) -> None:
    sanction = proposal(bureau_reviewer, unit)
    with pytest.raises(Refused, match="正在办理"):
        proposal(other_lead, unit)
    refused(sanction, "drop", world.ministry(), "由提出处理建议的单位办理", reason="理由")
    refused(sanction, "impose", ministry_approver, "不能", StateChanged)
    with pytest.raises(IntegrityError), transaction.atomic():
        Sanction.unscoped.filter(pk=sanction.pk).update(approved_by=bureau_reviewer.person_id)
    assert fire(sanction, "drop", actor=other_lead, reason="情形消除").state == "dropped"


# --- coordination ---------------------------------------------------------------------------------
def test_a_coordination_case_goes_to_and_fro(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor
) -> None:
    bureau = Organisation.objects.get(pk=bureau_reviewer.organisation_id)
    case = coordination.open_case(
        actor=provider, unit=unit, subject="接口联调", text="比对接口超时", owner=bureau
    )
    refused(case, "reply", provider, "由责任单位答复", reason="自答")
    fire(case, "reply", actor=bureau_reviewer, reason="已联系省公安")
    refused(case, "reopen", bureau_reviewer, "由提出单位办理", reason="理由")
    fire(case, "reopen", actor=provider, reason="仍然超时")
    fire(case, "reply", actor=bureau_reviewer, reason="已扩容")
    assert fire(case, "close", actor=provider).state == "closed"
    texts = case.messages.values_list("text", flat=True)
    assert list(texts) == ["比对接口超时", "已联系省公安", "仍然超时", "已扩容"]


def test_the_sides_of_a_coordination_case(unit: PilotUnit, provider: Actor, bureau_reviewer: Actor) -> None:
    own = Organisation.objects.get(pk=provider.organisation_id)
    bureau = Organisation.objects.get(pk=bureau_reviewer.organisation_id)
    stranger = world.provider()
    other = Organisation.objects.get(pk=stranger.organisation_id)
    for actor, owner, words in [
        (stranger, bureau, "只能提出本单位"),
        (provider, own, "不能是提出单位"),
        (bureau_reviewer, other, "责任单位应为"),
    ]:
        with pytest.raises(Refused, match=words):
            coordination.open_case(actor=actor, unit=unit, subject="示例", text="示例", owner=owner)


# --- bulletins ------------------------------------------------------------------------------------
def test_a_bulletin_to_its_publication(
    unit: PilotUnit, finding: Finding, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    refused(bulletin, "publish", ministry_approver, "不能", StateChanged)
    with pytest.raises(IntegrityError), transaction.atomic():
        Bulletin.unscoped.filter(pk=bulletin.pk).update(signed_by=ministry_officer.person_id)
    fire(bulletin, "sign", actor=ministry_approver)
    done = fire(bulletin, "publish", actor=ministry_approver)
    line = done.figures["units"][0]
    assert (line["m1"], line["submitted"], line["accepted"]) == (
        {"n": 1, "errors": 1, "met": False, "shown": "0.0000%"},
        1,
        1,
    )
    assert Document.objects.get(machine="bulletin").title == "电子化核验试点运行情况通报（2019年6月）"
    refused(done, "discard", ministry_approver, "不能", StateChanged, reason="错误")


def test_a_month_is_reported_once_after_its_end(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    for period in ("2019-07", "2019-06-18", "to-date"):
        with pytest.raises(Refused, match="已经结束的月份"):
            bulletins.compile_bulletin(actor=ministry_officer, period=period)
    first = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    with pytest.raises(Refused, match="已有通报"):
        bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    fire(first, "discard", actor=ministry_approver, reason="重编")
    assert bulletins.compile_bulletin(actor=ministry_officer, period="2019-06").sequence == 2


def test_a_published_month_changes_only_as_an_adjustment(
    unit: PilotUnit, finding: Finding, provider: Actor, bureau_lead: Actor, ministry_officer: Actor,
    ministry_approver: Actor,
) -> None:  # fmt: skip
    june = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    for name in ("sign", "publish"):
        fire(june, name, actor=ministry_approver)
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    fire(finding, "overturn", actor=bureau_lead, reason="属实")
    assert Bulletin.unscoped.get(pk=june.pk).figures["units"][0]["m1"]["errors"] == 1
    world.at("2019-08-01 09:00")
    july = bulletins.compile_bulletin(actor=ministry_officer, period="2019-07")
    assert [
        (c["period"], c["code"], c["before"]["m1_errors"], c["after"]["m1_errors"])
        for c in july.figures["adjustments"]
    ] == [("2019-06", unit.code, 1, 0)]
    for name in ("sign", "publish"):
        fire(july, name, actor=ministry_approver)
    world.at("2019-09-01 09:00")
    august = bulletins.compile_bulletin(actor=ministry_officer, period="2019-08")
    assert august.figures["adjustments"] == []


def test_a_mistake_after_publication_is_a_numbered_corrigendum(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    first = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    with pytest.raises(Refused, match="已发布的通报"):
        bulletins.compile_bulletin(actor=ministry_officer, period="2019-06", corrects=first)
    for name in ("sign", "publish"):
        first = fire(first, name, actor=ministry_approver)
    second = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06", corrects=first)
    assert (second.sequence, second.corrects_id) == (2, first.pk)
