"""A rectification order's life."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from filings.models import (
    Finding,
    Rectification,
)
from filings.services import deadlines, supervision
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused
from pilot.models import Document, PilotUnit, TransitionRecord
from pilot.services import documents
from pilot.workflow import fire
from tests.documents.reading import squeezed, text_of
from tests.factories import world
from tests.filings import builders
from tests.filings.acting import refused, state


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


def test_the_letter_names_facts_figures_and_the_last_day(order: Rectification, bureau_lead: Actor) -> None:
    fire(order, "issue", actor=bureau_lead)
    letter = Document.objects.get(machine="rectification")
    text = squeezed(text_of(documents.read_bytes(letter.sha256)))
    for words in (
        order.number,
        "核验单F-1，备案主体身份信息：与权威库记录不一致（示例）",
        "主体真实身份信息准确率为0.0000%（计数1份，差错1份），要求为不低于99.95%，未达到要求",
        "请于2019年7月15日（含当日）前",
    ):
        assert words in text
