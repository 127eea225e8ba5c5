"""The shape of what an act asks for. Law is not here: transitions and services decide (house rule 5)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from django import forms
from django.db.models import Q, QuerySet
from django.db.models.fields import BLANK_CHOICE_LABEL
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pilot.actors import Actor
from pilot.enums import OrganisationKind
from pilot.errors import PilotError
from pilot.models import Organisation, Person

ALIKE: Final = 5  # names that a refusal tells at most
MOST_DIGITS: Final = 18  # whatever they say, the database can compare it with an id


def whole_number(text: str) -> int | None:
    """The number that an address or a form carries beside its fields; None for whatever is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None


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


def refuse(form: forms.Form, refusal: PilotError) -> None:
    """Say what a service refused where it can be put right: at the field it names, else above all fields."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal.message))


class RemarkForm(ActForm):
    """An act that may carry a remark."""

    reason = forms.CharField(
        label=_("备注"),
        help_text=_("可不填；写入办理过程，凡能查看本事项的单位都看得到"),
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


# --- who is meant, written instead of chosen: of thousands nobody finds one in a list ---------------------------
class OrganisationField(forms.CharField):
    """An organisation by its full name or its 统一社会信用代码."""

    def __init__(
        self, *, kinds: Collection[OrganisationKind] = tuple(OrganisationKind), **options: Any
    ) -> None:
        super().__init__(max_length=255, help_text=_("填写单位全称或统一社会信用代码"), **options)
        self.kinds = kinds

    @property
    def known(self) -> QuerySet[Organisation]:
        """All that may be meant."""
        rows: QuerySet[Organisation] = Organisation.objects.filter(kind__in=self.kinds).order_by("name", "pk")
        return rows

    def prepare_value(self, value: Any) -> Any:
        return value.name if isinstance(value, Organisation) else value

    def clean(self, value: Any) -> Organisation | None:
        """The one that is meant; a refusal tells names that hold what was written."""
        text = super().clean(value)
        if not text:
            return None
        found = list(self.known.filter(Q(uscc=text.upper()) | Q(name=text))[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise forms.ValidationError(gettext("有多个单位同名，请填写统一社会信用代码"))
        alike = self.known.filter(name__icontains=text).values_list("name", flat=True)[:ALIKE]
        words = gettext("没有这个单位，请核对全称或统一社会信用代码")
        if alike:
            words = gettext("没有这个单位；名称相近的有：%(names)s") % {"names": gettext("、").join(alike)}
        raise forms.ValidationError(words)


class LoginField(forms.CharField):
    """A person by the login: it tells apart who is named alike once names are masked."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, help_text=_("填写登录名，不区分大小写"), **options)

    def prepare_value(self, value: Any) -> Any:
        return value.username if isinstance(value, Person) else value

    def clean(self, value: Any) -> Person | None:
        """The person with this login."""
        text = super().clean(value)
        if not text:
            return None
        person: Person | None = Person.objects.filter(username=text.lower()).first()
        if person is None:
            raise forms.ValidationError(gettext("没有这个登录名"))
        return person
