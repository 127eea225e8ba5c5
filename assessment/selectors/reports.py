"""Reads around the provincial report: what is still to report, what stands on a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from applications.enums import ApplicationState
from applications.models import Application
from assessment.enums import OpinionState, ReportState
from assessment.models import ProvincialReport, ReportLine
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Province, WindowKind
from pilot.machines import NOTHING
from pilot.models import Programme
from pilot.selectors import programmes

REVIEWED = (ApplicationState.RECOMMENDED, ApplicationState.NOT_RECOMMENDED)


def sent_lines() -> QuerySet[ReportLine]:
    """The lines that count: of the current version of every report that is sent or received."""
    return ReportLine.unscoped.filter(
        report__state__in=[ReportState.SENT, ReportState.RECEIVED], version=F("report__version")
    )


def current_lines(report: ProvincialReport) -> QuerySet[ReportLine]:
    """The lines of the version a report stands at, in the order of the list."""
    lines: QuerySet[ReportLine] = ReportLine.unscoped.filter(report=report, version=report.version)
    return lines.select_related("application__provider").order_by("position")


def _of_province(programme: Programme | int, province: int) -> Q:
    return Q(programme=programme, province=province)


def reportable(report: ProvincialReport) -> QuerySet[Application]:
    """The reviewed applications of the province that stand on no sent or received report, in order of number."""
    on_a_report = Exists(sent_lines().filter(application=OuterRef("pk")))
    applications: QuerySet[Application] = Application.unscoped.filter(
        ~on_a_report, _of_province(report.programme_id, report.province), state__in=REVIEWED
    )
    return applications.select_related("provider").order_by("acceptance_number", "pk")


def unreviewed(report: ProvincialReport) -> QuerySet[Application]:
    """The accepted applications of the province whose opinion is not signed yet."""
    applications: QuerySet[Application] = Application.unscoped.filter(
        _of_province(report.programme_id, report.province), state=ApplicationState.ACCEPTED
    )
    return applications.order_by("acceptance_number", "pk")


def first_due(programme: Programme, *, known: Mapping[date, bool] | None = None) -> datetime | None:
    """Until when every bureau is to report first; None where the programme sets no time.

    Working days from the first day of review, which counts. ``known``: the programme's calendar, if it has been read.
    """
    opens, _closes = programmes.window(programme, WindowKind.REVIEW)
    return _due(programme, start=opens - timedelta(microseconds=1), known=known)


def due(report: ProvincialReport) -> datetime | None:
    """Until when the bureau is to report: a supplement within as many days from the day after it was begun."""
    if report.sequence == 1:
        return first_due(report.programme)
    return _due(report.programme, start=report.opened_at)


def _due(
    programme: Programme, *, start: datetime, known: Mapping[date, bool] | None = None
) -> datetime | None:
    days: Any = programmes.rule(programme, "bureau_report_days")
    if days is None:
        return None
    return programmes.deadline(programme, start=start, days=days, known=known)


STANDINGS: Final[dict[str, Callable[[], Q]]] = {
    "missing": lambda: Q(state=ReportState.OPEN),
    "overdue": lambda: Q(state=ReportState.OPEN, due_at__lte=clock.now()),
    "returned": lambda: Q(state=ReportState.OPEN, version__gt=0),
    "nil": lambda: Q(nil=True, version__gt=0),
    "late": lambda: Q(late=True),
}


def standing(value: str, actor: Actor) -> Q:
    """The filter of the list of reports: still to come, of these late, of these returned; nil returns; came late."""
    return STANDINGS[value]() if value in STANDINGS else NOTHING


def missing(programme: Programme, *, at: datetime) -> tuple[frozenset[int], int]:
    """The provinces that owe a report (one is open, or none was ever begun), and how many are late. One query."""
    rows = ProvincialReport.unscoped.filter(programme=programme).values_list("province", "state", "due_at")
    owing, begun, late = set(), set(), 0
    for province, state, due_at in rows:
        begun.add(province)
        if state == ReportState.OPEN:
            owing.add(province)
            late += due_at is not None and due_at <= at
    return frozenset(owing | (set(Province.values) - begun)), late


def open_report(programme: Programme, province: int) -> ProvincialReport | None:
    """The report a bureau has to send now."""
    report: ProvincialReport | None = ProvincialReport.unscoped.filter(
        _of_province(programme, province), state=ReportState.OPEN
    ).first()
    return report


def due_of_opinions() -> Case:
    """Annotation of opinions: until when the open report of the bureau is to be sent, while they are not signed."""
    open_reports = ProvincialReport.unscoped.filter(
        programme=OuterRef("application__programme"),
        province=OuterRef("province"),
        state=ReportState.OPEN,
    )
    unsigned = [OpinionState.PENDING, OpinionState.DRAFTED]
    return Case(When(state__in=unsigned, then=Subquery(open_reports.values("due_at")[:1])))


def versions_of(report: ProvincialReport, *numbers: int) -> list[list[dict[str, Any]]]:
    """The frozen lines of several versions of a report, each in the order of its list. One query."""
    lines: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
    found = ReportLine.unscoped.filter(report=report, version__in=numbers).order_by("version", "position")
    for version, snapshot in found.values_list("version", "snapshot"):
        lines[version].append(snapshot)
    return list(lines.values())
