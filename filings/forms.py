"""What the acts of the run phase ask for. Shape only: transitions and services decide (house rule 5)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from filings.enums import FindingKind, FindingSource, FindingState, SanctionKind
from filings.models import Bulletin, Finding, InspectionItem, VerificationForm
from pilot import clock
from pilot.enums import OrganisationKind
from pilot.forms import ActForm, ReasonForm, ReauthenticatedForm
from pilot.models import Organisation, PilotUnit
from pilot.selectors import register

RIGHT_OR_WRONG = [("1", _("正确")), ("0", _("有差错"))]


def _long(label: Any, *, help_text: Any = "", rows: int = 4, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def _proof(label: Any) -> forms.FileField:
    return forms.FileField(label=label, help_text=_("PDF，不超过 10 MB"), required=False)


def _yes_no(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, choices=RIGHT_OR_WRONG, coerce=lambda value: value == "1", widget=forms.RadioSelect
    )


class UnitForm(ActForm):
    """Base of what is begun about a unit: the units this actor may begin it for, home units only for a bureau."""

    unit = forms.ModelChoiceField(label=_("试点单位"), queryset=PilotUnit.unscoped.none())
    home_only = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = register.units(self.actor, at=clock.now())
        if self.actor.is_bureau and self.home_only:
            units = units.filter(province=self.actor.province or 0)
        self.fields["unit"].queryset = units.select_related("programme")  # type: ignore[attr-defined]


class DisputeForm(ReasonForm):
    """Grounds and, if there is one, a file of proof."""

    proof = _proof(_("证明材料"))


class FindingForm(ActForm):
    """Which stored form has which fault, and who says so."""

    form_no = forms.CharField(label=_("核验单编号"), max_length=160)
    source = forms.ChoiceField(
        label=_("来源"),
        choices=[(s.value, s.label) for s in (FindingSource.REPORT, FindingSource.NATIONAL)],
    )
    kind = forms.ChoiceField(label=_("差错类型"), choices=FindingKind.choices)
    field = forms.CharField(
        label=_("字段"), max_length=64, help_text=_("有差错的数据项，例如：主体证件号码、域名")
    )
    description = _long(_("说明"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if number := cleaned.pop("form_no", ""):
            found = VerificationForm.objects.visible_to(self.actor).filter(form_no=number.strip())
            rows = list(found.select_related("unit")[:2])
            if len(rows) != 1:
                self.add_error("form_no", _("没有这一编号的核验单，或编号不唯一"))
            else:
                cleaned["form"] = rows[0]
        return cleaned


class InspectionForm(UnitForm):
    """Whose forms of which period, and how many."""

    period = forms.CharField(label=_("抽查期间"), max_length=10, help_text="2019-06 / 2019-06-18 / to-date")
    size = forms.IntegerField(label=_("样本量"), min_value=1)


class VerdictForm(ActForm):
    """What the reader found in one drawn form."""

    item = forms.ModelChoiceField(label=_("核验单"), queryset=InspectionItem.unscoped.none())
    identity_right = _yes_no(_("主体身份信息"))
    form_right = _yes_no(_("核验单其他信息"))
    remark = _long(_("差错说明"), help_text=_("有差错时必填"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["item"]
        field.queryset = self.case.items.filter(identity_right__isnull=True).select_related("form")
        field.label_from_instance = lambda item: f"{item.rank}. {item.form.form_no}"


class ConcludeForm(ActForm):
    """The conclusion in words; the report adds draw, results and verdicts."""

    conclusion = _long(_("抽查结论"))


class RectificationForm(UnitForm):
    """The findings an order rests on, and what it demands until when."""

    findings = forms.ModelMultipleChoiceField(
        label=_("所依据的差错"),
        queryset=Finding.unscoped.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    reasons = _long(_("整改事由"))
    measures = _long(_("整改要求"), help_text=_("每行一项"))
    days = forms.IntegerField(
        label=_("整改期限（工作日）"), required=False, min_value=1, help_text=_("不填则按试点项目规定")
    )
    shown = 200

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Finding.objects.visible_to(self.actor).filter(unit__province=self.actor.province)
        rows = rows.exclude(state=FindingState.OVERTURNED).select_related("form", "unit").order_by("-pk")
        if unit := self.initial.get("unit"):
            rows = rows.filter(unit=unit)
        field: Any = self.fields["findings"]
        # Only what stands on the page can be chosen from it.
        field.queryset = Finding.unscoped.filter(pk__in=list(rows.values_list("pk", flat=True)[: self.shown]))
        field.queryset = field.queryset.select_related("form", "unit").order_by("-pk")
        field.label_from_instance = lambda finding: (
            f"{finding.number} · {finding.unit.code} · {finding} · {finding.get_state_display()}"
        )


class AnswerForm(ActForm):
    """What the unit did about an order."""

    answer_text = _long(_("整改报告"), rows=8)
    proof = _proof(_("证明材料"))


class SanctionForm(UnitForm):
    """Which measure against which unit, on which grounds."""

    kind = forms.ChoiceField(label=_("措施"), choices=SanctionKind.choices)
    grounds = _long(_("事实和理由"), help_text=_("每行一项"))


class StatementForm(ActForm):
    """The unit states its case."""

    statement = _long(_("陈述申辩意见"), rows=8)
    proof = _proof(_("证明材料"))


class EffectForm(ReauthenticatedForm):
    """A signed decision with its effect date."""

    effect_from = forms.DateTimeField(
        label=_("生效时间"), required=False, help_text=_("格式 2019-07-15 00:00；不填则立即生效")
    )


class LiftForm(ReasonForm):
    """Why and from when a suspended unit is active again."""

    effect_from = forms.DateTimeField(
        label=_("恢复时间"), required=False, help_text=_("格式 2019-08-05 00:00；不填则立即恢复")
    )


class CoordinationForm(UnitForm):
    """A problem, and who is to solve it."""

    owner = forms.ModelChoiceField(label=_("责任单位"), queryset=Organisation.objects.none())
    subject = forms.CharField(label=_("事项"), max_length=255)
    text = _long(_("情况说明"), rows=6)
    home_only = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offices = Organisation.objects.filter(kind__in=[OrganisationKind.MINISTRY, OrganisationKind.BUREAU])
        if not self.actor.is_provider:
            units = register.units(self.actor, at=clock.now()).values("organisation")
            offices = offices | Organisation.objects.filter(pk__in=units)
        field: Any = self.fields["owner"]
        field.queryset = offices.exclude(pk=self.actor.organisation_id or 0).order_by(
            "kind", "province", "name"
        )


class MessageForm(ActForm):
    """A message of the thread; it stands in the history as the act's words."""

    reason = _long(_("内容"), rows=6)


class BulletinForm(ActForm):
    """Which month, and which published bulletin it corrects, if any."""

    period = forms.CharField(label=_("月份"), max_length=7, help_text=_("格式 2019-06，须为已结束的月份"))
    corrects = forms.ModelChoiceField(
        label=_("更正哪一期"), queryset=Bulletin.unscoped.none(), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Bulletin.objects.visible_to(self.actor).filter(state="published").order_by("-sequence")
        field: Any = self.fields["corrects"]
        field.queryset = rows
        field.label_from_instance = lambda bulletin: f"{bulletin.number} · {bulletin}"
