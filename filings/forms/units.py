"""What is asked about a pilot unit: the register's filter bar, a day, a switch, a renewed licence."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pilot.enums import FilingType, Province, UnitStatusKind
from pilot.forms import ActForm
from pilot.selectors import register

ANY = ("", _("全部"))
# The first digit of a province's code names its region (GB/T 2260).
REGIONS = {1: _("华北"), 2: _("东北"), 3: _("华东"), 4: _("中南"), 5: _("西南"), 6: _("西北")}


def _day(label: Any, **options: Any) -> forms.DateField:
    return forms.DateField(
        label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **options
    )


def _province(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, required=False, coerce=int, empty_value=None, choices=[ANY, *Province.choices]
    )


class UnitFilter(forms.Form):
    """The filter bar of the register."""

    q = forms.CharField(label=_("名称或编号"), required=False, max_length=100)
    status = forms.ChoiceField(label=_("状态"), required=False, choices=[ANY, *UnitStatusKind.choices])
    licence = forms.ChoiceField(label=_("许可证"), required=False)
    province = _province(_("注册省"))
    opened = _province(_("已开通的省"))

    def __init__(self, *args: Any, days: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days = days  # of the programme's watch
        within = [
            (str(mark), gettext("%(days)s 天内到期") % {"days": mark}) for mark in sorted(days) if mark > 0
        ]
        expired = (register.EXPIRED, _("已到期"))
        self.fields["licence"].choices = [ANY, expired, *within]  # type: ignore[attr-defined]


class DayForm(forms.Form):
    """The day of which the scope is shown."""

    on = _day(_("查看日期"), required=False)


class ScopeForm(ActForm):
    """Which provinces and filing types are opened or closed, from when, and why."""

    opened = forms.TypedChoiceField(
        label=_("变更"),
        choices=[("1", _("开通")), ("0", _("关闭"))],
        coerce=lambda value: value == "1",
        widget=forms.RadioSelect,
    )
    provinces = forms.TypedMultipleChoiceField(
        label=_("省份"), choices=Province.choices, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    filing_types = forms.MultipleChoiceField(
        label=_("备案类型"), choices=FilingType.choices, widget=forms.CheckboxSelectMultiple
    )
    effective_from = _day(_("生效日期"), help_text=_("自该日零时起；选择今天则确认后立即生效"))
    reason = forms.CharField(
        label=_("理由"),
        max_length=255,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("试点单位和有关通信管理局可见"),
    )

    @property
    def regions(self) -> list[tuple[Any, list[Any]]]:
        """The boxes of the provinces by region, in official order."""
        boxes = groupby(self["provinces"], key=lambda box: int(str(box.data["value"])) // 10)
        return [(REGIONS[region], list(group)) for region, group in boxes]


class LicenceForm(ActForm):
    """Until when the renewed licence holds, and what it rests on."""

    expires_on = _day(_("延续后的有效期至"))
    reason = forms.CharField(
        label=_("说明"),
        max_length=255,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("例如：已核对延续后的许可证原件；请勿填写个人信息"),
    )
