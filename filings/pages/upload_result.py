"""An upload job under way and afterwards: how far it is, what became of its rows, which were refused and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Page
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from filings import column_guide
from filings.enums import JobState
from filings.intake.decode import FileFormat
from filings.models import FormRefusal, FormRepeat, UploadJob
from filings.rules import general
from filings.services import rejects, spool, trials
from filings.services.uploads import OPEN_STATES
from pilot import clock, policy
from pilot.actors import Actor
from pilot.ui import Column, Link, Row, Section, Tile, Tone
from pilot.views.paging import page_of

MILESTONE: Final = 25
"""Readers of the screen are told of every so many per cent, not of every second."""
STREAMED: Final = frozenset({FileFormat.NDJSON, FileFormat.CSV})
"""Formats whose rows are read one after another; of the others the whole file is read before the first row."""
TABLES: Final = frozenset({FileFormat.CSV, FileFormat.XLSX})
OTHERWISE: Final = frozenset({"field.format", "field.enum", "field.type", "field.required"})
"""Faults whose own words do not tell what should stand there."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. ``percent`` is None where it cannot be told; ``said`` is what is read out."""

    open: bool
    url: str
    page_url: str
    line: str
    said: str
    percent: int | None
    tiles: Sequence[Tile]


@dataclass(frozen=True, slots=True)
class Refusals:
    """The refused rows of a job, those of one code or all, page by page."""

    total: int
    codes: Section
    table: Section
    page: Page[Any]
    filtered: str
    reset: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the page of a job has beside what every case has."""

    progress: Progress
    fault: str = ""
    refusals: Refusals | None = None
    rejects_url: str = ""
    rejects_until: datetime | None = None
    again_url: str = ""
    submit_url: str = ""
    submit_until: datetime | None = None
    real: Link | None = None


def result(job: UploadJob, actor: Actor, params: Mapping[str, Any]) -> Result:
    """The page's own parts for this reader; ``params`` is the query: code, page, size."""
    own = actor.is_provider
    kept = own and rejects.available(job)
    until = trials.kept_until(job) if own else None
    again = urlencode({"format": job.format, "encoding": job.encoding or "utf-8"})
    return Result(
        progress=progress(job, actor),
        fault=job.fault,
        refusals=_refusals(job, params) if job.rejected_rows and not rejects.under_trial(job) else None,
        rejects_url=reverse("upload-job_rejects", args=[job.pk]) if kept else "",
        rejects_until=_rejects_until(job) if kept else None,
        again_url=f"{reverse('upload-job_create')}?{again}" if own else "",
        submit_url=reverse("upload-job_submit", args=[job.pk]) if until else "",
        submit_until=until,
        real=_real(job, actor),
    )


def _rejects_until(job: UploadJob) -> datetime | None:
    """Kept from the last chunk on, in real time; shown by the clock in the page's head."""
    return job.heartbeat_at + rejects.KEPT_FOR + clock.offset() if job.heartbeat_at else None


def _real(job: UploadJob, actor: Actor) -> Link | None:
    """The job by which the file of a dry run was handed in for real."""
    if not job.dry_run:
        return None
    rows = UploadJob.objects.visible_to(actor)
    real = (
        rows.filter(unit=job.unit_id, sha256=job.sha256, dry_run=False, pk__gt=job.pk).order_by("pk").first()
    )
    return Link(real.number, reverse("upload-job_detail", args=[real.pk])) if real else None


# --- how far ----------------------------------------------------------------------------------------
def progress(job: UploadJob, actor: Actor) -> Progress:
    """How far a job is, for the page that refreshes itself."""
    is_open = job.state in OPEN_STATES
    percent = _percent(job) if is_open else 100
    return Progress(
        open=is_open,
        url=reverse("upload-job_progress", args=[job.pk]),
        page_url=reverse("upload-job_detail", args=[job.pk]),
        line=_line(job, percent),
        said=_said(job, percent),
        percent=percent,
        tiles=_tiles(job, actor, is_open),
    )


def progress_words(job: UploadJob) -> str:
    """How far a job under way is, in a word for the list; nothing for one that has ended."""
    if job.state == JobState.RECEIVED:
        return _("等待处理")
    if job.state != JobState.PROCESSING:
        return ""
    percent = _percent(job)
    done = _("已处理 %(rows)s 行") % {"rows": f"{job.taken_rows:,}"}
    return done if percent is None else _("%(done)s，约 %(percent)s%%") % {"done": done, "percent": percent}


