"""The filter bar of a machine's list: what may be asked, which rows answer, and the address that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pilot import workflow
from pilot.actors import Actor
from pilot.enums import Province
from pilot.registry import MachinePages


class CaseFilter(forms.Form):
    """Text, state and province, whether it waits for me, then what the machine adds (``MachinePages.filters``).

    An unknown value filters nothing away; it is shown as an error.
    """

    q = forms.CharField(label=gettext_lazy("名称或编号"), required=False, max_length=100)
    state = forms.ChoiceField(label=gettext_lazy("状态"), required=False)
    province = forms.TypedChoiceField(
        label=gettext_lazy("省份"), required=False, coerce=int, empty_value=None
    )
    waiting = forms.ChoiceField(
        label=gettext_lazy("办理"),
        required=False,
        choices=[("", gettext_lazy("全部")), ("me", gettext_lazy("待我办理"))],
    )

    def __init__(self, params: Mapping[str, Any], *, pages: MachinePages, actor: Actor) -> None:
        super().__init__(params or None)
        self.pages, self.actor = pages, actor
        self.fields["state"].choices = [("", _("全部")), *workflow.states(pages.model)]  # type: ignore[attr-defined]
        if pages.province_field:
            self.fields["province"].choices = [("", _("全部")), *Province.choices]  # type: ignore[attr-defined]
        else:
            del self.fields["province"]
        if not pages.search:
            del self.fields["q"]
        for name in self._of_no_use():  # obeyed where an address has it, but not offered
            self.fields[name].widget = forms.HiddenInput()
        for extra in pages.filters:
            if choices := extra.choices(actor):
                self.fields[extra.name] = forms.ChoiceField(
                    label=extra.label, required=False, choices=[("", _("全部")), *choices]
                )

    def _of_no_use(self) -> Iterator[str]:
        """The filters that leave this reader all rows or none, whatever is chosen."""
        if self.pages.waiting(self.actor) is None:
            yield "waiting"
        if "province" in self.fields and not self.actor.sees_everything:
            rows = self.pages.model.objects.visible_to(self.actor).order_by()
            path = self.pages.province_field
            # Two short looks; to gather the provinces of all rows would read them all.
            if not rows.exclude(**{path: rows.values_list(path, flat=True).first()}).exists():
                yield "province"

    @property
    def wanted(self) -> dict[str, Any]:
        """What is asked for and makes sense, by field."""
        if not self.is_bound:
            return {}
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}

    def query(self) -> str:
        """The filter as a query string, the same for the same filter."""
        return urlencode(self.wanted)

    def apply(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows for which all that is asked is so."""
        wanted = self.wanted
        if "state" in wanted:
            rows = rows.filter(state=wanted["state"])
        if "province" in wanted:
            rows = rows.filter(**{self.pages.province_field: wanted["province"]})
        if "waiting" in wanted:
            waiting = self.pages.waiting(self.actor)
            rows = rows.none() if waiting is None else rows.filter(waiting)
        if "q" in wanted:
            matches = self.pages.model.numbered(wanted["q"])
            for field in self.pages.search:
                matches |= Q(**{f"{field}__icontains": wanted["q"]})
            rows = rows.filter(matches)
        for extra in self.pages.filters:
            if extra.name in wanted:
                rows = rows.filter(extra.condition(wanted[extra.name], self.actor))
        return rows
