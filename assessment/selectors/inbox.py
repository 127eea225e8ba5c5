"""The ministry's inbox of provincial reports: one row per province, whatever has come (汇总报送收件箱)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Count, Q, QuerySet

from applications.enums import ApplicationState
from applications.models import Application
from assessment.enums import ReportState
from assessment.models import ProvincialReport
from assessment.selectors import reports
from pilot import rules
from pilot.actors import Actor
from pilot.enums import Province
from pilot.models import Programme
from pilot.selectors import programmes


@dataclass(frozen=True, slots=True)
class InboxRow:
    """What stands with one province. Counts are of applicants on reports the ministry has.

    ``report`` is the one that is open, otherwise the newest.
    """

    province: Province
    report: ProvincialReport | None
    reports: int
    recommended: int
    not_recommended: int
    submitted: int  # handed in, not decided by the bureau
    accepted: int  # accepted, without a signed opinion
    due: datetime | None  # until when the bureau is to report; None once it has
    days_left: int | None  # working days until then, 0 on the last day, negative or 0 when overdue
    overdue: bool

    @property
    def arrived(self) -> bool:
        """Whether nothing is owed: every report begun was sent."""
        return self.report is not None and self.report.state != ReportState.OPEN

    def is_(self, standing: str) -> bool:
        """Whether the row answers one of ``reports.STANDINGS``; where no report was begun it is merely to come."""
        sent = self.report if self.report is not None and self.report.version else None
        return {
            "missing": not self.arrived,
            "overdue": self.overdue,
            "returned": sent is not None and not self.arrived,
            "nil": sent is not None and sent.nil,
            "late": sent is not None and sent.late,
        }[standing]


def rows(actor: Actor, programme: Programme, *, now: datetime) -> list[InboxRow]:
    """All provinces in the official order. The number of queries does not grow with the reports."""
    found: QuerySet[ProvincialReport] = ProvincialReport.objects.visible_to(actor).filter(programme=programme)
    by_province: dict[int, list[ProvincialReport]] = {}
    for report in found.order_by("province", "sequence"):
        by_province.setdefault(report.province, []).append(report)
    counts, waiting = _lines(programme), _waiting(actor)
    calendar = programmes.calendar(programme)
    first_due = reports.first_due(programme, known=calendar)

    @cache  # most have the same day in common
    def days_left(due: datetime) -> int:
        return _days_left(now, due, calendar)

    def row(province: Province) -> InboxRow:
        own = by_province.get(province, [])
        newest = next((each for each in own if each.state == ReportState.OPEN), own[-1] if own else None)
        due = _due(newest, first_due)
        return InboxRow(
            province=province,
            report=newest,
            reports=sum(report.version > 0 for report in own),  # those that have come at least once
            due=due,
            days_left=None if due is None else days_left(due),
            overdue=due is not None and now >= due,
            **counts.get(province, {"recommended": 0, "not_recommended": 0}),
            **waiting.get(province, {"submitted": 0, "accepted": 0}),
        )

    return [row(province) for province in Province]


def _due(newest: ProvincialReport | None, first_due: datetime | None) -> datetime | None:
    if newest is None:
        return first_due
    return newest.due_at if newest.state == ReportState.OPEN else None


def _days_left(now: datetime, due: datetime, calendar: Mapping[Any, bool]) -> int:
    last = rules.local_day(due - timedelta(microseconds=1))
    return rules.working_days_between(rules.local_day(now), last, calendar)


def _lines(programme: Programme) -> dict[int, dict[str, int]]:
    """Province → applicants on the reports the ministry has, by recommendation."""
    lines = reports.sent_lines().filter(report__programme=programme).order_by().values("report__province")
    counted = lines.annotate(
        recommended_lines=Count("pk", filter=Q(recommended=True)),
        other_lines=Count("pk", filter=Q(recommended=False)),
    )
    return {
        row["report__province"]: {
            "recommended": row["recommended_lines"],
            "not_recommended": row["other_lines"],
        }
        for row in counted
    }


def _waiting(actor: Actor) -> dict[int, dict[str, int]]:
    """Province → applications that no report can hold yet, counted as the list of applications shows them."""
    applications: QuerySet[Application] = Application.objects.visible_to(actor)
    counted = (
        applications.order_by()
        .values("province")
        .annotate(
            submitted=Count("pk", filter=Q(state=ApplicationState.SUBMITTED)),
            accepted=Count("pk", filter=Q(state=ApplicationState.ACCEPTED)),
        )
    )
    return {row["province"]: {"submitted": row["submitted"], "accepted": row["accepted"]} for row in counted}


def total(found: Iterable[InboxRow], name: str) -> int:
    """The sum of one of the counts over all provinces."""
    return sum(getattr(row, name) for row in found)
