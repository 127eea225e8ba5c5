"""Controls made from the fields of the application form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from applications.rules.form import FormField, Kind

SHORT = 255
LONG = 4_000


def form_field(field: FormField) -> forms.Field:
    """The control of a field of the application form. Nothing is required while it is a draft."""
    label = field.label if field.required else _("%(label)s（选填）") % {"label": field.label}
    common: dict[str, Any] = {"label": label, "help_text": field.help, "required": False}
    match field.kind:
        case Kind.NUMBER:
            return forms.IntegerField(min_value=0, max_value=10**12, **common)
        case Kind.DATE:
            return forms.DateField(
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), **common
            )
        case Kind.CHOICE:
            return forms.ChoiceField(choices=[("", _("请选择")), *field.choices], **common)
        case Kind.CHOICES:
            return forms.MultipleChoiceField(
                choices=field.choices, widget=forms.CheckboxSelectMultiple(), **common
            )
        case Kind.LONG_TEXT:
            return forms.CharField(max_length=LONG, widget=forms.Textarea(attrs={"rows": 4}), **common)
        case _:
            return forms.CharField(max_length=SHORT, **common)


def headed(field: forms.Field, heading: Any) -> forms.Field:
    """A field under a heading of its own: ``components/field.html`` prints it before the field."""
    field.heading = heading  # type: ignore[attr-defined]
    return field
