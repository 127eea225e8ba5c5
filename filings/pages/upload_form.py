"""The page on which people of a unit hand in a file: its form, what is under way, and files to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django import forms
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings import column_guide
from filings.pages.code_words import FORMATS
from filings.selectors.contexts import unit_context
from filings.services import pieces, uploads
from pilot import clock
from pilot.enums import UnitStatusKind
from pilot.forms import ActForm
from pilot.models import PilotUnit
from pilot.rules import last_moment, local_day
from pilot.selectors import register
from pilot.ui import Link

GIGABYTES = uploads.LARGEST_FILE // 1024**3
ACCEPT = ".ndjson,.jsonl,.json,.csv,.xlsx,.xml,.gz,.zip"


class Unfinished(NamedTuple):
    """An upload somebody of the organisation began: its file, how much has come, until when it is kept."""

    name: str
    received: str
    size: str
    percent: int
    until: Any
    url: str


class ChoicesForm(ActForm):
    """What a file of forms is, and whether it is only tried."""

    format = forms.ChoiceField(
        label=gettext_lazy("文件格式"),
        required=False,
        choices=[("", gettext_lazy("自动识别")), *((str(kind), label) for kind, label in FORMATS.items())],
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("字符编码"),
        help_text=gettext_lazy("仅 CSV 文件需要选择"),
        choices=[("utf-8", "UTF-8"), ("gbk", "GBK")],
        initial="utf-8",
    )
    dry_run = forms.BooleanField(
        label=gettext_lazy("仅试算"),
        help_text=gettext_lazy("逐行校验并给出结果，不保存任何核验单；之后可将同一文件正式上报，不必重传"),
        required=False,
    )


def _out_of_pilot(unit: PilotUnit) -> str:
    now = unit.statuses.filter(during__contains=clock.now()).first()
    if now is None or now.kind != UnitStatusKind.SUSPENDED:
        return _("本单位现在不在试点中：不在试点期间采集的核验单会被拒收，此前采集的仍可上报。")
    day = {"day": local_day(now.during.lower).isoformat()}
    return _("本单位自 %(day)s 起暂停试点：暂停期间采集的核验单会被拒收，此前采集的仍可上报。") % day


class UploadForm(ChoicesForm):
    """A file of forms with the choices; the page has more than the fields."""

    page_template = "filings/upload.html"
    field_order = ("file",)

    file = forms.FileField(
        label=gettext_lazy("核验单文件"),
        help_text=gettext_lazy(
            "NDJSON、CSV、XLSX 或全国系统 V3.0 接口 XML，可用 gzip 或 zip 压缩，不超过 2 GB"
        ),
        widget=forms.FileInput(attrs={"accept": ACCEPT}),
        error_messages={
            "required": gettext_lazy("请选择文件"),
            "missing": gettext_lazy("请选择文件"),
            "empty": gettext_lazy("文件是空的"),
        },
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > uploads.LARGEST_FILE:
            raise forms.ValidationError(_("文件超过 %(gb)s GB") % {"gb": GIGABYTES})
        return file

    # --- what stands beside the form ------------------------------------------------------------------
    @property
    def begin_url(self) -> str:
        """Where an upload in pieces begins."""
        return reverse("upload-job_pieces")

    @property
    def warning(self) -> str:
        """Why what is handed in now will not count, or only in part be taken, in words; else empty."""
        units = register.units(self.actor, at=clock.now()).select_related("programme")
        unit = units.filter(organisation=self.actor.organisation_id).first()
        if unit is None:
            return ""
        context = unit_context(unit, clock.now())
        if not context.received_late:
            return "" if context.is_active(context.received_at) else _out_of_pilot(unit)
        if context.received_at < context.run_closes:
            return _("本单位已退出试点：现在上报的核验单标为迟报，不计入准确率。")
        day = {"day": local_day(last_moment(context.run_closes)).isoformat()}
        return _("试点运行阶段已于 %(day)s 结束：现在上报的核验单标为迟报，不计入准确率。") % day

    @property
    def unfinished(self) -> list[Unfinished]:
        """Uploads that were begun and not handed in."""
        return [_unfinished(upload) for upload in pieces.unfinished(actor=self.actor)]

    @property
    def templates(self) -> list[Link]:
        """Files to begin with."""
        return [
            Link(str(label), reverse("upload-job_template", args=[str(kind)]), "download")
            for kind, label in FORMATS.items()
        ]

    @property
    def guide(self) -> Sequence[column_guide.Part]:
        """What every column means."""
        return column_guide.guide()

    @property
    def limits(self) -> dict[str, Any]:
        """What the page's script must know: bytes of the largest file and of a piece."""
        return {"largest": uploads.LARGEST_FILE, "piece": pieces.PIECE, "most": pieces.MOST}


def _unfinished(upload: pieces.Upload) -> Unfinished:
    about = upload.about
    return Unfinished(
        about.name,
        filesizeformat(upload.received),
        filesizeformat(about.size),
        100 * upload.received // about.size,
        upload.kept_until,
        reverse("upload-job_piece", args=[upload.key]),
    )
