"""Handing over files without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy

from applications.enums import FileKind


class SeveralFilesInput(forms.FileInput):
    """A control for one file or more."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One uploaded file or more, in the order they were chosen."""

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given: Sequence[Any] = data if isinstance(data, list | tuple) else [data]
        return [super(FilesField, self).clean(one, initial) for one in given or [None]]


class FileForm(forms.Form):
    """One kind of material and its files. What may be handed over, the service decides."""

    kind = forms.ChoiceField(choices=FileKind.choices, widget=forms.HiddenInput())
    uploads = FilesField(
        label=gettext_lazy("选择文件"),
        # An empty file and an endless name are the service's to refuse, in its own words.
        allow_empty_file=True,
        error_messages={"required": gettext_lazy("请先选择文件")},
    )
