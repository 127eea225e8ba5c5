"""The shape of what acts on applications ask for; what is right and complete, services and transitions decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import FileKind
from applications.models import Application
from applications.rules.form import SECTIONS, FormField, Kind, shown
from applications.selectors import content
from pilot.enums import OrganisationKind
from pilot.forms import ActForm
from pilot.models import Condition, Organisation

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
        for section in SECTIONS:
            opened = [field for field in section.fields if not field.fixed and field.key in targets]
            for field in opened:
                control = form_field(field)
                control.initial = case.draft.get(field.key)
                self.fields[field.key] = headed(control, section.title) if field is opened[0] else control


class FileForm(ActForm):
    """One file and what it proves."""

    kind = forms.ChoiceField(label=gettext_lazy("材料种类"))
    upload = forms.FileField(
        label=gettext_lazy("文件"),
        help_text=gettext_lazy(
            "PDF、PNG、JPG 或 XLSX，不超过 20 MB；PDF 不得加密或含脚本；同种材料再次上传即为替换"
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        targets = content.open_targets(self.case)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.value, kind.label) for kind in FileKind if kind.value in targets
        ]


class DeclarationForm(ActForm):
    """Handing in: the statement that goes with the form."""

    declaration = forms.BooleanField(
        label=gettext_lazy("本单位承诺所填内容和所附材料真实、准确、完整，并对其真实性负责"),
        error_messages={"required": gettext_lazy("请确认真实性声明")},
    )


class ReturnForm(ActForm):
    """One row per field and kind of file; rows with text become the items of the notice."""

    PREFIX = "item_"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = content.latest_content(self.case)
        for section in SECTIONS:
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


class AdmissionForm(ActForm):
    """Which provider may apply late, until when, why."""

    provider = forms.ModelChoiceField(
        label=gettext_lazy("网络接入服务提供者"),
        queryset=Organisation.objects.filter(kind=OrganisationKind.PROVIDER).order_by("province", "name"),
    )
    until = forms.DateTimeField(
        label=gettext_lazy("准予提交至"), help_text=gettext_lazy("格式 2019-04-25 00:00，到此刻为止")
    )
    reason = forms.CharField(
        label=gettext_lazy("理由"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )
