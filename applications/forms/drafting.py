"""What the provider fills in: a section of the form while it is a draft, and the declaration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from applications.forms.controls import form_field
from applications.models import Application
from applications.rules.form import FormSection, is_blank
from applications.selectors import review
from pilot.forms import ActForm, RemarkForm

OWN, OTHER = "own", "other"


class WithdrawForm(RemarkForm):
    """A word about the withdrawal; it is asked for once the bureau has set to work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if review.is_begun(self.case):
            reason = self.fields["reason"]
            reason.required = True
            reason.label = gettext_lazy("撤回理由")
            reason.help_text = gettext_lazy("通信管理局已开始审核，请说明理由；办理机关会收到通知")


class StartForm(ActForm):
    """Nothing is asked: the application is the organisation's own, in the current programme."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a section's page sent: values, what its fields held at first, the proposals the person decided by."""

    values: dict[str, Any]
    base: dict[str, Any]
    seen: dict[str, Any]


class JSONInput(forms.CharField):
    """A hidden mapping the page carries along; whatever is no mapping counts as empty."""

    widget = forms.HiddenInput(attrs={"autocomplete": "off"})

    def __init__(self, value: Mapping[str, Any]) -> None:
        super().__init__(required=False, initial=json.dumps(value, ensure_ascii=False))

    def clean(self, value: Any) -> dict[str, Any]:
        try:
            found = json.loads(value or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class SectionForm(forms.Form):
    """The open fields of one section as they stand.

    ``base`` carries what the fields held when the page was made, so that two windows merge field by field; ``shown``
    the proposals on the page. A field with a proposal while the draft is blank shows the proposal; where the draft
    says something else, ``take-<field>`` tells which of the two holds.
    """

    use_required_attribute = False

    def __init__(
        self, section: FormSection, *, case: Application, opened: frozenset[str], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.case = case
        self.section = section
        self.typed = [field for field in section.fields if not field.fixed and field.key in opened]
        keys = [field.key for field in self.typed]
        self.proposals = {key: case.proposals[key] for key in keys if key in case.proposals}
        for field in self.typed:
            self.fields[field.key] = form_field(field, self.standing(field.key))
        self.fields["base"] = JSONInput({key: case.draft.get(key) for key in keys})
        self.fields["shown"] = JSONInput({key: shown["value"] for key, shown in self.proposals.items()})

    def standing(self, key: str) -> Any:
        """What the control of a field starts with: the draft, or else what was read from an uploaded form."""
        value = self.case.draft.get(key)
        return self.proposals[key]["value"] if is_blank(value) and key in self.proposals else value

    def differs(self, key: str) -> bool:
        """Whether the draft says something else than what was read."""
        value = self.case.draft.get(key)
        return key in self.proposals and not is_blank(value) and value != self.proposals[key]["value"]

    def sent(self, *, by_itself: bool) -> Sent:
        """What to save of a cleaned form; a value that does not fit its control at all is left out.

        ``by_itself``: the page saves in the background. Then a proposal that nobody touched stays a proposal.
        """
        base, shown = self.cleaned_data["base"], self.cleaned_data["shown"]
        values: dict[str, Any] = {}
        seen: dict[str, Any] = {}
        for key in (field.key for field in self.typed if field.key in self.cleaned_data):
            value, choice = self.cleaned_data[key], self.data.get(f"take-{key}", "")
            asked = self._other(key)  # what another window had saved; the page asks which of the two holds
            if asked is not None and (by_itself or choice == OTHER):
                continue
            if asked is not None and choice == OWN:
                base[key] = asked[0]
            if asked is None and key in shown and key in self.proposals:
                try:
                    value = self.fields[key].clean(shown[key]) if choice == OTHER else value
                except forms.ValidationError:  # the page itself sends what was read
                    continue
                if by_itself and _same(value, shown[key] if is_blank(base.get(key)) else base[key]):
                    continue
                seen[key] = shown[key]
            values[key] = value
        return Sent(values, base, seen)

    def _other(self, key: str) -> tuple[Any] | None:
        try:
            return (json.loads(self.data[f"other-{key}"]),)
        except (KeyError, ValueError):
            return None


def _same(one: Any, other: Any) -> bool:
    return sorted(one) == sorted(other) if isinstance(one, list) and isinstance(other, list) else one == other


class DeclarationForm(ActForm):
    """Handing in: the statement that goes with the form."""

    declaration = forms.BooleanField(
        label=gettext_lazy("本单位承诺所填内容和所附材料真实、准确、完整，并对其真实性负责"),
        error_messages={"required": gettext_lazy("请确认真实性声明")},
    )
