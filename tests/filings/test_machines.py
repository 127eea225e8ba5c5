"""The machines of the run phase have exactly the transitions of the design."""

from __future__ import annotations

from typing import Any

import pytest

from filings.models import (
    Alert,
    Bulletin,
    CoordinationCase,
    FaqEntry,
    Finding,
    Inspection,
    Rectification,
    Sanction,
)
from pilot.machines import declared

MACHINES = {
    Alert: {("open", "clear", "cleared")},
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
    FaqEntry: {
        ("drafted", "publish", "published"),
        ("drafted", "withdraw", "withdrawn"),
        ("published", "withdraw", "withdrawn"),
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
