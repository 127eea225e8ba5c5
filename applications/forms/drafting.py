"""What the provider fills in: the form while it is a draft, and the declaration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from applications.forms.controls import form_field, headed
from applications.models import Application
from applications.selectors import content
from applications.selectors.form_schema import form_of
from pilot.forms import ActForm


class StartForm(ActForm):
    """Nothing is asked: the application is the organisation's own, in the current programme."""


class DraftForm(ActForm):
    """The fields that are open now, as they stand; ``revision`` tells whether another window saved meanwhile."""

    revision = forms.IntegerField(widget=forms.HiddenInput(), min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        case: Application = self.case
        self.fields["revision"].initial = case.revision
        targets = content.open_targets(case)
        for section in form_of(case.programme).sections:
            opened = [field for field in section.fields if not field.fixed and field.key in targets]
            for field in opened:
                control = form_field(field)
                control.initial = case.draft.get(field.key)
                self.fields[field.key] = headed(control, section.title) if field is opened[0] else control


class DeclarationForm(ActForm):
    """Handing in: the statement that goes with the form."""

    declaration = forms.BooleanField(
        label=gettext_lazy("本单位承诺所填内容和所附材料真实、准确、完整，并对其真实性负责"),
        error_messages={"required": gettext_lazy("请确认真实性声明")},
    )
