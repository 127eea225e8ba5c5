"""The ministry's settings of the application form: one row of controls per field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from applications.rules.form import RELIED_ON, SECTIONS
from applications.services.form_editions import LONGEST

WHAT = ("position", "label", "label_en", "help", "help_en", "required")


class SettingsForm(forms.Form):
    """``settings`` maps every typed field to what holds now (``services.form_editions.current``)."""

    use_required_attribute = False
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, settings: Mapping[str, Mapping[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings = settings
        words, titles = _("%(field)s（%(what)s）"), _titles()
        for key, setting in settings.items():
            for what, control in _controls(key).items():
                control.initial = setting[what]
                control.label = words % {"field": str(setting["label"]), "what": titles[what]}
                control.widget.attrs["aria-label"] = control.label
                self.fields[f"{key}-{what}"] = control

    def sections(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Title of each block with its rows, in the order that holds now."""
        for section in SECTIONS:
            rows = [
                {
                    "key": field.key,
                    "relied_on": field.key in RELIED_ON,
                    **{what: self[f"{field.key}-{what}"] for what in WHAT},
                }
                for field in section.fields
                if not field.fixed
            ]
            yield str(section.title), sorted(rows, key=lambda row: self.settings[row["key"]]["position"])

    def chosen(self) -> dict[str, dict[str, Any]]:
        """What was typed, field by field."""
        return {key: {what: self.cleaned_data[f"{key}-{what}"] for what in WHAT} for key in self.settings}


def _titles() -> dict[str, str]:
    """What the controls of every field are about."""
    return {
        "position": _("顺序"),
        "label": _("中文名称"),
        "label_en": _("英文名称"),
        "help": _("中文说明"),
        "help_en": _("英文说明"),
        "required": _("必填"),
    }


def _controls(key: str) -> dict[str, forms.Field]:
    def words(what: str, *, required: bool) -> forms.CharField:
        return forms.CharField(max_length=LONGEST[what], required=required)

    return {
        "position": forms.IntegerField(min_value=1, max_value=99),
        "label": words("label", required=True),
        "label_en": words("label_en", required=False),
        "help": words("help", required=False),
        "help_en": words("help_en", required=False),
        "required": forms.BooleanField(required=False, disabled=key in RELIED_ON),
    }
