"""What is asked of the stored forms."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from filings.forms.units import ANY
from pilot.enums import Province


class FormFilter(forms.Form):
    """The filter bar of the stored forms: only what lies in clear."""

    form_no = forms.CharField(label=_("核验单编号"), required=False, max_length=160)
    province = forms.TypedChoiceField(
        label=_("主体所在省"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[ANY, *Province.choices],
    )
    unit = forms.CharField(label=_("试点单位编号"), required=False, max_length=32)
    job = forms.RegexField(r"^#?[0-9]{1,18}$", label=_("上报批次编号"), required=False)
    since = forms.DateField(label=_("计入日期从"), required=False)
    until = forms.DateField(label=_("计入日期到"), required=False)
    late = forms.ChoiceField(
        label=_("迟报"),
        required=False,
        choices=[ANY, ("no", _("否")), ("yes", _("是"))],
    )
