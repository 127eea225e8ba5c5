"""What a figure counts, as a page: forms, and for errors each finding that makes them one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.models import Finding, FormRefusal, UploadJob
from filings.pages import common, form_page
from filings.periods import EVER, Period
from pilot.actors import Actor
from pilot.masking import staff
from pilot.tones import state_tag
from pilot.ui import Column, Link, Row, Section

LABELS = {
    "m1_n": gettext_lazy("M1 计数"),
    "m1_errors": gettext_lazy("M1 差错"),
    "m2_n": gettext_lazy("M2 计数"),
    "m2_errors": gettext_lazy("M2 差错"),
    "pending": gettext_lazy("待比对"),
    "undeterminable": gettext_lazy("无法判定"),
    "m1_provisional": gettext_lazy("M1 待定差错"),
    "m2_provisional": gettext_lazy("待定差错"),
    "errors_corrected": gettext_lazy("事后更正"),
    "first_pass_m1_n": gettext_lazy("首次报送 M1 计数"),
    "first_pass_m1_errors": gettext_lazy("首次报送 M1 差错"),
    "first_pass_m2_n": gettext_lazy("首次报送 M2 计数"),
    "first_pass_m2_errors": gettext_lazy("首次报送 M2 差错"),
    "late": gettext_lazy("迟报"),
    "refused": gettext_lazy("拒收"),
    "duplicates": gettext_lazy("重复"),
}


def period_words(period: Period) -> str:
    """The period as pages write it."""
    return _("截至目前") if period == EVER else period.name


def counted(label: str, forms: Sequence[Any]) -> Section:
    """Forms that a count counts, one line each."""
    return Section(
        label,
        columns=form_page.columns(),
        rows=[form_page.row(form) for form in forms],
        empty=_("没有核验单"),
    )


def errors(
    label: str, forms: Sequence[Any], findings: Mapping[int, Sequence[Finding]], actor: Actor
) -> Section:
    """Forms with an error: one line per finding that makes it one; the first opens the form, the last the finding."""
    return Section(
        label,
        columns=[
            Column("form", _("核验单编号")),
            Column("day", _("计入日期")),
            Column("version", _("版次"), "end"),
            Column("field", _("数据项")),
            Column("source", _("来源")),
            Column("at", _("发现时间")),
            Column("state", _("状态")),
            Column("by", _("维持决定人")),
            Column("number", _("差错编号")),
        ],
        rows=[
            Row("", [common.form_link(form), form.day, form.version, *_explained(finding, actor)])
            for form in forms
            for finding in _or_none(findings.get(form.pk, ()))
        ],
        empty=_("没有差错"),
        note=_("比对发现的差错自发现时计入；其他来源的差错自确认或维持时计入。"),
    )


def _or_none(findings: Sequence[Finding]) -> Sequence[Finding | None]:
    return findings or [None]


def _explained(finding: Finding | None, actor: Actor) -> list[Any]:
    """Which field, which source, when, in what state, who upheld it, and where it is decided."""
    if finding is None:  # a mismatch whose finding is missing counts all the same
        return [None, _("权威库比对"), None, None, None, None]
    person = finding.decided_by if not actor.is_provider else None
    return [
        common.field_label(finding.field),
        str(finding.get_source_display()),
        finding.opened_at,
        state_tag(finding),
        staff(person),
        Link(finding.number, reverse("finding_detail", args=[finding.pk])),
    ]


def refusals(label: str, rows: Sequence[FormRefusal]) -> Section:
    """Rows that were turned away, with the codes of what was wrong."""
    return Section(
        label,
        columns=[
            Column("job", _("上报批次编号")),
            Column("row", _("行"), "end"),
            Column("form", _("核验单编号")),
            Column("codes", _("错误代码")),
            Column("at", _("接收时间")),
        ],
        rows=[
            Row(
                _job(row.job_id),
                [
                    f"#{row.job_id}",
                    row.row,
                    row.form_no,
                    [error["code"] for error in row.errors],
                    row.received_at,
                ],
            )
            for row in rows
        ],
        empty=_("没有拒收的行"),
    )


def duplicates(label: str, jobs: Sequence[UploadJob]) -> Section:
    """Uploads with rows that repeat stored forms."""
    return Section(
        label,
        columns=[
            Column("job", _("上报批次编号")),
            Column("rows", _("重复"), "end"),
            Column("at", _("接收时间")),
        ],
        rows=[Row(_job(job.pk), [job.number, repeats_link(job), job.received_at]) for job in jobs],
        empty=_("没有重复的行"),
    )


def repeats_link(job: UploadJob) -> Link:
    """How many rows of a job were repeats, as the way to these rows."""
    return Link(f"{job.duplicates:,}", reverse("upload-job_repeats", args=[job.pk]))


def _job(pk: int) -> str:
    return reverse("upload-job_detail", args=[pk])
