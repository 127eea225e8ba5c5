"""What the forms of the run phase share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from pilot import clock
from pilot.forms import ActForm
from pilot.models import PilotUnit
from pilot.selectors import register


def long_text(label: Any, *, help_text: Any = "", rows: int = 4, required: bool = True) -> forms.CharField:
    """A field for a text of paragraphs."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class UnitForm(ActForm):
    """Base of what is begun about a unit: the units this actor may begin it for, home units only for a bureau."""

    unit = forms.ModelChoiceField(label=_("试点单位"), queryset=PilotUnit.unscoped.none())
    home_only = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = register.units(self.actor, at=clock.now())
        if self.actor.is_bureau and self.home_only:
            units = units.filter(province=self.actor.province or 0)
        self.fields["unit"].queryset = units.select_related("programme")  # type: ignore[attr-defined]
