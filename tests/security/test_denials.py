"""Whoever tries what the policy keeps from them is on record, also where no transition of a machine is behind it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from filings.enums import CoordinationState
from filings.services import alerts, coordination, faq, uploads, v3_access
from pilot import clock
from pilot.errors import NotPermitted
from pilot.models import AuditEntry, Organisation
from pilot.selectors import programmes as programme_selectors
from pilot.services import api_keys, licences, programmes, register, webhooks
from tests.factories import cases, world
from tests.factories.cases import Cast

ROOT = Path(__file__).parents[2]
# One records it itself with more detail, the other is a part of services that are decorated.
RECORDED_OTHERWISE = {"disclosure.unmask", "claims.lock"}


def a_scope(made: Cast) -> Any:
    return register.set_scope(
        actor=made.lead, unit=made.unit, provinces=[11], filing_types=[], opened=True,
        effective_from=date(2019, 8, 1), reason="示例",
    )  # fmt: skip


def a_rule(made: Cast) -> Any:
    return programmes.enter_rule(
        actor=made.lead, programme=programme_selectors.current(), key="fee", value=True, basis="示例", reason="示例",
        seen="",
    )  # fmt: skip


def an_upload(made: Cast) -> Any:
    return uploads.receive_upload(actor=world.provider(), unit=made.unit, source=None, name="示例.csv")  # type: ignore[arg-type]


def a_hand_over(made: Cast) -> Any:
    case = cases.coordination_case(made)
    return coordination.hand_over(
        case=case, actor=world.assessor(), owner=Organisation.objects.latest("pk"), reason="示例"
    )


def an_entry(made: Cast) -> Any:
    case = cases.walk(cases.coordination_case(made), CoordinationState.ANSWERED, CoordinationState.CLOSED)
    return faq.make_faq(case=case, actor=made.provider, question="示例", answer="示例", category="other")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("act", "action", "subject"),
    [
        (a_scope, "register.scope", "pilotunit"),
        (a_rule, "programme.rule", "programme"),
        (an_upload, "upload-job.open", "pilotunit"),
        (a_hand_over, "coordination-case.hand_over", "coordinationcase"),
        (an_entry, "faq-entry.open", "coordinationcase"),
        (
            lambda made: alerts.acknowledge(case=cases.alert(made), actor=world.bureau(province=45)),
            "alert.acknowledge",
            "alert",
        ),
        (
            lambda made: licences.renew_licence(
                actor=world.bureau(province=45), unit=made.unit, expires_on=date(2021, 1, 1), reason="示例"
            ),
            "register.licence",
            "pilotunit",
        ),
        (
            lambda made: api_keys.issue(
                actor=world.provider(),
                unit=made.unit,
                name="示例",
                mode="live",
                scopes=[],
                expires_at=clock.now(),
            ),
            "api-key.issue",
            "pilotunit",
        ),
        (
            lambda made: webhooks.register(
                actor=world.provider(), unit=made.unit, url="https://a.example/", events=[]
            ),
            "webhook.register",
            "pilotunit",
        ),
        (
            lambda made: v3_access.switch_on(actor=world.provider(), unit=made.unit),
            "v3-access.on",
            "pilotunit",
        ),
    ],
)
def test_a_denial_stays_on_record_with_its_subject(
    act: Callable[[Cast], Any], action: str, subject: str, programme: Any
) -> None:
    made = Cast()
    with pytest.raises(NotPermitted):
        act(made)
    (denied,) = AuditEntry.objects.filter(outcome=AuditEntry.Outcome.DENIED)
    assert (denied.action, denied.object_type, denied.detail) == (
        action,
        subject,
        {"code": NotPermitted.code},
    )


def test_every_service_that_denies_says_so() -> None:
    """By reading: what raises NotPermitted is decorated, or is a helper that only what is decorated calls."""
    silent = {
        f"{path.stem}.{name}"
        for path in ROOT.glob("*/services/*.py")
        for name in denying(ast.parse(path.read_text(encoding="utf-8")))
        if not name.startswith("_")
    }
    assert silent - RECORDED_OTHERWISE == set()


def denying(module: ast.Module) -> set[str]:
    """The functions out of which NotPermitted comes without being recorded."""
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    open_ones = {name: node for name, node in functions.items() if "denials_recorded" not in decorators(node)}
    found: set[str] = set()
    while (
        more := {name for name, node in open_ones.items() if called(node) & {"NotPermitted", *found}} - found
    ):
        found |= more
    return found


def decorators(node: ast.FunctionDef) -> set[str]:
    return {
        part.func.attr
        for part in node.decorator_list
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
    }


def called(node: ast.FunctionDef) -> set[str]:
    """The names of what a function calls, what it raises among them."""
    return {
        part.func.id
        for part in ast.walk(node)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    }