def _percent(job: UploadJob) -> int | None:
    """The share of the file that has been read; never all of it while the job is under way."""
    if job.state == JobState.RECEIVED:
        return 0
    if job.format not in STREAMED:
        return None
    return min(99, 100 * (spool.reached(job.case_key) or 0) // max(1, job.size))


def _line(job: UploadJob, percent: int | None) -> str:
    size, rows = filesizeformat(job.size), f"{job.taken_rows:,}"
    if job.state == JobState.RECEIVED:
        return _("文件 %(size)s 已收到，等待处理") % {"size": size}
    if job.state == JobState.FAILED:
        return _("处理已停止；此前处理了 %(rows)s 行") % {"rows": rows}
    if job.state == JobState.DONE:
        return _("全部 %(rows)s 行已处理（%(size)s）") % {"rows": rows, "size": size}
    if percent is None:
        return _("已处理 %(rows)s 行（文件 %(size)s）") % {"rows": rows, "size": size}
    done = filesizeformat(job.size * percent // 100)
    return _("已处理 %(rows)s 行，约 %(done)s / %(size)s（%(percent)s%%）") % {
        "rows": rows,
        "done": done,
        "size": size,
        "percent": percent,
    }


def _said(job: UploadJob, percent: int | None) -> str:
    if job.state == JobState.RECEIVED:
        return _("等待处理")
    if job.state == JobState.FAILED:
        return _("处理失败：%(fault)s") % {"fault": job.fault}
    if job.state == JobState.DONE:
        return _("处理完成：接收 %(accepted)s 行，重复 %(duplicates)s 行，拒收 %(rejected)s 行") % {
            "accepted": job.accepted,
            "duplicates": job.duplicates,
            "rejected": job.rejected_rows,
        }
    if percent is None or percent < MILESTONE:
        return _("正在处理")
    return _("已处理约 %(percent)s%%") % {"percent": percent - percent % MILESTONE}


def _tiles(job: UploadJob, actor: Actor, is_open: bool) -> list[Tile]:
    """What became of the rows; once all is settled a figure opens the rows it counts."""
    forms = ""
    if (
        job.accepted
        and not is_open
        and not job.dry_run
        and policy.may_open("verification-form_list", actor.role)
    ):
        forms = f"{reverse('verification-form_list')}?{urlencode({'job': job.pk})}"
    refused = "#refusals" if job.rejected_rows and not is_open else ""
    repeated = reverse("upload-job_repeats", args=[job.pk]) if job.duplicates and not is_open else ""
    return [
        _accepted_tile(job, forms),
        Tile(_("重复"), f"{job.duplicates:,}", repeated, _("与已接收的内容相同，只计一次")),
        Tile(_("拒收"), f"{job.rejected_rows:,}", refused, "", "danger" if job.rejected_rows else "neutral"),
    ]


def _accepted_tile(job: Any, url: str) -> Tile:
    late = late_words(job)
    hint = _("试算，未保存") if job.dry_run else late
    tone: Tone = "warning" if late else "success" if job.accepted else "neutral"
    return Tile(_("接收"), f"{job.accepted:,}", url, hint, tone)


def late_words(job: Any) -> str:
    """That what a job (with ``came_late``) brought came late and counts for nothing; nothing of one in time."""
    return _("其中迟报 %(count)s，不计入准确率") % {"count": f"{job.accepted:,}"} if job.came_late else ""


# --- repeated rows --------------------------------------------------------------------------------------
def repeats(rows: Sequence[FormRepeat], stored: Mapping[str, int]) -> Section:
    """Rows that repeat what was handed in before. ``stored``: number → key of the forms this reader may open."""
    return Section(
        title=_("重复的行"),
        columns=[Column("row", _("行号"), align="end"), Column("form_no", _("核验单编号"))],
        rows=[Row("", [repeat.row, _known(repeat.form_no, stored)]) for repeat in rows],
        empty=_("没有逐行记录"),
        note=_("内容与已接收的核验单或同一文件中前面的行完全相同，只计一次；点编号打开已接收的核验单"),
    )


def _known(form_no: str, stored: Mapping[str, int]) -> Link | str:
    key = stored.get(form_no)
    return form_no if key is None else Link(form_no, reverse("verification-form_detail", args=[key]))


# --- refused rows -------------------------------------------------------------------------------------
def _refusals(job: UploadJob, params: Mapping[str, Any]) -> Refusals:
    language, code = get_language() or "zh", str(params.get("code", ""))
    rows = FormRefusal.unscoped.filter(job=job).order_by("row")
    chosen = code if code in job.code_counts else ""
    if chosen:
        rows = rows.filter(errors__contains=[{"code": chosen}])
    page: Page[Any] = page_of(rows, params)
    here = reverse("upload-job_detail", args=[job.pk])
    return Refusals(
        total=page.paginator.count,
        codes=_codes(job, here, language),
        table=_table(job, page, language),
        page=page,
        filtered=f"{chosen} {general(chosen, language)}" if chosen else "",
        reset=f"{here}#refusals",
    )


def _codes(job: UploadJob, here: str, language: str) -> Section:
    return Section(
        title=_("拒收原因"),
        columns=[
            Column("code", _("代码")),
            Column("words", _("说明")),
            Column("rows", _("行数"), align="end"),
        ],
        rows=[
            Row(f"{here}?{urlencode({'code': code})}#refusals", [code, general(code, language), rows])
            for code, rows in sorted(job.code_counts.items(), key=lambda item: (-item[1], item[0]))
        ],
        note=_("点代码只看这一种；一行可有多种差错"),
    )


def _table(job: UploadJob, page: Page[Any], language: str) -> Section:
    of_table = job.format in TABLES
    rows = [
        Row("", [refusal.row, refusal.form_no, error["code"], *_words(error, of_table=of_table)])
        for refusal in page.object_list
        for error in rejects.as_dict(refusal, language)["errors"]
    ]
    return Section(
        title=_("拒收明细"),
        columns=[
            Column("row", _("行号"), align="end"),
            Column("form_no", _("核验单编号")),
            Column("code", _("代码")),
            Column("field", _("字段")),
            Column("place", _("列名") if of_table else _("位置")),
            Column("message", _("说明")),
        ],
        rows=rows,
        note=_("行号从表头下第一行数据起算") if of_table else _("空行不计入行号"),
    )


def _words(error: Mapping[str, str], *, of_table: bool) -> tuple[str, str, str]:
    """The field as the form calls it, as the file does, and what is wrong with it."""
    place = column_guide.place_of(error["field"])
    message = error["message"]
    if error["code"] in OTHERWISE and place.allowed:
        message = _("%(fault)s；应填：%(allowed)s") % {"fault": message, "allowed": place.allowed}
    return place.meaning, place.column if of_table else error["field"], message
