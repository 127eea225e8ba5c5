"""Jobs of review and assessment: ids in, one service call each, safe beside a second worker."""

from __future__ import annotations

from celery import shared_task

from assessment.services import lists, report_urges, reports
from pilot.actors import Actor
from pilot.errors import NotReady
from pilot.selectors import programmes


@shared_task
def open_reports() -> int:
    """Begin the provincial reports once review has begun; returns how many were new (none without a programme)."""
    try:
        programme = programmes.current()
    except NotReady:
        return 0
    return len(reports.open_reports(programme=programme, actor=Actor.system("open_reports")))


@shared_task
def remind_bureaus() -> dict[str, int]:
    """Tell bureaus whose report is due soon or overdue; returns how many of each."""
    return report_urges.remind()


@shared_task
def make_letters(list_id: int) -> int:
    """Write the letters of a published list that are still missing; returns how many."""
    return lists.write_letters(list_id=list_id)
