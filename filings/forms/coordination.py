"""What coordination cases and the questions and answers made of them ask for. Shape only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from filings.enums import CoordinationCategory
from filings.forms.common import UnitForm, long_text
from filings.forms.measures import ProofsField
from filings.models import FaqEntry
from filings.selectors import faq
from pilot import clock
from pilot.enums import OrganisationKind
from pilot.forms import ActForm
from pilot.models import Organisation
from pilot.selectors import people, programmes, register

CATEGORIES = [("", _("请选择")), *CoordinationCategory.choices]
OFFICES = (OrganisationKind.MINISTRY, OrganisationKind.BUREAU)


def _owners(form: ActForm, offices: Any) -> None:
    field: Any = form.fields["owner"]
    field.queryset = offices.order_by("kind", "province", "name")


class CoordinationForm(UnitForm):
    """A problem, and who is to solve it; beside the subject stand published answers like it."""

    category = forms.ChoiceField(label=_("类别"), choices=CATEGORIES)
    owner = forms.ModelChoiceField(label=_("责任单位"), queryset=Organisation.objects.none())
    subject = forms.CharField(label=_("事项"), max_length=255)
    text = long_text(_("情况说明"))
    proofs = ProofsField(_("附件"))
    home_only = False
    page_template = "filings/coordination_create.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offices = Organisation.objects.filter(kind__in=OFFICES)
        if not self.actor.is_provider:
            units = register.units(self.actor, at=clock.now()).values("organisation")
            offices = offices | Organisation.objects.filter(pk__in=units)
        _owners(self, offices.exclude(pk=self.actor.organisation_id or 0))
        if days := programmes.rule(programmes.current(), "coordination_days"):
            self.fields["owner"].help_text = _("自提出次日起 %(days)s 个工作日内答复") % {"days": days}
        if self.actor.is_provider:
            self._preset()

    def _preset(self) -> None:
        """A provider with one unit is not asked which; its bureau is whom it asks first."""
        units = list(self.fields["unit"].queryset[:2])  # type: ignore[attr-defined]
        if len(units) == 1:
            self.fields["unit"].widget = forms.HiddenInput()
            self.initial.setdefault("unit", units[0].pk)
            self.initial.setdefault("owner", people.bureau_of(units[0].province).pk)

    @property
    def similar(self) -> Sequence[FaqEntry]:
        """Published entries like the subject as far as it is known."""
        return faq.similar(self["subject"].value() or "")


class MessageForm(ActForm):
    """A message of the thread with its files; it stands in the history as the act's words."""

    reason = long_text(_("内容"))
    proofs = ProofsField(_("附件"))


class HandOverForm(ActForm):
    """Which side takes the matter over, and why."""

    owner = forms.ModelChoiceField(label=_("转给"), queryset=Organisation.objects.none())
    reason = long_text(_("转办理由"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unit = Organisation.objects.filter(pk=self.case.unit.organisation_id)
        sides = Organisation.objects.filter(kind__in=OFFICES) | unit
        _owners(self, sides.exclude(pk__in=[self.case.owner_id, self.case.opener_id]))


class FaqForm(ActForm):
    """A question and its answer in words of their own; the case's subject and last answer are the draft."""

    category = forms.ChoiceField(label=_("类别"), choices=CATEGORIES)
    question = forms.CharField(
        label=_("问题"),
        max_length=255,
        help_text=_("面向全部用户；请改写，不要出现单位和人员名称"),
    )
    answer = long_text(_("解答"), help_text=_("面向全部用户；请改写，不要出现单位和人员名称"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answers = self.case.messages.filter(organisation=self.case.owner_id)
        self.initial.setdefault("category", self.case.category)
        self.initial.setdefault("question", self.case.subject)
        self.initial.setdefault(
            "answer", answers.order_by("at", "pk").values_list("text", flat=True).last() or ""
        )


class FaqSearch(forms.Form):
    """What is looked for among the published questions."""

    q = forms.CharField(label=_("关键词"), required=False, max_length=100)
    category = forms.ChoiceField(
        label=_("类别"), required=False, choices=[("", _("全部")), *CoordinationCategory.choices]
    )
