"""What answering findings, orders and sanctions ask for. Shape only: transitions and services decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from filings import phrases
from filings.enums import FIELD_LABELS, FindingState, SanctionKind
from filings.forms.common import UnitForm, long_text
from filings.models import Finding, FindingCause, Inspection
from filings.services import attachments, supervision
from filings.services.attachments import MAX_FILES, Proof
from filings.services.findings import COUNTED
from filings.transitions.findings import TOGETHER
from pilot import clock
from pilot.errors import Refused
from pilot.forms import ActForm, ReasonForm, ReauthenticatedForm, RemarkForm, whole_number
from pilot.models import PilotUnit
from pilot.rules import local_day
from pilot.selectors import programmes
from pilot.services.letters import last_day


# --- files ----------------------------------------------------------------------------------------
class SeveralFilesInput(forms.FileInput):
    """A control for one file or more."""

    allow_multiple_selected = True


class ProofsField(forms.FileField):
    """Up to five files, each looked at by its content and scanned before the act begins."""

    widget = SeveralFilesInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"})

    def __init__(self, label: Any) -> None:
        words = _("可选，最多 5 个文件；PDF、JPG 或 PNG，每个不超过 10 MB")
        super().__init__(label=label, required=False, allow_empty_file=True, help_text=words)

    def clean(self, data: Any, initial: Any = None) -> list[Proof]:
        given: Sequence[Any] = [one for one in (data if isinstance(data, list | tuple) else [data]) if one]
        if len(given) > MAX_FILES:
            raise forms.ValidationError(gettext("最多提交 %(most)s 个文件") % {"most": MAX_FILES})
        return [self._examined(super(ProofsField, self).clean(one, initial)) for one in given]

    def _examined(self, upload: Any) -> Proof:
        try:
            return attachments.examine(upload)
        except Refused as refusal:
            raise forms.ValidationError(f"{upload.name}：{refusal.message}") from refusal


# --- findings -------------------------------------------------------------------------------------
class FindingBoxes(forms.ModelMultipleChoiceField):
    """Findings to tick; each says its number, form, item and state."""

    def __init__(self, label: Any, *, required: bool = False, help_text: Any = "") -> None:
        super().__init__(
            label=label,
            queryset=Finding.unscoped.none(),
            required=required,
            help_text=help_text,
            widget=forms.CheckboxSelectMultiple(attrs={"class": "lines"}),
        )

    def label_from_instance(self, obj: Any) -> str:
        item = FIELD_LABELS.get(obj.field, obj.field)
        return f"{obj.number} · {obj.form.form_no} · {item} · {obj.get_state_display()}"

    def offer(self, rows: QuerySet[Finding], most: int) -> None:
        """Offer the first of these rows; only what stands on the page can be chosen from it."""
        keys = list(rows.values_list("pk", flat=True)[:most])
        offered = Finding.unscoped.filter(pk__in=keys).select_related("form", "cause").order_by("-pk")
        self.queryset = offered


class TogetherForm(ActForm):
    """Base of what a unit says of one finding and, in the same act, of others like it."""

    others = FindingBoxes(_("一并办理"), help_text=_("同一原因的其他差错可以一次办理，最多 200 条"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = self.alike().exclude(pk=self.case.pk)
        boxes: Any = self.fields["others"]
        boxes.offer(rows.order_by("-pk"), TOGETHER - 1)
        if not boxes.queryset.exists():
            del self.fields["others"]

    def alike(self) -> QuerySet[Finding]:
        """The unit's findings that stand where this one stands, of the same item and source."""
        rows: QuerySet[Finding] = Finding.objects.visible_to(self.actor).filter(
            unit=self.case.unit_id, state=self.case.state
        )
        return rows.filter(field=self.case.field, source=self.case.source)


