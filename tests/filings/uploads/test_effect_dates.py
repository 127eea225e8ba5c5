"""From the effect date of a sanction on forms are refused by when they were collected, whenever they come in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from filings.models import VerificationForm
from filings.selectors.contexts import unit_context
from filings.services import figures
from pilot.enums import Province, WindowKind
from pilot.selectors import programmes
from pilot.selectors import register as registered
from pilot.services import register
from tests.factories import world

pytestmark = pytest.mark.django_db


def at_the_edge(made: Any, effect: Any) -> list[dict[str, Any]]:
    """Two forms: one collected a second before the effect, one at its very moment."""
    rows = made(2)
    for row, collected in zip(rows, (effect - timedelta(seconds=1), effect), strict=True):
        moment = collected.isoformat()
        row["collected_at"] = moment
        for check in ("compare_supplied_cert", "compare_authority_db"):
            row[check]["at"] = moment
        row["verifier_promise_at"] = moment
    return rows


@pytest.mark.parametrize("kind", ["suspended", "removed"])
def test_what_was_collected_before_is_taken_and_what_came_after_is_not(
    unit: Any, made: Any, hand_in: Any, codes: Any, kind: str
) -> None:
    effect = world.moment("2019-06-20 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind=kind, start=effect, reason="CZ（示例）")
    job = hand_in(*at_the_edge(made, effect), received="2019-06-25 12:00")
    assert (job.accepted, codes(job)) == (1, [(2, ["unit.not_active"])])
    context = unit_context(unit, job.received_at)
    assert (context.run_opens, context.run_closes) == programmes.window(unit.programme, WindowKind.RUN)
    assert (list(context.active), context.frozen_from) == (
        registered.active_ranges(unit),
        effect if kind == "removed" else None,
    )
    listed = [(entry.province, entry.filing_type, entry.opens, entry.closes) for entry in context.scope]
    expected = [(Province(code).code6, *rest) for code, *rest in registered.scopes(unit)]
    assert sorted(listed, key=repr) == sorted(expected, key=repr)
    # A suspended unit's earlier forms count; a removed unit's figures are frozen: kept, marked late, counted nowhere.
    form = VerificationForm.unscoped.get()
    counts = figures.from_numbers(figures.compute_results(unit=unit, period="to-date").counts)
    assert (form.late, counts.pending, counts.late) == (
        (False, 1, 0) if kind == "suspended" else (True, 0, 1)
    )


def test_a_removal_that_is_annulled_freezes_nothing(unit: Any, made: Any, hand_in: Any) -> None:
    effect = world.moment("2019-06-20 00:00")
    register.set_status(actor=world.SETUP, unit=unit, kind="removed", start=effect, reason="CZ（示例）")
    register.annul_status(
        actor=world.SETUP, unit=unit, kind="removed", start=world.moment("2019-06-24 00:00"), reason="示例"
    )
    job = hand_in(*at_the_edge(made, effect)[:1], received="2019-06-25 12:00")
    assert (job.accepted, VerificationForm.unscoped.get().late) == (1, False)
