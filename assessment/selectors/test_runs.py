"""Test runs as pages and reports read them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from assessment.models import CapabilityAssessment, TestResult, TestRun
from assessment.rules import test_runs as rules
from pilot.actors import Actor


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a result file came to: counts, and both rates in words with their exact intervals."""

    counts: rules.Counts
    false_accepts: str
    false_rejects: str


def visible(actor: Actor) -> QuerySet[TestRun]:
    """The runs this actor may know of, newest first."""
    runs: QuerySet[TestRun] = TestRun.objects.visible_to(actor)
    return runs.select_related("application__provider", "assessment", "result").order_by("-pk")


def of_assessment(assessment: CapabilityAssessment) -> list[TestRun]:
    """The runs of one assessment in order."""
    runs: QuerySet[TestRun] = TestRun.unscoped.filter(assessment=assessment)
    return list(runs.select_related("result").order_by("number"))


def result_of(run: TestRun) -> TestResult | None:
    """The result handed in, if any."""
    return getattr(run, "result", None)


def counts_of(run: TestRun) -> rules.Counts | None:
    """What was counted in a result; None until it came."""
    result = result_of(run)
    return rules.Counts(**result.counts) if result else None


def outcome(run: TestRun) -> Outcome | None:
    """The figures of a run; None until its result came."""
    counts = counts_of(run)
    if counts is None:
        return None
    return Outcome(
        counts,
        rules.shown(rules.false_accept_rate(counts)),
        rules.shown(rules.false_reject_rate(counts)),
    )
