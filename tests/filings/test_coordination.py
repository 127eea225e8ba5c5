"""A coordination case's life."""

from __future__ import annotations

import pytest

from filings.services import coordination
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import Organisation, PilotUnit
from pilot.workflow import fire
from tests.factories import world
from tests.filings.acting import refused


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
