"""Controls made from the fields of the application form."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from applications.rules.form import LONG, SHORT, FormField, Kind

# What a phone offers as keyboard, and what the browser may fill in of a person's own.
_KEYBOARDS = {Kind.MOBILE: "tel", Kind.PHONE: "tel", Kind.EMAIL: "email"}


class WholeNumber(forms.CharField):
    """A number where it is one; anything else typed stays as it is, and the rules say what is wrong with it."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return int(text.replace(",", "").replace("，", ""))
        except ValueError:
            return text


def form_field(field: FormField, value: Any = None) -> forms.Field:
    """The control of a field of the application form that holds ``value`` (as kept).

    Nothing is required in a draft: the star of ``components/field.html`` says what handing in requires.
    """
    control = _control(field, value)
    control.starred = field.required  # type: ignore[attr-defined]
    return control


def _control(field: FormField, value: Any) -> forms.Field:
    label = field.label if field.required else _("%(label)s（选填）") % {"label": field.label}
    common: dict[str, Any] = {"label": label, "help_text": field.help, "required": False, "initial": value}
    match field.kind:
        case Kind.NUMBER:
            keyboard = forms.TextInput(attrs={"inputmode": "numeric", "class": "short"})
            return WholeNumber(max_length=SHORT, widget=keyboard, **common)
        case Kind.DATE:
            return forms.CharField(max_length=SHORT, widget=_date_input(value), **common)
        case Kind.CHOICE:
            return forms.ChoiceField(choices=[("", _("请选择")), *field.choices], **common)
        case Kind.CHOICES:
            return forms.MultipleChoiceField(
                choices=field.choices, widget=forms.CheckboxSelectMultiple(), **common
            )
        case Kind.LONG_TEXT:
            return forms.CharField(max_length=LONG, widget=forms.Textarea(attrs={"rows": 4}), **common)
        case _:
            keyboard = forms.TextInput(attrs={"inputmode": _KEYBOARDS.get(field.kind, "text")})
            return forms.CharField(max_length=SHORT, widget=keyboard, **common)


def _date_input(value: Any) -> forms.Widget:
    """A date picker; a plain field for something typed that is no date, which a picker would show as nothing."""
    try:
        date.fromisoformat(value or "0001-01-01")
    except ValueError:
        return forms.TextInput(attrs={"class": "short"})
    return forms.TextInput(attrs={"type": "date"})


def headed(field: forms.Field, heading: Any) -> forms.Field:
    """A field under a heading of its own: ``components/field.html`` prints it before the field."""
    field.heading = heading  # type: ignore[attr-defined]
    return field
