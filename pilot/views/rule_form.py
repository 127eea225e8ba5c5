"""The form by which an officer enters a programme rule: a field for each part of its value, the basis, the reason."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pilot.forms import ActForm
from pilot.rule_kinds import DATED, RuleKind, Shape

SET, END = "set", "end"
BASIS_HELP: Final = gettext_lazy(
    "写明文件名称、文号和条款，如“87号文一（一）”；属部内规定的写“部内工作规则：……”。文书原样引用，请勿写没有出处的依据。"
)


class RuleForm(ActForm):
    """One rule's new value, or its end. What a rule of this shape needs is asked for, nothing else."""

    def __init__(self, *args: Any, kind: RuleKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        if kind.optional:
            self.fields["act"] = forms.ChoiceField(
                label=_("办理"),
                choices=[(SET, _("设定")), (END, _("废止，试点不再有这条规则"))],
                widget=forms.RadioSelect,
                initial=SET,
            )
        self.fields |= _value_fields(kind)
        if kind.key in DATED:
            self.fields["valid_from"] = forms.DateField(
                label=_("生效日期"),
                help_text=_("自该日零时起，不早于今天"),
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            )
        self.fields["basis"] = forms.CharField(label=_("依据"), help_text=BASIS_HELP, max_length=255)
        self.fields["reason"] = forms.CharField(
            label=_("理由"),
            help_text=_("为何现在修改；写入修改记录和审计日志"),
            widget=forms.Textarea(attrs={"rows": 3}),
            max_length=500,
        )

    @staticmethod
    def initial_of(kind: RuleKind, value: Any) -> dict[str, Any]:
        """What the fields show for the value in force."""
        if value is None:
            return {}
        match kind.shape:
            case Shape.ACCURACY | Shape.CHANGE:
                return dict(value)
            case Shape.DAYS:
                return {"value": ", ".join(map(str, sorted(value, reverse=True)))}
            case Shape.SWITCH:
                return {"value": "1" if value else "0"}
        return {"value": value}

    def clean(self) -> dict[str, Any]:
        """Put the parts together; at the end of a rule its value is not asked for."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("act") == END:
            for name in _value_fields(self.kind):
                self.errors.pop(name, None)
        errors, out_of = cleaned.get("errors"), cleaned.get("out_of")
        if self.kind.shape == Shape.ACCURACY and errors is not None and out_of and errors >= out_of:
            self.add_error("errors", _("允许的差错应少于份数"))
        return cleaned

    def value(self) -> Any:
        """The rule's value as the programme keeps it; None ends the rule."""
        given = self.cleaned_data
        if given.get("act") == END:
            return None
        match self.kind.shape:
            case Shape.ACCURACY | Shape.CHANGE:
                parts = {name: given[name] for name in _value_fields(self.kind)}
                return parts | ({"level": f"{given['level'].normalize():f}"} if "level" in given else {})
            case Shape.LEVEL:
                return f"{given['value'].normalize():f}"
            case Shape.SWITCH:
                return given["value"] == "1"
        return given["value"]


class _DaysField(forms.CharField):
    """Whole numbers of days, the earliest reminder first."""

    def __init__(self, *, highest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.highest = highest

    def clean(self, value: Any) -> list[int]:
        words = super().clean(value).replace("，", ",").replace("、", ",").split(",")
        try:
            days = sorted({int(word) for word in words}, reverse=True)
        except ValueError:
            raise ValidationError(_("应为用逗号分隔的天数，如 90, 30, 0")) from None
        if days[-1] < 0 or days[0] > self.highest:
            raise ValidationError(_("天数应在 0 至 %(highest)s 之间") % {"highest": self.highest})
        return days


def _level(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=Decimal("0.0001"), max_value=Decimal("0.9999"), decimal_places=4
    )


def _value_fields(kind: RuleKind) -> Mapping[str, forms.Field]:
    match kind.shape:
        case Shape.ACCURACY:
            return {
                "errors": forms.IntegerField(label=_("允许的差错份数"), min_value=0, max_value=1_000_000),
                "out_of": forms.IntegerField(
                    label=_("每多少份"),
                    help_text=_("每 2000 份允许 1 份即 99.95%；每 1 份允许 0 份即 100%"),
                    min_value=1,
                    max_value=1_000_000,
                ),
            }
        case Shape.CHANGE:
            return {
                "level": _level(_("显著性水平")),
                "times": forms.IntegerField(label=_("报送量变化倍数"), min_value=2, max_value=100),
                "least_forms": forms.IntegerField(label=_("至少多少份"), min_value=1, max_value=1_000_000),
                "least_days": forms.IntegerField(label=_("至少多少个工作日"), min_value=1, max_value=31),
            }
        case Shape.LEVEL:
            return {"value": _level(_("新的值"))}
        case Shape.SWITCH:
            choices = [("1", _("已规定")), ("0", _("未规定"))]
            return {"value": forms.ChoiceField(label=_("新的值"), choices=choices, widget=forms.RadioSelect)}
        case Shape.DAYS:
            return {
                "value": _DaysField(
                    label=_("新的值"), help_text=_("天数用逗号分隔，如 90, 30, 0"), highest=kind.highest
                )
            }
        case Shape.WORDS:
            return {"value": forms.CharField(label=_("新的值"), max_length=255)}
    unit = str(kind.unit) % {"n": "N"}
    return {
        "value": forms.IntegerField(
            label=_("新的值"),
            help_text=_("单位：%(unit)s，%(lowest)s 至 %(highest)s")
            % {"unit": unit.replace("N", "").strip(), "lowest": kind.lowest, "highest": kind.highest},
            min_value=kind.lowest,
            max_value=kind.highest,
        )
    }
