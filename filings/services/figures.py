"""The figures of pilot units: counted from the forms, judged by the programme's thresholds, kept as results."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from filings.accuracy import thresholds
from filings.accuracy.counting import COUNT_NAMES, Counts
from filings.accuracy.thresholds import Threshold
from filings.models import (
    AccuracyResult,
    Determination,
    Finding,
    FoldMark,
    Inspection,
    VerificationForm,
)
from filings.periods import Period
from filings.rules import RULE_VERSION
from filings.selectors import counting, rollups
from filings.selectors.targets import Targets, targets
from filings.services import charts
from pilot import clock
from pilot.errors import Refused
from pilot.models import PilotUnit, TransitionRecord
from pilot.rules import SHANGHAI


def read_period(text: str) -> Period:
    """The period of this name; raises :class:`Refused` in words for anything else."""
    try:
        return Period.parse(text)
    except ValueError:
        raise Refused(_("期间应为 2019-06、2019-06-18 或 to-date 的形式")) from None


def figures(
    *, unit: PilotUnit, period: str, at: datetime | None = None, recount: bool = True
) -> dict[str, Any]:
    """The figures of one unit over one period, in the shape of the command ``accuracy`` (design.md, section 6).

    Counted from the forms; with ``recount=False`` from the daily buckets and what waits to be folded into them.
    ``at`` leaves out what was received from that moment on (comparisons and findings count as they stand now) and is
    always a recount. Raises :class:`Refused` for an unknown period.
    """
    span = read_period(period)
    counts = count(unit=unit, period=span, before=at) if recount or at else summed(unit=unit, period=span)
    return shape(unit=unit, period=span, counts=counts, as_of=at or clock.now())


def count(*, unit: PilotUnit, period: Period, before: datetime | None = None) -> Counts:
    """Count one unit's period from the forms and from what was turned away at the door."""
    chains = counting.tallies(units=[unit.pk], period=period, before=before)[()].counts
    return chains + _at_the_door(unit, period, before)


def summed(*, unit: PilotUnit, period: Period) -> Counts:
    """The same counts from the daily buckets, at the cost of the days."""
    chains = rollups.summed(rollups.of_unit(unit.pk, period))[()].counts
    return chains + _at_the_door(unit, period)


def _at_the_door(unit: PilotUnit, period: Period, before: datetime | None = None) -> Counts:
    refused, duplicates = counting.at_the_door(units=[unit.pk], period=period, before=before)[unit.pk]
    return Counts(refused=refused, duplicates=duplicates)


def shape(
    *, unit: PilotUnit, period: Period, counts: Counts, as_of: datetime, asked: Targets | None = None
) -> dict[str, Any]:
    """Put counts into the public shape; ``met`` is None and ``shown`` is ``--`` where nothing was counted.

    ``asked``: what is asked of the period, where the caller has read it.
    """
    m1, m2 = asked or targets(unit.programme, period)
    return {
        "unit": unit.code,
        "period": period.name,
        "as_of": as_of.astimezone(SHANGHAI).isoformat(timespec="seconds"),
        "rule_version": RULE_VERSION,
        "m1": judged(counts.m1_errors, counts.m1_n, m1),
        "m2": judged(counts.m2_errors, counts.m2_n, m2),
        "pending": counts.pending,
        "undeterminable": counts.undeterminable,
        "refused": counts.refused,
        "duplicates": counts.duplicates,
        "late": counts.late,
    }


def judged(errors: int, n: int, threshold: Threshold) -> dict[str, Any]:
    """One figure: whole numbers, whether the threshold is met, and the truncated percentage."""
    return {"n": n, "errors": errors, "met": threshold.met(errors, n), "shown": thresholds.shown(errors, n)}


def demanded(threshold: Threshold) -> str:
    """What a threshold demands, as printed: ≥99.95%, 100%."""
    number = thresholds.percent(charts.ppm_of(threshold)).rstrip("%").rstrip("0").rstrip(".")
    return f"≥{number}%" if threshold.allowed else f"{number}%"


@transaction.atomic
def compute_results(*, unit: PilotUnit, period: str) -> AccuracyResult:
    """Count a period afresh and append the result: counts, errors, and the marks up to which it counted."""
    span = read_period(period)
    marks = _marks(unit)  # taken first: the result holds at least what they name
    tally, errors = counting.tally_with_errors(unit=unit.pk, period=span)
    return AccuracyResult.unscoped.create(
        unit=unit,
        period=span.name,
        rule_version=RULE_VERSION,
        counts=as_numbers(tally.counts + _at_the_door(unit, span)),
        errors=errors,
        marks=marks,
        as_of=clock.now(),
    )


def as_numbers(counts: Counts) -> dict[str, int]:
    """The counts as plain integers, for a JSON column."""
    return {name: getattr(counts, name) for name in COUNT_NAMES}


def from_numbers(numbers: dict[str, int]) -> Counts:
    """The counts a JSON column holds."""
    return Counts(**numbers)


def _marks(unit: PilotUnit) -> dict[str, int]:
    """How far everything that bears on a unit's chains has been written."""
    findings = Finding.unscoped.filter(unit=unit)
    inspections = Inspection.unscoped.filter(unit=unit)
    folds = FoldMark.objects.filter(unit=unit).values_list("number", flat=True)
    return {
        "fold": folds.first() or 0,
        "form": _highest(VerificationForm.unscoped.filter(unit=unit)),
        "determination": _highest(Determination.unscoped.filter(unit=unit)),
        "finding_step": _highest(_steps(Finding.slug(), findings.values("pk"))),
        "inspection_step": _highest(_steps(Inspection.slug(), inspections.values("pk"))),
    }


def _steps(machine: str, cases: Any) -> Any:
    return TransitionRecord.objects.filter(machine=machine, object_id__in=cases)


def _highest(rows: Any) -> int:
    return int(rows.aggregate(top=Max("pk"))["top"] or 0)
