"""The nightly recount: every unit's figures from the forms, held against the buckets, and what has to be told."""

from __future__ import annotations

from filings.accuracy.counting import Counts
from filings.accuracy.thresholds import Threshold
from filings.periods import EVER, Period
from filings.services import figures
from pilot import clock
from pilot.actors import Actor
from pilot.models import AuditEntry, Notice, PilotUnit
from pilot.rules import local_day
from pilot.selectors import people, programmes
from pilot.services import audit

JOB = "nightly-recount"


def recount_everything() -> int:
    """Append this month's, last month's and the to-date result of every unit; returns how many rows were appended.

    Buckets that differ from the forms raise an alert, and so does a share of undeterminable comparisons above the
    programme's limit.
    """
    this_month = Period.month_of(local_day(clock.now()))
    periods = [this_month.previous_month(), this_month, EVER]
    appended = 0
    for unit in PilotUnit.unscoped.select_related("programme", "organisation").order_by("pk"):
        for period in periods:
            result = figures.compute_results(unit=unit, period=period.name)
            appended += 1
            # A writer between the two readings is no fault: only a difference found twice is one.
            if not (_agrees(unit, period) or _agrees(unit, period)):
                _alert(unit, "figures.contradiction", f"{unit.code} {period.name} 的逐日累计与重算结果不一致")
        _check_undeterminable(unit, figures.from_numbers(result.counts))
    return appended


def _agrees(unit: PilotUnit, period: Period) -> bool:
    return figures.summed(unit=unit, period=period) == figures.count(unit=unit, period=period)


def _check_undeterminable(unit: PilotUnit, counts: Counts) -> None:
    permille = programmes.rule(unit.programme, "undeterminable_alert_permille")
    if permille is None:
        return
    if Threshold(allowed=permille, per=1_000).met(counts.undeterminable, counts.m2_n) is False:
        _alert(unit, "figures.undeterminable", f"{unit.code} 无法判定的核验单占比超过 {permille}‰")


def _alert(unit: PilotUnit, action: str, subject: str) -> None:
    """An audit row, and a notice to the ministry unless the same one is still unread."""
    audit.record(action=action, actor=Actor.system(JOB), outcome=AuditEntry.Outcome.FAILED, subject=unit)
    source = f"{action}:{unit.pk}"
    told = set(Notice.objects.filter(source=source, read_at__isnull=True).values_list("person", flat=True))
    now = clock.security_now()
    Notice.objects.bulk_create(
        Notice(
            person=member.person,
            subject=subject,
            url=f"/units/{unit.code}/",
            at=clock.now(),
            visible_from=now,
            source=source,
        )
        for member in people.ministry()
        if member.person_id not in told
    )
