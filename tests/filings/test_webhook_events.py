"""What units' systems are told of: which acts, exactly which fields, and nothing of an act that did not happen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction

from filings.models import Finding
from filings.models.uploads import BY_REQUEST
from filings.services import bulletins, loading, supervision
from pilot.actors import Actor
from pilot.models import PilotUnit, WebhookDelivery, WebhookEndpoint
from pilot.services import register, webhooks
from pilot.workflow import fire
from tests.factories import world
from tests.filings import builders


@pytest.fixture
def told(unit: PilotUnit, provider: Actor) -> Any:
    """All messages since it was asked last, as event and data; another unit's address hears of nothing of this one."""
    every = [name for name, _label in webhooks.events()]
    other = world.provider()
    for admin, of in ((provider, unit), (other, builders.enrol(unit.programme, other))):
        webhooks.register(actor=admin, unit=of, url="https://hooks.example.cn/", events=every)
    mine = WebhookEndpoint.unscoped.get(unit=unit)

    def messages() -> list[tuple[str, str, Any]]:
        rows = mine.deliveries.order_by("pk")
        found = [json.loads(body) for body in rows.values_list("body", flat=True)]
        rows.delete()
        return [(one["type"], one["timestamp"], one["data"]) for one in found]

    return messages


def test_every_event_says_ids_numbers_counts_and_states(
    unit: PilotUnit, told: Any, bureau_reviewer: Actor, bureau_lead: Actor, ministry_officer: Actor,
    ministry_approver: Actor, provider: Actor,
) -> None:  # fmt: skip
    nine = "2019-07-01T09:00:00+08:00"
    at, code = world.moment("2019-07-01 09:00"), unit.code
    counts = {
        "rows": 5,
        "accepted": 2,
        "duplicates": 1,
        "rejected_rows": 2,
        "code_counts": {"form_no.conflict": 2},
    }
    upload = builders.job(unit, at, **counts)
    for name in ("start", "finish"):
        fire(upload, name, actor=loading.LOADER, at=at)
    failed, direct = builders.job(unit, at), builders.job(unit, at)
    fire(failed, "fail", actor=loading.LOADER, at=at, fault="张三的文件")
    type(direct).unscoped.filter(pk=direct.pk).update(source_name=BY_REQUEST)
    for name in ("start", "finish"):
        fire(direct, name, actor=loading.LOADER, at=at)
    assert told() == [
        ("upload.finished", nine,
         {"unit": code, "upload": str(upload.case_key), "state": "done", "dry_run": False, **counts}),
        ("upload.failed", nine,
         {"unit": code, "upload": str(failed.case_key), "state": "failed", "dry_run": False, "rows": 0, "accepted": 0,
          "duplicates": 0, "rejected_rows": 0, "code_counts": {}}),
    ]  # fmt: skip
    row = builders.form(unit, "F-1")
    builders.compared(row)
    found: Finding = builders.found(row, at=at)
    assert told() == [
        ("finding.opened", nine,
         {"unit": code, "count": 1, "first": found.number, "due_at": "2019-07-09T00:00:00+08:00"})
    ]  # fmt: skip
    order = supervision.draft_rectification(
        actor=bureau_reviewer, unit=unit, findings=[found], reasons="原因", measures="措施", days=10
    )
    order = fire(order, "issue", actor=bureau_lead, at=at)
    data = {"unit": code, "number": order.number, "state": "issued", "round": 1, "findings": 1}
    assert told() == [("rectification.issued", nine, {**data, "due_at": "2019-07-16T00:00:00+08:00"})]
    order = fire(order, "answer", actor=provider, at=at, answer_text="已更正")
    fire(order, "reject", actor=bureau_lead, at=at, reason="未说明")
    assert [(event, data["round"]) for event, _at, data in told()] == [("rectification.issued", 2)]
    bulletin = bulletins.compile_bulletin(actor=ministry_officer, period="2019-06")
    for name in ("sign", "publish"):
        bulletin = fire(bulletin, name, actor=ministry_approver, at=at)
    data = {"sequence": 1, "period": "2019-06", "corrects": None}
    assert told() == [("bulletin.published", nine, data)]
    assert [json.loads(one.body)["data"] for one in WebhookDelivery.unscoped.all()] == [
        data
    ]  # the other unit
    kwargs: Any = {
        "actor": world.SETUP,
        "unit": unit,
        "start": world.moment("2019-08-01 00:00"),
        "reason": "张三",
    }
    register.set_status(kind="suspended", **kwargs)
    register.annul_status(kind="suspended", **kwargs)
    assert [(event, data) for event, _at, data in told()] == [
        (
            "unit.status_changed",
            {"unit": code, "status": status, "effective_from": "2019-08-01T00:00:00+08:00"},
        )
        for status in ("suspended", "active")
    ]


def test_an_act_that_did_not_happen_is_told_to_nobody(unit: PilotUnit, told: Any) -> None:
    with transaction.atomic():
        at = world.moment("2019-08-01 00:00")
        register.set_status(actor=world.SETUP, unit=unit, kind="suspended", start=at, reason="示例")
        assert WebhookDelivery.unscoped.count() == 1
        transaction.set_rollback(True)
    assert told() == []
