"""The shape of what an act asks for. Law is not here: transitions and services decide (house rule 5)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models.fields import BLANK_CHOICE_LABEL
from django.utils.translation import gettext_lazy as _

from pilot.actors import Actor
from pilot.models import Person


class ActForm(forms.Form):
    """Base of all forms of acts: knows the case (None when one is begun) and the actor. Everything is optional."""

    required_css_class = "required"
    use_required_attribute = False
    page_template = "pages/act.html"  # a form that is more than a column of fields has a page of its own

    def __init__(self, *args: Any, case: Any = None, actor: Actor, **kwargs: Any) -> None:
        self.case = case
        self.actor = actor
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            # Django's own words for "nothing chosen yet" have no Chinese.
            if isinstance(field, forms.ModelChoiceField) and field.empty_label == BLANK_CHOICE_LABEL:
                field.empty_label = _("请选择")


class RemarkForm(ActForm):
    """An act that may carry a remark."""

    reason = forms.CharField(
        label=_("备注"),
        help_text=_("可不填，写入本事项的办理过程"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=2000,
    )


class ReasonForm(ActForm):
    """An act that needs a reason."""

    reason = forms.CharField(label=_("理由"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000)


class ReauthenticatedForm(RemarkForm):
    """An act that is signed: the person's password once more, unless the door has just asked who it is."""

    password = forms.CharField(
        label=_("登录密码"),
        help_text=_("签发类操作需要再次确认身份"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        if actor.confirmed:
            del self.fields["password"]

    def clean_password(self) -> str:
        person = Person.objects.get(pk=self.actor.acting_person)
        if not person.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("密码不正确"))
        return ""
