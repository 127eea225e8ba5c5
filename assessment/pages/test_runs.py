"""Test runs as the portal shows them."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.models import CapabilityAssessment, TestRun
from assessment.selectors import test_runs
from pilot import clock
from pilot.context import EXTRA
from pilot.registry import Group
from pilot.rules import last_moment
from pilot.ui import Checksum, Column, Fact, Row, Section, Tag

EXTRA.append((Group.REVIEW, "test_run_list", gettext_lazy("能力测试"), "flask-conical"))


def standing(run: TestRun) -> Tag:
    """Whether the result came, is awaited, or did not come in time."""
    if test_runs.result_of(run):
        return Tag(_("已提交结果"), "success")
    return Tag(_("逾期未提交"), "danger") if clock.now() >= run.due_at else Tag(_("等待结果"), "warning")


def facts(run: TestRun) -> list[Fact]:
    """What was issued and what came back."""
    result, outcome = test_runs.result_of(run), test_runs.outcome(run)
    issued = [
        Fact(_("申请单位"), run.application.provider.name),
        Fact(_("样本数"), len(run.key)),
        Fact(_("答案文件摘要（SHA-256）"), Checksum(run.digest)),
        Fact(_("下发时间"), run.issued_at),
        Fact(_("提交期限"), last_moment(run.due_at)),
        Fact(_("状态"), standing(run)),
    ]
    if result is None or outcome is None:
        return issued
    return [
        *issued,
        Fact(_("提交时间"), result.handed_in_at),
        Fact(_("结果文件摘要（SHA-256）"), Checksum(result.sha256)),
        Fact(_("误识率（假样本被接受）"), outcome.false_accepts),
        Fact(_("拒识率（真样本被拒绝）"), outcome.false_rejects),
        Fact(_("未提交结果的样本"), outcome.counts.missing),
    ]


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
    return Section(_("能力测试"), columns=columns, rows=rows, empty=_("尚未下发测试集"))
