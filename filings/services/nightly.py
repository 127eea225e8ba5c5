"""The nightly recount: every unit's figures from the forms, held against the buckets, and what has to be told."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from filings.periods import EVER, Period
from filings.selectors import counting
from filings.services import buckets, figures
from pilot import clock
from pilot.actors import Actor
from pilot.models import AuditEntry, Notice, PilotUnit
from pilot.rules import local_day
from pilot.selectors import people
from pilot.services import audit

JOB = "nightly-recount"
MOST_NAMED = 20  # wrong buckets that the audit row names


def recount_everything() -> int:
    """Append this month's, last month's and the to-date result of every unit; returns how many rows were appended.

    A unit whose buckets differ from its forms raises an alert and has them counted afresh; alerts of what the figures
    say are in :mod:`.alerts`.
    """
    this_month = Period.month_of(local_day(clock.now()))
    periods = [this_month.previous_month(), this_month, EVER]
    appended = 0
    for unit in PilotUnit.unscoped.select_related("programme", "organisation").order_by("pk"):
        for period in periods:
            figures.compute_results(unit=unit, period=period.name)
            appended += 1
    check_buckets()
    return appended


def check_buckets() -> None:
    """Hold every bucket, with what waits to be folded into it, against a recount of all forms."""
    units = PilotUnit.unscoped.in_bulk()
    wrong: dict[int, list[str]] = defaultdict(list)
    for unit_id, day, province, kind in counting.differences(units=sorted(units)):
        wrong[unit_id].append(f"{day} {province} {kind}")
    for unit_id, found in wrong.items():
        unit = units[unit_id]
        detail = {"buckets": len(found), "first": found[:MOST_NAMED]}
        _alert(
            unit, "figures.contradiction", f"{unit.code} 的逐日累计与重算结果不一致，已按重算结果更正", detail
        )
        buckets.rebuild(unit=unit)


def _alert(unit: PilotUnit, action: str, subject: str, detail: dict[str, Any]) -> None:
    """An audit row, and a notice to the ministry unless the same one is still unread."""
    audit.record(
        action=action,
        actor=Actor.system(JOB),
        outcome=AuditEntry.Outcome.FAILED,
        subject=unit,
        detail=detail,
    )
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
