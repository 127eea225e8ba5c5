"""What the bureau says: completeness notice and refusal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import FileKind
from applications.forms.controls import headed
from applications.rules.form import FormField, masked
from applications.selectors import cases, content, review
from applications.selectors.form_schema import form_of
from pilot.forms import ActForm
from pilot.models import Condition


class PhraseInput(forms.TextInput):
    """A line of text with standard phrases offered by the browser."""

    def __init__(self, phrases: Sequence[str]) -> None:
        super().__init__()
        self.phrases = phrases

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        if not self.phrases:
            return super().render(name, value, attrs, renderer)
        control = super().render(name, value, {**(attrs or {}), "list": f"{name}_phrases"}, renderer)
        offered = format_html_join("", '<option value="{}"></option>', ((phrase,) for phrase in self.phrases))
        return format_html('{}<datalist id="{}_phrases">{}</datalist>', control, name, offered)


class ReturnForm(ActForm):
    """One row per field and kind of file; rows with text become the items of the notice.

    Those that the checklist found 不符合 come first, filled in with what the reviewer wrote; where nothing was
    written, the reason must be.
    """

    PREFIX = "item_"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._found = review.faults(self.case)
        self._phrases = review.phrases(self.case)
        rows = [*self._form_rows(), *self._file_rows()]
        marked = [(_("审核清单中不符合的"), *row[1:]) for row in rows if row[1] in self._found]
        heading = None
        for title, target, label, given in [*marked, *(row for row in rows if row[1] not in self._found)]:
            control = self._row(target, label, given)
            self.fields[self.PREFIX + target] = control if title == heading else headed(control, title)
            heading = title
        if cases.was_answered(self.case):
            self.fields["reason"] = self._reason()

    def _reason(self) -> forms.Field:
        """Why the applicant is asked once more. A first notice takes none: its reasons are its rows."""
        return headed(
            forms.CharField(
                label=_("再次补正的理由"),
                help_text=_("申请人已补正过一次的，由省局负责人填写"),
                error_messages={"required": _("再次要求补正须说明理由")},
                max_length=2000,
                widget=forms.Textarea(attrs={"rows": 2}),
            ),
            _("理由"),
        )

    def _form_rows(self) -> Iterator[tuple[Any, str, Any, str]]:
        """Heading, target, label and what was given, for every typed field."""
        said = content.latest_content(self.case)
        for section in form_of(self.case.programme).sections:
            for field in section.fields:
                if not field.fixed:
                    yield section.title, field.key, field.label, self._as_given(field, said)

    def _file_rows(self) -> Iterator[tuple[Any, str, Any, str]]:
        """The same for every kind of file."""
        handed_in = content.latest_file_names(self.case)
        for kind in FileKind:
            names = _("、").join(handed_in.get(kind, ())) or "--"
            yield _("材料"), kind.value, kind.label, _("所交：%(names)s") % {"names": names}

    def _row(self, target: str, label: Any, given: str) -> forms.Field:
        found = self._found.get(target, review.Found("", ()))
        if found.unwritten:
            items = _("；").join(found.unwritten)
            given = _("%(given)s。审核清单标为不符合而未写原因：%(items)s") % {"given": given, "items": items}
        return forms.CharField(
            label=label,
            help_text=given,
            required=bool(found.unwritten),
            error_messages={"required": _("请写明不符合的原因，或在审核清单中改正结论")},
            max_length=review.MAX_TEXT,
            initial=found.text,
            widget=PhraseInput(self._phrases.get(target, ())),
        )

    def _as_given(self, field: FormField, said: dict[str, Any]) -> str:
        value = masked(field, said.get(field.key))
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
