"""Upload jobs as the portal shows them: the list, and what is known of a file. Its rows are in ``upload_result``."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import JobState
from filings.models import UploadJob
from filings.pages import common
from filings.pages.code_words import FORMATS
from filings.pages.upload_form import UploadForm
from filings.pages.upload_result import progress_words
from filings.selectors import forms
from filings.services import rejects, uploads
from pilot.actors import Actor
from pilot.registry import Creation, ListColumn, MachinePages, register
from pilot.ui import Checksum, Column, Fact, Link, Tag


def facts(job: UploadJob, actor: Actor) -> list[Fact]:
    """The file; what became of its rows stands in ``upload_result``."""
    return [
        Fact(_("试点单位"), common.unit_link(job.unit)),
        Fact(_("文件名"), job.source_name),
        Fact(_("格式"), str(FORMATS.get(job.format, job.format))),
        Fact(_("文件大小"), filesizeformat(job.size), _("%(bytes)s 字节") % {"bytes": f"{job.size:,}"}),
        Fact("SHA-256", Checksum(job.sha256)),
        Fact(_("接收时间"), job.received_at),
        Fact(_("用途"), _("试算，不保存") if job.dry_run else _("正式上报")),
        Fact(_("已处理行数"), job.taken_rows),
        Fact(_("失败原因"), job.fault),
    ]


def links(job: UploadJob, actor: Actor) -> list[Link]:
    """The refused rows as a file, for the unit that sent them."""
    if not actor.is_provider or not rejects.available(job):
        return []
    return [Link(_("下载拒收文件"), reverse("upload-job_rejects", args=[job.pk]), "download")]


def _late(job: Any) -> Tag | None:
    return Tag(_("迟报"), "warning") if job.came_late else None


def _unit_name(job: Any) -> str:
    return str(job.unit.organisation.name)


def waiting(actor: Actor) -> Q | None:
    """A file that failed waits for its unit until a later one was taken."""
    if not actor.is_provider:
        return None
    later = UploadJob.unscoped.filter(
        unit=OuterRef("unit"), state=JobState.DONE, dry_run=False, received_at__gt=OuterRef("received_at")
    )
    return Q(~Exists(later), state=JobState.FAILED)


register(
    MachinePages(
        model=UploadJob,
        label=gettext_lazy("上报批次"),
        group=common.RUN_GROUP,
        icon="upload",
        columns=[
            ListColumn(Column("number", gettext_lazy("编号")), lambda j: j.number),
            ListColumn(
                Column("unit", gettext_lazy("试点单位")),
                _unit_name,
                serves=lambda actor: not actor.is_provider,  # a unit reads its own name everywhere else
            ),
            ListColumn(Column("file", gettext_lazy("文件名")), lambda j: j.source_name),
            ListColumn(Column("received", gettext_lazy("接收时间")), lambda j: j.received_at, "received_at"),
            ListColumn(
                Column("rows", gettext_lazy("行数"), align="end"),
                lambda j: progress_words(j) or j.rows,
                "rows",
            ),
            ListColumn(Column("accepted", gettext_lazy("接收"), align="end"), lambda j: j.accepted),
            ListColumn(Column("duplicates", gettext_lazy("重复"), align="end"), lambda j: j.duplicates),
            ListColumn(
                Column("rejected", gettext_lazy("拒收"), align="end"),
                lambda j: j.rejected_rows,
                "rejected_rows",
            ),
            ListColumn(Column("late", gettext_lazy("迟报"), align="end"), _late),
        ],
        facts=facts,
        waiting=waiting,
        creation=Creation(
            gettext_lazy("上报核验单"),
            UploadForm,
            uploads.hand_in,
            gettext_lazy("文件接收后逐行校验；有差错的行不影响其他行"),
            timed=True,
        ),
        search=["source_name", "unit__organisation__name"],
        related=["unit__organisation"],
        annotations={"came_late": forms.came_late()},
        order=["-received_at", "-pk"],  # a unit's system may hand in thousands a day: to rank them takes time
        province_field="unit__province",
        empty=gettext_lazy("暂无上报批次；试点单位可在此上报核验单文件"),
        links=links,
        own_views={
            "detail": "filings.views.uploads.upload_detail",
            "create": "filings.views.uploads.upload_create",
        },
    )
)
