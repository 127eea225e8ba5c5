"""The inbox by standing of the reports, and urging those who owe one (催报)."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from django.urls import reverse

from assessment.pages import inbox as page
from assessment.selectors.reports import STANDINGS
from assessment.services import report_urges
from pilot import clock
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry, Notice, Programme
from pilot.registry import pages_of
from pilot.views.listing import rows_for
from pilot.workflow import fire
from tests.applications.builders import client_of
from tests.assessment import builders
from tests.factories import world

pytestmark = pytest.mark.django_db


def inbox_of(staff: builders.Desk, programme: Programme, standing: str) -> page.InboxPage:
    return page.page(staff.officer, programme, now=clock.now(), standing=standing)


@pytest.fixture(scope="module")
def standings(staff: builders.Desk) -> None:
    """On 6 May: 广东 returned, 广西 nil, 新疆 nil and late, everybody else overdue."""
    builders.recommended(staff)
    builders.begin_review()
    report = builders.sent(staff)
    builders.sent(builders.desk(45), nil=True)
    world.at("2019-05-06 09:00")
    fire(report, "return_to_bureau", actor=staff.officer, reason="请核对")
    builders.sent(builders.desk(65), nil=True)


@pytest.mark.parametrize(
    ("standing", "provinces", "urged"),
    [
        ("", 31, 29),
        ("missing", 29, 29),
        ("overdue", 28, 28),
        ("returned", 1, 1),
        ("nil", 2, None),
        ("late", 1, None),
    ],
)
def test_filters_show_what_the_list_of_reports_shows(
    standings: None, staff: builders.Desk, programme: Programme, standing: str, provinces: int, urged: int
) -> None:
    world.at("2019-05-06 09:00")
    asked = inbox_of(staff, programme, standing)
    assert asked.table is not None
    rows = asked.table.rows[:-1]
    listed = rows_for(pages_of("provincial-report"), staff.officer, QueryDict(f"standing={standing}"))
    assert sorted(row.url for row in rows) == sorted(
        reverse("provincial-report_detail", args=[report.pk]) for report in listed
    )
    assert (len(rows), asked.batch and asked.batch.total) == (provinces, urged)
    assert [tab.label for tab in asked.tabs] == [
        "全部 31", "未报送 29", "逾期未报送 28", "已退回 1", "零报告 2", "逾期报送 1",
    ]  # fmt: skip
    assert [tab.current for tab in asked.tabs].index(True) == ["", *STANDINGS].index(standing)


def test_one_act_urges_all_that_are_late_once_a_day(
    standings: None, staff: builders.Desk, programme: Programme
) -> None:
    world.at("2019-05-06 09:00")
    shanghai = world.bureau(Role.BUREAU_LEAD, 31)
    Notice.objects.all().delete()
    asked = inbox_of(staff, programme, "overdue")
    assert asked.batch is not None
    url = asked.batch.buttons[0].url
    client = client_of(staff.officer)
    page_of = client.get(f"{reverse('report_inbox')}?standing=overdue")
    assert page_of.content.decode().count('name="pick"') == 28
    preview = client.post(url, {"all": "1"})
    assert preview.context["page"].count == 28
    picked = {"pick": preview.context["page"].picked, "confirmed": "1"}
    answer = client.post(url, picked, follow=True)
    # Nobody works in the other 27 bureaus; that is told, bureau by bureau.
    assert "催报：成功 1，失败 27" in answer.content.decode()
    report = builders.report_of(31)
    assert list(Notice.objects.values_list("person", "subject", "url")) == [
        (shanghai.person_id, "HZ-2019-31-1 · 催报汇总表", f"/cases/provincial-report/{report.pk}/")
    ]
    entry = AuditEntry.objects.get(action="provincial-report.urge")
    assert (entry.person_id, entry.object_id, entry.detail) == (
        staff.officer.person_id,
        str(report.pk),
        {"told": 1},
    )
    with pytest.raises(Refused, match=r"^今天已向该局催报，明天可再次催报$"):
        report_urges.urge(case=report, actor=staff.officer)
    world.at("2019-05-07 00:00")
    report_urges.urge(case=report, actor=staff.officer)
    assert Notice.objects.count() == 2
    with pytest.raises(Refused, match=r"^该局已报送，无需催报$"):
        report_urges.urge(case=builders.report_of(45), actor=staff.officer)
    with pytest.raises(Refused, match=r"^该局没有可以通知的人员$"):
        report_urges.urge(case=builders.report_of(32), actor=staff.officer)
    for actor in (staff.approver, staff.lead):
        with pytest.raises(NotPermitted):
            report_urges.urge(case=report, actor=actor)
    assert client_of(staff.approver).post(url, picked).status_code == 404
