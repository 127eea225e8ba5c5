"""What is asked on the pages of national answers."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from pilot.forms import ActForm

LISTS = [
    ("without_receipt", _("无全国回执的核验单")),
    ("without_form", _("无对应核验单的回执")),
    ("not_passed", _("未入库或审核未通过")),
    ("checks", _("全国系统核查")),
]
TRIED = "try"


class ReconciliationFilter(forms.Form):
    """Which month, and which of its lists."""

    month = forms.CharField(
        label=_("月份"),
        required=False,
        max_length=7,
        widget=forms.TextInput(attrs={"placeholder": "2019-06"}),
    )
    show = forms.ChoiceField(label=_("清单"), required=False, choices=LISTS)


class ImportForm(ActForm):
    """A file of answers, and whether it is only tried."""

    file = forms.FileField(
        label=_("全国系统反馈文件"),
        help_text=_("V3.0 接口 DownloadData XML（GBK 或 UTF-8），可用 gzip 或 zip 压缩，解压后不超过 50 MB"),
    )
    dry_run = forms.TypedChoiceField(
        label=_("怎样处理"),
        choices=[
            (TRIED, _("先试算：给出导入结果，不保存任何记录")),
            ("import", _("导入：保存对应关系，发现的差错通知试点单位")),
        ],
        initial=TRIED,
        coerce=lambda chosen: chosen == TRIED,
        widget=forms.RadioSelect,
    )
