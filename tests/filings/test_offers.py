"""In which order a case's page offers its acts, and which of them it puts forward."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from filings.enums import SanctionKind
from filings.services import bulletins, supervision
from pilot.actors import Actor
from pilot.models import PilotUnit, ProgrammeRule
from pilot.workflow import fire
from tests.filings.test_pages import signed_in

type Offer = tuple[str, bool, bool]


def offered(actor: Actor, case: Any) -> list[Offer]:
    """What can be done: the words, whether it is red, whether it is the main act."""
    page = signed_in(actor).get(reverse(f"{case.slug()}_detail", args=[case.pk])).context["page"]
    return [(item.label, item.danger, item.primary) for item in page.actions if item.allowed]


def test_a_bulletin_is_signed_before_it_is_thrown_away(
    unit: PilotUnit, ministry_officer: Actor, ministry_approver: Actor
) -> None:
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    assert offered(ministry_approver, bulletin) == [("签发", False, True), ("废弃", True, False)]
    fire(bulletin, "sign", actor=ministry_approver)
    assert offered(ministry_approver, bulletin) == [("发布", False, True), ("废弃", True, False)]


def test_a_dispute_is_decided_without_a_push(finding: Any, provider: Actor, ministry_officer: Actor) -> None:
    assert offered(provider, finding) == [("提出异议", False, False), ("确认差错", True, False)]
    fire(finding, "dispute_finding", actor=provider, reason="有误")
    assert offered(ministry_officer, finding) == [("撤销差错", False, False), ("维持差错", False, False)]


@pytest.fixture
def rule(programme: Any) -> None:
    """The programme holds a rule on sanctions (示例)."""
    ProgrammeRule.objects.filter(programme=programme, key="sanctions").update(
        value=True, basis="规则（示例）第6条"
    )


@pytest.mark.usefixtures("rule")
def test_a_statement_is_received_before_a_sanction_is_dropped(
    unit: PilotUnit, provider: Actor, bureau_reviewer: Actor, ministry_approver: Actor
) -> None:
    sanction = supervision.propose_sanction(
        actor=bureau_reviewer, unit=unit, kind=SanctionKind.SUSPENSION, grounds="两轮整改未通过"
    )
    fire(sanction, "notify", actor=bureau_reviewer)
    fire(sanction, "close_hearing", actor=provider, statement="已更正")
    assert offered(bureau_reviewer, sanction) == [("接收陈述申辩", False, True), ("不予处理", True, False)]
    supervision.record_hearing(case=sanction, actor=bureau_reviewer, opinion="属实")
    assert offered(ministry_approver, sanction) == [("作出决定", True, False)]
