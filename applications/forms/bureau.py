"""What the bureau says: completeness notice and refusal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import FileKind
from applications.forms.controls import headed
from applications.rules.form import FormField, shown
from applications.selectors import content
from applications.selectors.form_schema import form_of
from pilot.forms import ActForm
from pilot.models import Condition


class ReturnForm(ActForm):
    """One row per field and kind of file; rows with text become the items of the notice."""

    PREFIX = "item_"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = content.latest_content(self.case)
        for section in form_of(self.case.programme).sections:
            typed = [field for field in section.fields if not field.fixed]
            for field in typed:
                control = self._row(field.label, self._as_given(field, said))
                self.fields[self.PREFIX + field.key] = (
                    headed(control, section.title) if field is typed[0] else control
                )
        for kind in FileKind:
            control = self._row(kind.label, "")
            self.fields[self.PREFIX + kind.value] = (
                headed(control, _("材料")) if kind is FileKind.FORM else control
            )
        self.fields["reason"] = headed(
            forms.CharField(
                label=_("再次补正的理由"),
                help_text=_("申请人已补正过一次的，由省局负责人填写"),
                required=False,
                max_length=2000,
                widget=forms.Textarea(attrs={"rows": 2}),
            ),
            _("理由"),
        )

    def _row(self, label: Any, given: str) -> forms.Field:
        return forms.CharField(
            label=label,
            help_text=given,
            required=False,
            max_length=500,
            widget=forms.Textarea(attrs={"rows": 1}),
        )

    def _as_given(self, field: FormField, said: dict[str, Any]) -> str:
        value = shown(field, said.get(field.key))
        words = _("、").join(value) if isinstance(value, tuple) else str(value)
        return _("所填：%(value)s") % {"value": words or "--"}

    def clean(self) -> dict[str, Any]:
        rows = {
            name.removeprefix(self.PREFIX): text
            for name, text in self.cleaned_data.items()
            if name.startswith(self.PREFIX) and text
        }
        return {
            "items": [{"target": target, "text": text} for target, text in rows.items()],
            "reason": self.cleaned_data.get("reason", ""),
        }


class RefusalForm(ActForm):
    """Which condition is not met, and what was found."""

    condition = forms.TypedChoiceField(label=gettext_lazy("不符合的参与条件"), coerce=int)
    reason = forms.CharField(
        label=gettext_lazy("查明的情况和理由"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        conditions = Condition.objects.filter(programme=self.case.programme_id)
        self.fields["condition"].choices = [  # type: ignore[attr-defined]
            ("", _("请选择")),
            *((row.number, f"{row.clause} {row}") for row in conditions),
        ]