class CauseFields(forms.Form):
    """A cause on record, or a new one."""

    cause = forms.ModelChoiceField(
        label=_("已记录的差错原因"),
        queryset=FindingCause.unscoped.none(),
        required=False,
        empty_label=_("（新的原因，或不填）"),
    )
    cause_text = forms.CharField(
        label=_("新的差错原因"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("同一原因只记录一次，供整改时使用；请勿填写个人信息"),
    )


class ConfirmForm(TogetherForm, RemarkForm, CauseFields):
    """The unit agrees, for one finding or several, and may say why they came about."""

    field_order = ("others", "cause", "cause_text", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        causes: Any = self.fields["cause"]
        causes.queryset = FindingCause.unscoped.filter(unit=self.case.unit_id).order_by("-pk")


class CauseForm(TogetherForm, CauseFields):
    """Why confirmed findings came about."""

    field_order = ("cause", "cause_text", "others")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        causes: Any = self.fields["cause"]
        causes.queryset = FindingCause.unscoped.filter(unit=self.case.unit_id).order_by("-pk")

    def alike(self) -> QuerySet[Finding]:
        rows: QuerySet[Finding] = Finding.objects.visible_to(self.actor).filter(
            unit=self.case.unit_id, state__in=COUNTED, cause__isnull=True
        )
        return rows


class DisputeForm(TogetherForm, ReasonForm):
    """Grounds and files of proof, for one finding or several of one cause."""

    proofs = ProofsField(_("证明材料"))
    field_order = ("reason", "proofs", "others")


class DecisionForm(ReasonForm):
    """An official's decision on a dispute; its page shows the form and the proof side by side."""

    page_template = "filings/finding_decision.html"

    @property
    def proofs(self) -> list[tuple[Any, str, bool]]:
        """The files of the dispute: each with its address, and whether it is a picture that can be shown."""
        files = attachments.of(self.case)
        return [
            (one, reverse("document", args=[one.pk]), one.content_type.startswith("image/")) for one in files
        ]


# --- rectification orders ---------------------------------------------------------------------------
class RectificationForm(UnitForm):
    """The findings an order rests on, and what it demands until when. With ``?unit=`` the words are prefilled."""

    findings = FindingBoxes(_("所依据的差错"), required=True)
    reasons = long_text(_("整改事由"), help_text=_("每行一项；按所列差错的原因和数据项汇总，可以修改"))
    phrases = forms.MultipleChoiceField(
        label=_("常用整改要求"),
        required=False,
        choices=list(phrases.MEASURES.items()),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "lines"}),
    )
    measures = long_text(_("其他整改要求"), help_text=_("每行一项"), required=False)
    days = forms.IntegerField(label=_("整改期限（工作日）"), required=False, min_value=1)
    shown = 200

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows: Any = Finding.objects.visible_to(self.actor).filter(unit__province=self.actor.province)
        rows = rows.exclude(state=FindingState.OVERTURNED).order_by("-pk")
        unit = self._unit()
        if unit is not None:
            rows = rows.filter(unit=unit)
        boxes: Any = self.fields["findings"]
        boxes.offer(rows, self.shown)
        if not boxes.queryset:
            boxes.help_text = gettext("没有可以列入的差错")
        if unit is not None:
            self._prefill(unit, list(boxes.queryset))

    def _unit(self) -> PilotUnit | None:
        """The unit the address names, if it is one of those offered."""
        named = whole_number(str(self.initial.get("unit", "")))
        if named is None:
            self.initial.pop("unit", None)
            return None
        offered: Any = self.fields["unit"]
        found: PilotUnit | None = offered.queryset.filter(pk=named).first()
        return found

    def _prefill(self, unit: PilotUnit, rows: list[Finding]) -> None:
        free = [row for row in rows if row.state in COUNTED] or rows
        words = supervision.suggest(unit=unit, findings=free)
        self.initial.setdefault("findings", [row.pk for row in free])
        self.initial.setdefault("reasons", words.reasons)
        self.initial.setdefault("phrases", words.phrases)
        days = programmes.rule(unit.programme, "rectification_days")
        until = last_day(programmes.deadline(unit.programme, start=clock.now(), days=days))
        self.fields["days"].help_text = gettext(
            "不填则按试点项目规定为 %(days)s 个工作日；如今天签发，期限至 %(until)s（含当日）"
        ) % {"days": days, "until": until}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [phrases.MEASURES[name] for name in cleaned.pop("phrases", [])]
        cleaned["measures"] = "\n".join([*chosen, *phrases.lines(cleaned.get("measures") or "")])
        if not cleaned["measures"]:
            self.add_error("phrases", gettext("请选择或填写整改要求"))
        return cleaned


class AnswerForm(ActForm):
    """What the unit did about an order."""

    answer_text = long_text(_("整改报告"), rows=8)
    proofs = ProofsField(_("证明材料"))


class AcceptForm(ActForm):
    """The lead is satisfied; without a concluded fresh sample it is said why none is needed."""

    reason = forms.CharField(
        label=_("办结说明"),
        help_text=_("没有复查结论的，请说明不需要复查的理由"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=2000,
    )


class RecheckForm(ActForm):
    """Which inspection is the recheck of an order."""

    recheck = forms.ModelChoiceField(
        label=_("复查抽样"),
        queryset=Inspection.unscoped.none(),
        help_text=_("整改通知签发后对该单位另行抽样的抽查；没有的，请先制定抽查计划"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["recheck"]
        field.queryset = supervision.rechecks_for(self.case)
        field.label_from_instance = lambda row: f"{row.number} · {row.period} · {row.get_state_display()}"


# --- sanctions --------------------------------------------------------------------------------------
class SanctionForm(UnitForm):
    """Which measure against which unit, on which grounds. With ``?unit=`` the unit's record is prefilled."""

    kind = forms.ChoiceField(label=_("措施"), choices=[("", _("请选择")), *SanctionKind.choices])
    grounds = long_text(_("事实和理由"), help_text=_("每行一项"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units: Any = self.fields["unit"]
        unit = units.queryset.filter(pk=whole_number(str(self.initial.get("unit", ""))) or 0).first()
        if unit is None:
            self.initial.pop("unit", None)
        else:
            self.initial.setdefault("grounds", supervision.grounds_of(unit))


class StatementForm(ActForm):
    """The unit states its case."""

    statement = long_text(_("陈述申辩意见"), rows=8)
    proofs = ProofsField(_("证明材料"))


class HearingForm(ActForm):
    """How a statement was judged; whoever fills it in is the one who received it."""

    opinion = long_text(_("复核意见"), help_text=_("写入陈述申辩记录和处理决定"))


def _tomorrow() -> dict[str, str]:
    """An example of a time that is still to come."""
    return {"example": f"{local_day(clock.now()) + timedelta(days=1)} 00:00"}


class EffectForm(ReauthenticatedForm):
    """A signed decision with its effect date."""

    effect_from = forms.DateTimeField(label=_("生效时间"), required=False)
    field_order = ("effect_from", "reason", "password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["effect_from"].help_text = gettext("格式 %(example)s；不填则立即生效") % _tomorrow()


class LiftForm(ReasonForm):
    """Why and from when a suspended unit is active again."""

    effect_from = forms.DateTimeField(label=_("恢复时间"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["effect_from"].help_text = gettext("格式 %(example)s；不填则立即恢复") % _tomorrow()
