"""Upload jobs as the portal shows them: what came in, what became of every row, and the refused rows again."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from filings.enums import JobState
from filings.intake.decode import FileFormat
from filings.models import FormRefusal, UploadJob
from filings.pages import common
from filings.rules import words
from filings.services import rejects, uploads
from pilot.actors import Actor
from pilot.forms import ActForm
from pilot.registry import Creation, ListColumn, MachinePages, register
from pilot.ui import Column, Fact, Link, Row, Section

SHOWN_REFUSALS = 200
_PARTICULARS = re.compile(r"\{\w+\}")


class UploadForm(ActForm):
    """A file of forms, what it is, and whether it is only tried."""

    file = forms.FileField(
        label=gettext_lazy("核验单文件"),
        help_text=gettext_lazy("NDJSON、CSV、XLSX 或全国系统 V3.0 接口 XML，可用 gzip 或 zip 压缩"),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("文件格式"),
        required=False,
        choices=[
            ("", gettext_lazy("自动识别")),
            (FileFormat.NDJSON.value, "NDJSON"),
            (FileFormat.CSV.value, "CSV"),
            (FileFormat.XLSX.value, "XLSX"),
            (FileFormat.V3.value, gettext_lazy("V3.0 接口 XML")),
        ],
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("字符编码"),
        help_text=gettext_lazy("仅 CSV 文件需要选择"),
        choices=[("utf-8", "UTF-8"), ("gbk", "GBK")],
        initial="utf-8",
    )
    dry_run = forms.BooleanField(
        label=gettext_lazy("仅试算"),
        help_text=gettext_lazy("逐行校验并给出结果，不保存任何核验单"),
        required=False,
    )


def facts(job: UploadJob, actor: Actor) -> list[Fact]:
    """The file, and the counts of its rows."""
    return [
        Fact(_("试点单位"), common.unit_link(job.unit)),
        Fact(_("文件名"), job.source_name),
        Fact(_("格式"), job.format),
        Fact(_("文件大小"), _("%(bytes)s 字节") % {"bytes": job.size}),
        Fact("SHA-256", job.sha256),
        Fact(_("接收时间"), job.received_at),
        Fact(_("用途"), _("试算，不保存") if job.dry_run else _("正式上报")),
        Fact(_("已处理行数"), job.taken_rows),
        Fact(_("接收"), job.accepted),
        Fact(_("重复"), job.duplicates, _("与已接收的核验单内容完全相同，只计一次")),
        Fact(_("拒收"), job.rejected_rows),
        Fact(_("失败原因"), job.fault),
    ]


def sections(job: UploadJob, actor: Actor) -> list[Section]:
    """Why rows were refused: by code, then row by row."""
    if not job.rejected_rows:
        return []
    return [_codes(job), _refusals(job)]


def _codes(job: UploadJob) -> Section:
    language = get_language() or "zh"
    return Section(
        title=_("拒收原因"),
        columns=[
            Column("code", _("代码")),
            Column("words", _("说明")),
            Column("rows", _("行数"), align="end"),
        ],
        rows=[Row("", [code, _words(code, language), rows]) for code, rows in job.code_counts.items()],
    )


def _words(code: str, language: str) -> str:
    """What a code says, without the particulars that differ from row to row."""
    both = words(code)
    return _PARTICULARS.sub("…", both.en if language.startswith("en") else both.zh)


def _refusals(job: UploadJob) -> Section:
    language = get_language() or "zh"
    rows = []
    for refusal in FormRefusal.unscoped.filter(job=job).order_by("row")[:SHOWN_REFUSALS]:
        for error in rejects.as_dict(refusal, language)["errors"]:
            rows.append(
                Row("", [refusal.row, refusal.form_no, error["code"], error["field"], error["message"]])
            )
    more = job.rejected_rows - SHOWN_REFUSALS
    return Section(
        title=_("拒收明细"),
        columns=[
            Column("row", _("行号"), align="end"),
            Column("form_no", _("核验单编号")),
            Column("code", _("代码")),
            Column("field", _("字段")),
            Column("message", _("说明")),
        ],
        rows=rows,
        note=_("另有 %(more)s 行未列出，请下载拒收文件") % {"more": more} if more > 0 else "",
    )


def links(job: UploadJob, actor: Actor) -> list[Link]:
    """The refused rows as a file, for the unit that sent them."""
    if not actor.is_provider or not rejects.available(job):
        return []
    return [Link(_("下载拒收文件"), reverse("upload-job_rejects", args=[job.pk]), "download")]


def _unit_name(job: Any) -> str:
    return str(job.unit.organisation.name)


register(
    MachinePages(
        model=UploadJob,
        label=gettext_lazy("上报批次"),
        group=common.RUN_GROUP,
        icon="upload",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda j: j.number),
            ListColumn(Column("unit", gettext_lazy("试点单位")), _unit_name),
            ListColumn(Column("file", gettext_lazy("文件名")), lambda j: j.source_name),
            ListColumn(Column("received", gettext_lazy("接收时间")), lambda j: j.received_at, "received_at"),
            ListColumn(Column("rows", gettext_lazy("行数"), align="end"), lambda j: j.rows, "rows"),
            ListColumn(Column("accepted", gettext_lazy("接收"), align="end"), lambda j: j.accepted),
            ListColumn(Column("duplicates", gettext_lazy("重复"), align="end"), lambda j: j.duplicates),
            ListColumn(
                Column("rejected", gettext_lazy("拒收"), align="end"),
                lambda j: j.rejected_rows,
                "rejected_rows",
            ),
        ],
        facts=facts,
        sections=sections,
        waiting=lambda actor: Q(state=JobState.FAILED) if actor.is_provider else None,
        creation=Creation(
            gettext_lazy("上报核验单"),
            UploadForm,
            uploads.hand_in,
            gettext_lazy("文件接收后逐行校验；有差错的行不影响其他行"),
        ),
        search=["source_name", "unit__organisation__name"],
        related=["unit__organisation"],
        province_field="unit__province",
        empty=gettext_lazy("暂无上报批次；试点单位可在此上报核验单文件"),
        links=links,
    )
)
