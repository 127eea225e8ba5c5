"""What an official says of a fault found elsewhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from filings.enums import FindingKind, FindingSource
from filings.forms.common import long_text
from filings.models import VerificationForm
from pilot.forms import ActForm


class FindingForm(ActForm):
    """Which stored form has which fault, and who says so."""

    form_no = forms.CharField(label=_("核验单编号"), max_length=160)
    # Two units may use one number: whoever comes from a form's page means that unit's.
    unit = forms.CharField(required=False, widget=forms.HiddenInput)
    source = forms.ChoiceField(
        label=_("来源"),
        choices=[
            ("", _("请选择")),
            *((s.value, s.label) for s in (FindingSource.REPORT, FindingSource.NATIONAL)),
        ],
    )
    kind = forms.ChoiceField(label=_("差错类型"), choices=[("", _("请选择")), *FindingKind.choices])
    field = forms.CharField(
        label=_("数据项"), max_length=64, help_text=_("有差错的数据项，例如：主体证件号码、域名")
    )
    description = long_text(_("说明"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        unit = cleaned.pop("unit", "")
        if number := cleaned.pop("form_no", ""):
            found = VerificationForm.objects.visible_to(self.actor).filter(form_no=number.strip())
            found = found.select_related("unit")
            rows = list(found.filter(unit__code=unit)[:1] or found[:2])
            if len(rows) != 1:
                self.add_error("form_no", _("没有这一编号的核验单，或编号不唯一"))
            else:
                cleaned["form"] = rows[0]
        return cleaned
