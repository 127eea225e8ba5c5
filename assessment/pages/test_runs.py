"""Test runs as the portal shows them."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.models import CapabilityAssessment, TestRun
from assessment.pages import common
from assessment.rules import test_runs as rules
from assessment.selectors import capability, test_runs
from pilot import clock
from pilot.context import EXTRA
from pilot.registry import Group
from pilot.rules import last_moment
from pilot.ui import Checksum, Column, Fact, Link, Row, Section, Tag

EXTRA.append((Group.REVIEW, "test_run_list", gettext_lazy("能力测试"), "flask-conical"))


def standing(run: TestRun) -> Tag:
    """Whether the result came, is awaited, or did not come in time."""
    if test_runs.result_of(run):
        return Tag(_("已提交结果"), "success")
    return Tag(_("逾期未提交"), "danger") if clock.now() >= run.due_at else Tag(_("等待结果"), "warning")


def facts(run: TestRun) -> list[Fact]:
    """What came back, then what was issued, the digests last."""
    result = test_runs.result_of(run)
    application = run.application
    return [
        Fact(_("申请单位"), Link(application.provider.name, common.application_url(application.pk))),
        Fact(_("状态"), standing(run)),
        *_figures(run),
        Fact(_("样本数"), len(run.key)),
        Fact(_("下发时间"), run.issued_at),
        Fact(_("提交期限"), last_moment(run.due_at)),
        *([Fact(_("提交时间"), result.handed_in_at)] if result else []),
        Fact(_("答案文件摘要（SHA-256）"), Checksum(run.digest)),
        *([Fact(_("结果文件摘要（SHA-256）"), Checksum(result.sha256))] if result else []),
    ]


def _figures(run: TestRun) -> list[Fact]:
    outcome = test_runs.outcome(run)
    if outcome is None:
        return []
    counts = outcome.counts
    return [
        Fact(
            _("误识率（假样本被接受）"),
            outcome.false_accepts,
            _rounding(counts.false_accepts, counts.impostors),
        ),
        Fact(
            _("拒识率（真样本被拒绝）"),
            outcome.false_rejects,
            _rounding(counts.false_rejects, counts.genuine),
        ),
        Fact(_("未提交结果的样本"), counts.missing),
    ]


def _rounding(errors: int, n: int) -> str:
    return _("末位向上取整") if rules.is_rounded(errors, n) else ""


def rates(run: TestRun) -> tuple[str | None, str | None]:
    """Both rates without their intervals, which take long to find, as a list shows them."""
    counts = test_runs.counts_of(run)
    if counts is None:
        return None, None
    return (
        rules.point(counts.false_accepts, counts.impostors),
        rules.point(counts.false_rejects, counts.genuine),
    )


def section(assessment: CapabilityAssessment) -> Section:
    """The runs of an assessment with their figures."""
    rows = []
    for run in test_runs.of_assessment(assessment):
        outcome = test_runs.outcome(run)
        rows.append(
            Row(
                reverse("test_run", args=[run.pk]),
                [
                    run.title,
                    len(run.key),
                    standing(run),
                    outcome.false_accepts if outcome else None,
                    outcome.false_rejects if outcome else None,
                ],
            )
        )
    columns = [
        Column("title", _("测试集")),
        Column("samples", _("样本数"), "end"),
        Column("state", _("状态")),
        Column("far", _("误识率（假样本被接受）")),
        Column("frr", _("拒识率（真样本被拒绝）")),
    ]
    over = assessment.state in capability.OVER
    empty = _("未下发测试集") if over else _("尚未下发测试集")
    return Section(_("能力测试"), columns=columns, rows=rows, empty=empty)
