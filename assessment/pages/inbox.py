"""The ministry's inbox of provincial reports as a page: 31 rows and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import ApplicationState
from assessment.enums import ReportState
from assessment.models import ProvincialReport
from assessment.pages import phases
from assessment.selectors import inbox, reports
from pilot import policy
from pilot.actors import Actor
from pilot.context import EXTRA
from pilot.models import Programme
from pilot.registry import Group
from pilot.tones import state_tag
from pilot.ui import BatchBar, Column, Link, PlainPage, Row, Section, Tag, ViewTab

EXTRA.append((Group.REVIEW, "report_inbox", gettext_lazy("汇总报送收件箱"), "inbox"))


@dataclass(slots=True)
class InboxPage(PlainPage):
    """The inbox: shares of review above, then the rows with what answers them and who can be urged."""

    tabs: Sequence[ViewTab] = ()
    table: Section | None = None
    batch: BatchBar | None = None
    total: int = 0  # the rows shown, their sum not counted


def page(actor: Actor, programme: Programme, *, now: datetime, standing: str = "") -> InboxPage:
    """The inbox as this actor finds it at a moment of business time; only the rows of a standing, if one is named.

    The sum is always that of the rows shown.
    """
    rows = inbox.rows(actor, programme, now=now)
    asked = standing if standing in reports.STANDINGS else ""
    shown = [row for row in rows if not asked or row.is_(asked)]
    return InboxPage(
        title=_("汇总报送收件箱"),
        total=len(shown),
        crumbs=[Link(_("首页"), reverse("home"))],
        intro=_("截至 %(at)s：%(all)s 个通信管理局中 %(arrived)s 个已报送，%(overdue)s 个逾期未报送")
        % {
            "at": f"{localtime(now):%Y-%m-%d %H:%M}",
            "all": len(rows),
            "arrived": sum(row.arrived for row in rows),
            "overdue": sum(row.overdue for row in rows),
        },
        sections=[phases.section(actor, programme, at=now)],
        tabs=_tabs(rows, asked),
        table=Section(
            _("各省报送情况"),
            columns=_columns(),
            rows=[*(_row(row) for row in shown), _sum(shown)] if shown else [],
            empty=_("没有这种情况的省局"),
            note=_("同意推荐、不同意推荐为现行汇总表所列家数，退回后重新报送前不计"),
        ),
        batch=_batch(actor, shown, asked),
        toolbar=[Link(_("全部汇总表"), reverse("provincial-report_list"), "file-stack")],
    )


def _tabs(rows: Sequence[inbox.InboxRow], asked: str) -> list[ViewTab]:
    """The standings with how many rows answer each; one that none answers is left out unless it is asked for."""
    address = reverse("report_inbox")
    tabs = [ViewTab(_("全部 %(n)s") % {"n": len(rows)}, address, current=not asked)]
    for standing, label in standings(actor=None):
        number = sum(row.is_(standing) for row in rows)
        if number or standing == asked:
            words = f"{label} {number}"
            tabs.append(ViewTab(words, f"{address}?standing={standing}", current=standing == asked))
    return tabs


def standings(actor: Actor | None) -> list[tuple[str, Any]]:
    """The standings of reports with their words, as tabs and as choices of the list's filter."""
    return [
        ("missing", gettext_lazy("未报送")),
        ("overdue", gettext_lazy("逾期未报送")),
        ("returned", gettext_lazy("已退回")),
        ("nil", gettext_lazy("零报告")),
        ("late", gettext_lazy("逾期报送")),
    ]


def _batch(actor: Actor, shown: Sequence[inbox.InboxRow], asked: str) -> BatchBar | None:
    """Urging, for those of the rows shown that can be urged; "all" means the list's rows of the same standing."""
    total = sum(bool(_key(row)) for row in shown)
    if not total or not policy.may_act(ProvincialReport.slug(), "urge", actor.role):
        return None
    query = urlencode({"state": ReportState.OPEN, **({"standing": asked} if asked else {})})
    url = reverse("list_batch", args=[ProvincialReport.slug(), "urge"])
    return BatchBar([Link(_("催报"), f"{url}?{query}")], total)


def _key(row: inbox.InboxRow) -> str:
    """What a tick beside the row sends: the report that is to come."""
    return str(row.report.pk) if row.report is not None and not row.arrived else ""


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
        key=_key(row),
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
        return Tag(_("已退回"), "warning") if report.version else state_tag(report)
    return state_tag(report)


def days(row: inbox.InboxRow) -> Tag | str | None:
    """Working days left or past; of a report that came late, that it did."""
    if row.overdue:
        past = -(row.days_left or 0)
        return Tag(_("逾期 %(n)s 个工作日") % {"n": past} if past else _("已逾期"), "danger")
    if row.days_left is not None:
        return _("剩余 %(n)s 个工作日") % {"n": row.days_left}
    return Tag(_("逾期报送"), "warning") if row.report and row.report.late else None
