"""Handing over a filled-in form."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

ACCEPT = ".pdf,.xlsx"


class PrefillForm(forms.Form):
    """One file. What it is and what it says, the service decides."""

    upload = forms.FileField(
        label=gettext_lazy("已填好的申请表"),
        help_text=gettext_lazy(
            "PDF 或 XLSX，不超过 20 MB；打印、扫描或“打印为 PDF”的文件没有表单域，不能读入"
        ),
        allow_empty_file=True,  # the service's to refuse, in its own words
        max_length=None,
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPT}),
        error_messages={"required": gettext_lazy("请先选择文件")},
    )
