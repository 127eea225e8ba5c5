"""The ministry's inbox of reports: 31 rows in the official order, their sum, and a bounded number of queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessment.pages import inbox as page
from assessment.selectors import inbox
from assessment.services import report_urges
from assessment.services.reports import open_supplement
from assessment.tasks import remind_bureaus
from pilot import clock
from pilot.models import AuditEntry, Notice, Programme
from pilot.registry import pages_of
from pilot.selectors import people
from pilot.ui import Link, Row, Tag
from pilot.views.listing import rows_for
from pilot.workflow import fire
from tests.applications.builders import client_of, submitted
from tests.assessment import builders
from tests.factories import world
from tests.factories.audited import audited

pytestmark = pytest.mark.django_db

# GB/T 2260: the order of official lists.
OFFICIAL = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41,
    42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65,
]  # fmt: skip
NONE = {"recommended": 0, "not_recommended": 0, "submitted": 0, "accepted": 0}


def rows_of(staff: builders.Desk, programme: Programme) -> list[inbox.InboxRow]:
    return inbox.rows(staff.officer, programme, now=clock.now())


def inbox_of(staff: builders.Desk, programme: Programme, standing: str = "") -> page.InboxPage:
    return page.page(staff.officer, programme, now=clock.now(), standing=standing)


def shown(staff: builders.Desk, programme: Programme, standing: str = "") -> list[Row]:
    table = inbox_of(staff, programme, standing).table
    assert table is not None
    return list(table.rows)


def text(cell: Any) -> str:
    return str(cell.label) if isinstance(cell, Tag | Link) else "" if cell is None else str(cell)


def province(staff: builders.Desk, programme: Programme, code: int) -> list[str]:
    """State, version, reports, recommended, not, nil and time limit of a province as shown."""
    cells = [text(cell) for cell in shown(staff, programme)[OFFICIAL.index(code)].cells]
    return [*cells[1:7], cells[8]]


def test_before_review_nothing_is_there_and_all_provinces_are(
    staff: builders.Desk, programme: Programme
) -> None:
    found = rows_of(staff, programme)
    assert [int(row.province) for row in found] == OFFICIAL
    assert {(row.report, row.reports, row.overdue) for row in found} == {(None, 0, False)}
    # From Friday 12 April: 2 working days until review, 11 more until Tuesday 30 April (28 April is worked).
    assert province(staff, programme, 44) == ["未建立", "", "0", "0", "0", "", "剩余 13 个工作日"]


def test_each_state_of_a_report_is_told_in_words(staff: builders.Desk, programme: Programme) -> None:
    builders.recommended(staff)
    builders.not_recommended(staff)
    builders.begin_review("2019-04-29 09:00")
    assert province(staff, programme, 44) == ["待报送", "", "0", "0", "0", "", "剩余 1 个工作日"]
    report = builders.sent(staff)
    assert province(staff, programme, 44) == ["已报送", "1", "1", "1", "1", "", ""]
    fire(report, "return_to_bureau", actor=staff.officer, reason="请核对")
    # Five working days for the correction; 1 to 3 May are off, 5 May is a worked Sunday.
    assert province(staff, programme, 44) == ["已退回", "1", "1", "0", "0", "", "剩余 5 个工作日"]
    fire(builders.sent(staff), "receive", actor=staff.officer)
    assert province(staff, programme, 44) == ["部已接收", "2", "1", "1", "1", "", ""]
    elsewhere = builders.desk(45)
    builders.sent(elsewhere, nil=True)
    assert province(staff, programme, 45) == ["已报送", "1", "1", "0", "0", "零报告", ""]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("2019-04-30 23:59", "剩余 0 个工作日"),
        ("2019-05-01 00:00", "已逾期"),  # the first working day after is Sunday 5 May
        ("2019-05-05 09:00", "逾期 1 个工作日"),
        ("2019-05-06 09:00", "逾期 2 个工作日"),
    ],
)
def test_days_left_and_overdue(staff: builders.Desk, programme: Programme, when: str, words: str) -> None:
    builders.begin_review()
    world.at(when)
    assert province(staff, programme, 11) == ["待报送", "", "0", "0", "0", "", words]
    assert sum(row.overdue for row in rows_of(staff, programme)) == (0 if words.startswith("剩余") else 31)


def test_a_report_that_came_late_stays_marked(staff: builders.Desk, programme: Programme) -> None:
    builders.begin_review()
    world.at("2019-05-05 09:00")
    builders.sent(staff, nil=True)
    assert province(staff, programme, 44) == ["已报送", "1", "1", "0", "0", "零报告", "逾期报送"]


def test_a_supplement_adds_to_the_counts_of_its_province(staff: builders.Desk, programme: Programme) -> None:
    builders.recommended(staff)
    waiting = submitted(world.provider())
    builders.begin_review()
    builders.received(staff)
    fire(waiting, "accept", actor=staff.reviewer)
    builders.signed(waiting, staff, builders.NOT_MET)
    open_supplement(bureau=people.bureau_of(44), actor=staff.lead)
    assert province(staff, programme, 44)[:5] == ["待报送", "", "1", "1", "0"]
    builders.sent(staff)
    assert province(staff, programme, 44)[:5] == ["已报送", "1", "2", "1", "1"]


def test_the_sum_is_that_of_the_rows_and_numbers_open_what_they_count(
    staff: builders.Desk, programme: Programme
) -> None:
    builders.recommended(staff)
    for code in (44, 45, 45, 65):
        submitted(world.provider(code))
    builders.accepted(builders.desk(65))
    builders.begin_review()
    builders.sent(staff)
    *rows, total = shown(staff, programme)
    for place in (3, 4, 5, 9, 10):
        summed = sum(int(text(row.cells[place])) for row in rows)
        assert int(text(total.cells[place])) == summed
    assert [text(total.cells[place]) for place in (3, 4, 5, 9, 10)] == ["1", "1", "0", "4", "1"]
    client, applications = client_of(staff.officer), pages_of("application")
    links = [cell for row in [*rows, total] for cell in row.cells if isinstance(cell, Link)]
    assert len(links) == 6
    for link in links:
        request = client.get(link.url)
        assert request.status_code == 200
        counted = rows_for(applications, staff.officer, request.wsgi_request.GET).count()
        assert str(counted) == link.label


def test_a_returned_first_report_stands_before_the_supplement_already_sent(
    staff: builders.Desk, programme: Programme
) -> None:
    builders.recommended(staff)
    waiting = submitted(world.provider())
    builders.begin_review()
    first = builders.sent(staff)
    fire(waiting, "accept", actor=staff.reviewer)
    builders.signed(waiting, staff)
    open_supplement(bureau=people.bureau_of(44), actor=staff.lead)
    builders.sent(staff)
    fire(first, "return_to_bureau", actor=staff.officer, reason="请核对")
    row = rows_of(staff, programme)[OFFICIAL.index(44)]
    assert (row.report, row.arrived, row.is_("returned")) == (first, False, True)


def test_bureaus_are_reminded_two_working_days_before_and_when_it_is_over(
    staff: builders.Desk, programme: Programme
) -> None:
    builders.begin_review()
    elsewhere = builders.desk(45)
    Notice.objects.all().delete()
    builders.sent(elsewhere, nil=True)
    Notice.objects.all().delete()
    people_of = {staff.reviewer.person_id, staff.lead.person_id}

    def told(when: str) -> tuple[dict[str, int], list[str]]:
        at = world.at(when)
        Notice.objects.all().update(subject="")
        done = report_urges.remind(at=at)
        fresh = Notice.objects.exclude(subject="")
        assert set(fresh.values_list("person", flat=True)) <= people_of
        return done, sorted(fresh.values_list("subject", flat=True))

    # Due by the end of Tuesday 30 April; Sunday 28 April is worked.
    assert told("2019-04-27 23:59") == ({}, [])
    assert told("2019-04-28 00:00") == ({"reminder": 1}, ["HZ-2019-44-1 · 汇总报送期限将至"] * 2)
    assert told("2019-04-29 09:00") == ({}, [])
    assert told("2019-04-30 23:59") == ({}, [])
    assert told("2019-05-01 00:00") == ({"overdue": 1}, ["HZ-2019-44-1 · 汇总报送已逾期"] * 2)
    assert (remind_bureaus(), told("2019-05-06 09:00")) == ({}, ({}, []))
    # A report returned has a new end, of which people are told anew.
    fire(builders.sent(staff, nil=True), "return_to_bureau", actor=staff.officer, reason="请核对")
    assert told("2019-05-08 23:59") == ({}, [])
    assert told("2019-05-10 00:00") == ({"reminder": 1}, ["HZ-2019-44-1 · 汇总报送期限将至"] * 2)
    actions = AuditEntry.objects.filter(object_id=str(builders.report_of().pk), person_id=None)
    assert audited("provincial-report.overdue")[:3] == ("done", None, "provincialreport")
    assert list(actions.filter(action__endswith="er").values_list("action", flat=True)) == (
        ["provincial-report.reminder"] * 2
    )


def test_the_page_is_the_ministrys_with_an_entry_in_its_menu(
    staff: builders.Desk, programme: Programme
) -> None:
    builders.begin_review()
    url = reverse("report_inbox")
    answer = client_of(staff.officer).get(url)
    assert (answer.status_code, answer.content.decode().count(f'href="{url}"')) == (200, 2)
    report = reverse("provincial-report_detail", args=[builders.report_of(44).pk])
    assert f'href="{report}"' in answer.content.decode()
    assert client_of(staff.approver).get(url).status_code == 200
    for actor in (staff.lead, staff.reviewer, world.provider(), world.assessor()):
        assert client_of(actor).get(url).status_code == 403


def test_queries_do_not_grow_with_the_reports(staff: builders.Desk, programme: Programme) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page.page(staff.officer, programme, now=clock.now())
        return len(captured)

    none = queries()
    builders.recommended(staff)
    builders.begin_review()
    builders.sent(staff)
    builders.sent(builders.desk(45), nil=True)
    assert (none, queries()) == (14, 14)
