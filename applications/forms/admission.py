"""Asking that a provider may apply late."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from pilot.enums import OrganisationKind
from pilot.forms import ActForm, OrganisationField


class AdmissionForm(ActForm):
    """Which provider may apply late, until when, why."""

    provider = OrganisationField(label=gettext_lazy("网络接入服务提供者"), kinds=[OrganisationKind.PROVIDER])
    until = forms.DateTimeField(
        label=gettext_lazy("准予提交至"), help_text=gettext_lazy("格式 2019-04-25 00:00，到此刻为止")
    )
    reason = forms.CharField(
        label=gettext_lazy("理由"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )
