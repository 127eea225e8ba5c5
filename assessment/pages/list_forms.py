"""What an officer is asked while a list is drafted: shape only, law is in the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.rules import scope
from assessment.selectors import lists
from pilot.enums import FilingType, Province
from pilot.forms import ActForm, whole_number


class EntryField(forms.ModelChoiceField):
    """One applicant of a list, shown with the scope it has now."""

    def label_from_instance(self, obj: Any) -> str:
        opened = scope.words(obj.provinces, obj.filing_types)
        return _("%(name)s（%(scope)s）") % {"name": obj.application.provider.name, "scope": opened}


class EntryForm(ActForm):
    """An act on one applicant of a list; ``?entry=`` chooses it."""

    entry: Any = EntryField(label=gettext_lazy("单位"), queryset=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entry: Any = self.fields["entry"]
        entry.queryset = lists.entries(self.case)


class ScopeForm(EntryForm):
    """What publishing opens for one applicant: filled with what it has where the address says whom."""

    everywhere = forms.BooleanField(
        label=gettext_lazy("全部 31 个省份（勾选后不再看下面逐个选择的省份）"), required=False
    )
    provinces = forms.TypedMultipleChoiceField(
        label=gettext_lazy("开通省份"),
        choices=Province.choices,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    filing_types = forms.MultipleChoiceField(
        label=gettext_lazy("备案类型"), choices=FilingType.choices, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = whole_number(str(self.initial.get("entry", ""))) or 0
        entry = lists.entries(self.case).filter(pk=asked).first()
        self.initial["filing_types"] = entry.filing_types if entry else FilingType.values
        self.initial["provinces"] = entry.provinces if entry else []

    def clean(self) -> dict[str, Any]:
        """All provinces where that is ticked; nothing chosen is refused where it is done."""
        data = super().clean() or self.cleaned_data
        if data.pop("everywhere", False):
            data["provinces"] = Province.values
        return data


class LeaveOutForm(EntryForm):
    """Whom to leave to a later list, and why."""

    reason = forms.CharField(
        label=gettext_lazy("理由"), widget=forms.Textarea(attrs={"rows": 3}), max_length=500
    )
