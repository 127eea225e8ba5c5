"""What happened in the whole run phase, counted for the final report; every answer is a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from filings.enums import FaqState, InspectionState
from filings.models import (
    CoordinationCase,
    FaqEntry,
    Finding,
    Inspection,
    InspectionItem,
    NationalCheck,
    NationalReceipt,
    Rectification,
    Sanction,
    VerificationForm,
)
from pilot.models import PilotUnit, Programme

type Table = dict[str, dict[str, int]]  # of a kind, how many cases stand in which state
MOST_CAUSES: Final = 20


def listed(programme: Programme) -> dict[int, int]:
    """How many pilot units each province has on the register."""
    rows = PilotUnit.unscoped.filter(programme=programme).order_by().values_list("province")
    return dict(rows.annotate(number=Count("pk")))


def by_state(rows: QuerySet[Any], kind: str) -> Table:
    """Cases counted by a column of theirs and their state."""
    table: Table = defaultdict(dict)
    counted = rows.order_by().values_list(kind, "state").annotate(number=Count("pk"))
    for name, state, number in counted:
        table[name][state] = number
    return dict(table)


def findings(units: Iterable[int]) -> Table:
    """Findings by source and state."""
    return by_state(Finding.unscoped.filter(unit__in=units), "source")


def causes(units: Iterable[int]) -> list[list[Any]]:
    """The causes that units named for findings that stand: unit, words, findings; most first, at most 20."""
    rows = Finding.unscoped.filter(unit__in=units, cause__isnull=False).exclude(state="overturned")
    counted = (
        rows.order_by()
        .values_list("unit__organisation__name", "cause__text")
        .annotate(number=Count("pk"))
        .order_by("-number", "cause")
    )
    return [list(row) for row in counted[:MOST_CAUSES]]


def without_cause(units: Iterable[int]) -> int:
    """Findings that stand and for which no cause was named."""
    rows = Finding.unscoped.filter(unit__in=units, cause__isnull=True).exclude(state="overturned")
    return rows.count()


def inspections(units: Iterable[int]) -> dict[int, dict[str, int]]:
    """Per unit: inspections concluded, cancelled and under way; forms read, with an error of either kind."""
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(INSPECTION_COUNTS, 0))
    rows = Inspection.unscoped.filter(unit__in=units).order_by().values_list("unit", "state")
    for unit, state, number in rows.annotate(number=Count("pk")):
        ended = state in {InspectionState.CONCLUDED, InspectionState.CANCELLED}
        found[unit][state if ended else "running"] += number
    items = InspectionItem.unscoped.filter(
        inspection__unit__in=units, inspection__state=InspectionState.CONCLUDED
    )
    counted = (
        items.order_by()
        .values("inspection__unit")
        .annotate(
            read=Count("pk"),
            identity=Count("pk", filter=Q(identity_right=False)),
            other=Count("pk", filter=~Q(identity_right=False) & Q(form_right=False)),
        )
    )
    for row in counted:
        found[row.pop("inspection__unit")] |= row
    return dict(found)


INSPECTION_COUNTS: Final = ("concluded", "cancelled", "running", "read", "identity", "other")


def rectifications(units: Iterable[int]) -> dict[str, int]:
    """Rectification orders by state."""
    rows = Rectification.unscoped.filter(unit__in=units).order_by().values_list("state")
    return dict(rows.annotate(number=Count("pk")))


def sanctions(units: Iterable[int]) -> Table:
    """Sanctions by kind and state."""
    return by_state(Sanction.unscoped.filter(unit__in=units), "kind")


def coordination(units: Iterable[int]) -> Table:
    """Coordination cases by category and state."""
    return by_state(CoordinationCase.unscoped.filter(unit__in=units), "category")


def published_answers(units: Iterable[int]) -> int:
    """Questions and answers made of these units' cases that everyone can read."""
    return FaqEntry.unscoped.filter(source__unit__in=units, state=FaqState.PUBLISHED).count()


def national(units: Iterable[int]) -> dict[int, dict[str, int]]:
    """Per unit: stored forms, those the national system acknowledged, answers that did not pass, its own checks."""
    keys = list(units)
    found = {unit: dict.fromkeys(NATIONAL_COUNTS, 0) for unit in keys}
    receipts = NationalReceipt.unscoped.filter(form=OuterRef("pk"), stored=True)
    forms = VerificationForm.unscoped.filter(unit__in=keys)
    refused = NationalReceipt.unscoped.filter(
        Q(passed=False) | Q(passed__isnull=True, stored=False), unit__in=keys, expects_form=True
    )
    for name, rows in (
        ("forms", forms),
        ("acknowledged", forms.filter(Exists(receipts))),
        ("not_passed", refused),
        ("checks", NationalCheck.unscoped.filter(unit__in=keys)),
    ):
        for unit, number in rows.order_by().values_list("unit").annotate(number=Count("pk")):
            found[unit][name] = number
    return found


NATIONAL_COUNTS: Final = ("forms", "acknowledged", "not_passed", "checks")
