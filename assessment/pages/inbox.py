"""The ministry's inbox of provincial reports as a page: 31 rows and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import ApplicationState
from assessment.enums import ReportState
from assessment.models import ProvincialReport
from assessment.selectors import inbox
from pilot.actors import Actor
from pilot.context import EXTRA
from pilot.models import Programme
from pilot.registry import Group
from pilot.ui import Column, Link, PlainPage, Row, Section, Tag

EXTRA.append((Group.REVIEW, "report_inbox", gettext_lazy("汇总报送收件箱"), "inbox"))


def page(actor: Actor, programme: Programme, *, now: datetime) -> PlainPage:
    """The inbox as this actor finds it at a moment of business time."""
    rows = inbox.rows(actor, programme, now=now)
    arrived = sum(
        row.report is not None and row.report.state in {ReportState.SENT, ReportState.RECEIVED}
        for row in rows
    )
    return PlainPage(
        title=_("汇总报送收件箱"),
        crumbs=[Link(_("首页"), reverse("home"))],
        intro=_("截至 %(at)s：%(all)s 个通信管理局中 %(arrived)s 个已报送，%(overdue)s 个逾期未报送")
        % {
            "at": f"{localtime(now):%Y-%m-%d %H:%M}",
            "all": len(rows),
            "arrived": arrived,
            "overdue": sum(row.overdue for row in rows),
        },
        sections=[
            Section(
                _("各省报送情况"),
                columns=_columns(),
                rows=[*(_row(row) for row in rows), _sum(rows)],
                note=_("同意推荐、不同意推荐为现行汇总表所列家数，退回后重新报送前不计"),
            )
        ],
        toolbar=[Link(_("全部汇总表"), reverse("provincial-report_list"), "file-stack")],
    )


def _columns() -> list[Column]:
    return [
        Column("province", _("省份")),
        Column("state", _("状态")),
        Column("version", _("版次"), "end"),
        Column("reports", _("汇总表份数"), "end"),
        Column("recommended", _("同意推荐"), "end"),
        Column("not_recommended", _("不同意推荐"), "end"),
        Column("nil", _("零报告")),
        Column("sent", _("报送时间")),
        Column("days", _("时限")),
        Column("submitted", _("待受理"), "end"),
        Column("accepted", _("已受理未审核"), "end"),
    ]


def _row(row: inbox.InboxRow) -> Row:
    report = row.report
    return Row(
        reverse("provincial-report_detail", args=[report.pk]) if report else "",
        [
            str(row.province.label),
            standing(report),
            report.version or None if report else None,
            row.reports,
            row.recommended,
            row.not_recommended,
            Tag(_("零报告"), "neutral") if report and report.version and report.nil else None,
            report.sent_at if report else None,
            days(row),
            _applications(row.submitted, state=ApplicationState.SUBMITTED, province=int(row.province)),
            _applications(row.accepted, state=ApplicationState.ACCEPTED, province=int(row.province)),
        ],
        marker="danger" if row.overdue else "",
    )


def _sum(rows: Sequence[inbox.InboxRow]) -> Row:
    cells = {
        "province": _("合计"),
        "reports": inbox.total(rows, "reports"),
        "recommended": inbox.total(rows, "recommended"),
        "not_recommended": inbox.total(rows, "not_recommended"),
        "submitted": _applications(inbox.total(rows, "submitted"), state=ApplicationState.SUBMITTED),
        "accepted": _applications(inbox.total(rows, "accepted"), state=ApplicationState.ACCEPTED),
    }
    return Row("", [cells.get(column.key) for column in _columns()])


def _applications(number: int, **query: str | int) -> Link | int:
    """A number that opens exactly the applications it counts."""
    return Link(f"{number:,}", f"{reverse('application_list')}?{urlencode(query)}") if number else 0


def standing(report: ProvincialReport | None) -> Tag:
    """How far a province's newest report is, in the ministry's words."""
    if report is None:
        return Tag(_("未建立"), "muted")
    if report.state == ReportState.OPEN:
        return Tag(_("已退回"), "warning") if report.version else Tag(_("填报中"), "neutral")
    return Tag(_("已报送"), "info") if report.state == ReportState.SENT else Tag(_("已接收"), "success")


def days(row: inbox.InboxRow) -> Tag | str | None:
    """Working days left or past; of a report that came late, that it did."""
    if row.overdue:
        past = -(row.days_left or 0)
        return Tag(_("逾期 %(n)s 个工作日") % {"n": past} if past else _("已逾期"), "danger")
    if row.days_left is not None:
        return _("剩余 %(n)s 个工作日") % {"n": row.days_left}
    return Tag(_("逾期报送"), "warning") if row.report and row.report.late else None
