"""Handing over one file without JavaScript."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from applications.enums import FileKind
from applications.selectors import content
from pilot.forms import ActForm


class FileForm(ActForm):
    """One file and what it proves."""

    kind = forms.ChoiceField(label=gettext_lazy("材料种类"))
    upload = forms.FileField(
        label=gettext_lazy("文件"),
        help_text=gettext_lazy(
            "PDF、PNG、JPG 或 XLSX，不超过 20 MB；PDF 不得加密或含脚本；同种材料再次上传即为替换"
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        targets = content.open_targets(self.case)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.value, kind.label) for kind in FileKind if kind.value in targets
        ]
