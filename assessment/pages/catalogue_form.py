"""The ministry's form of a new edition of the catalogue: one row of controls per criterion, and room for new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.models import Criterion
from assessment.services.criteria import LONGEST, WORDS

NEW: Final = 3  # rows for criteria that are added
CONTROLS: Final = ("position", *WORDS, "points", "must_pass", "remove")


class CatalogueForm(forms.Form):
    """``criteria`` are those in force, in order. A new row counts as soon as it has a title."""

    use_required_attribute = False
    seen = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("修订理由"), widget=forms.Textarea(attrs={"rows": 2}), max_length=1000
    )

    def __init__(self, *args: Any, criteria: Sequence[Criterion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys: dict[str, Criterion | None] = {criterion.code: criterion for criterion in criteria}
        self.keys |= {f"new{n}": None for n in range(1, NEW + 1)}
        for place, (key, criterion) in enumerate(self.keys.items(), start=1):
            name = str(criterion) if criterion else _("新增指标")
            for what, control in self._controls(name, new=criterion is None).items():
                control.initial = place if what == "position" else getattr(criterion, what, None)
                self.fields[f"{key}-{what}"] = control

    def _controls(self, name: str, *, new: bool) -> dict[str, forms.Field]:
        def words(what: str, label: str, *, required: bool) -> forms.CharField:
            widget = forms.Textarea(attrs={"rows": 2}) if what.startswith("guidance") else forms.TextInput()
            return forms.CharField(
                label=label, max_length=LONGEST[what], required=required and not new, widget=widget
            )

        controls: dict[str, forms.Field] = {
            "position": forms.IntegerField(label=_("顺序"), min_value=1, max_value=99, required=not new),
            "title": words("title", _("中文名称"), required=True),
            "title_en": words("title_en", _("英文名称"), required=True),
            "guidance": words("guidance", _("评分要点"), required=False),
            "guidance_en": words("guidance_en", _("英文评分要点"), required=False),
            "points": forms.IntegerField(label=_("满分"), min_value=1, max_value=100, required=not new),
            "must_pass": forms.IntegerField(label=_("最低要求"), min_value=0, max_value=100, required=False),
            "remove": forms.BooleanField(label=_("删去"), required=False),
        }
        placeholders = {"title_en": _("英文名称"), "guidance_en": _("英文评分要点")}
        for what, control in controls.items():
            control.label = _("%(field)s（%(what)s）") % {"field": name, "what": control.label}
            control.widget.attrs |= {"aria-label": control.label}
            if what in placeholders:
                control.widget.attrs |= {"placeholder": placeholders[what]}
        controls["points"].widget.attrs |= {"data-score": True, "data-least": 0}
        return controls

    def rows(self) -> list[dict[str, Any]]:
        """The controls of every criterion, and of the new rows last."""
        return [
            {"new": criterion is None, **{what: self[f"{key}-{what}"] for what in CONTROLS}}
            for key, criterion in self.keys.items()
        ]

    def clean(self) -> dict[str, Any]:
        """Errors at the controls: a new row is filled in whole, the least is not above the full points."""
        data = super().clean() or self.cleaned_data
        for key in self.keys:
            if self._counts(data, key):
                self._check(data, key)
        return data

    def _check(self, data: Mapping[str, Any], key: str) -> None:
        for what in ("title", "title_en", "points"):
            name = f"{key}-{what}"
            if name in data and data[name] in (None, ""):
                self.add_error(name, self.fields[name].error_messages["required"])
        points, least = data.get(f"{key}-points"), data.get(f"{key}-must_pass") or 0
        if points is not None and least > points:
            self.add_error(f"{key}-must_pass", _("最低要求不能高于满分"))

    def _counts(self, data: Mapping[str, Any], key: str) -> bool:
        """Whether a row is part of the edition: it is not taken out and, where it is new, something is in it."""
        if data.get(f"{key}-remove"):
            return False
        filled = ("title", "title_en", "guidance", "guidance_en", "points")
        return self.keys[key] is not None or any(data.get(f"{key}-{what}") for what in filled)

    def chosen(self) -> list[dict[str, Any]]:
        """The criteria of the new edition in order, as the service takes them."""
        data = self.cleaned_data
        kept = [key for key in self.keys if self._counts(data, key)]
        last = len(self.keys)
        kept.sort(key=lambda key: data[f"{key}-position"] or last)
        return [
            {
                "code": key if self.keys[key] else "",
                **{name: data[f"{key}-{name}"] for name in WORDS},
                "points": data[f"{key}-points"],
                "must_pass": data[f"{key}-must_pass"] or 0,
            }
            for key in kept
        ]
