"""What the acts of review and assessment ask for: shape only, law is in transitions and services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assessment.enums import ItemVerdict
from assessment.models import ApprovalList, Opinion
from assessment.selectors import candidates, capability, lists, material
from pilot.forms import ActForm, RemarkForm
from pilot.masking import mask_name
from pilot.models import Condition


class OpinionForm(ActForm):
    """A verdict and its evidence for every condition of the programme; the recommendation follows from them.

    Where there is no draft yet, the marks of the intake review give the evidence (``prefilled`` names those
    conditions); the verdict is always the reviewer's own.
    """

    remark = forms.CharField(
        label=gettext_lazy("审核意见"),
        help_text=gettext_lazy("随汇总表报部，签发后部可见；不符合条件的，为对外答复的依据"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=2000,
    )
    internal_remark = forms.CharField(
        label=gettext_lazy("内部备注"),
        help_text=gettext_lazy("仅本局审核人员和负责人可见，不报部，不对外公开"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=2000,
    )

    case: Opinion

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conditions = list(Condition.objects.filter(programme=self.case.application.programme_id))
        marked = {} if self.case.checklist else material.evidence(self.case.application)
        self.prefilled = frozenset(marked)
        for condition in self.conditions:
            before = self.case.checklist.get(str(condition.number), {})
            self.fields[f"verdict_{condition.number}"] = forms.ChoiceField(
                label=f"{condition.clause} {condition}",
                choices=ItemVerdict.choices,
                widget=forms.RadioSelect,
                initial=before.get("verdict"),
            )
            self.fields[f"evidence_{condition.number}"] = forms.CharField(
                label=_("第 %(n)s 项条件的依据") % {"n": condition.number},
                help_text=_("材料名称和页码；不符合、不适用的必须填写"),
                widget=forms.Textarea(attrs={"rows": 4}),
                required=False,
                max_length=material.MOST_EVIDENCE,
                initial=before.get("evidence", marked.get(condition.number)),
            )
        self.fields["remark"].initial = self.case.remark
        self.fields["internal_remark"].initial = self.case.internal_remark
        self.order_fields([name for name in self.fields if "remark" not in name])

    def clean(self) -> dict[str, Any]:
        """The fields of the conditions become one checklist, as the transition takes it."""
        data = super().clean() or self.cleaned_data
        for condition in self.conditions:
            self._ask_for_evidence(condition.number, data)
        return {
            "checklist": {
                condition.number: {
                    "verdict": data.get(f"verdict_{condition.number}", ""),
                    "evidence": data.get(f"evidence_{condition.number}", ""),
                }
                for condition in self.conditions
            },
            "remark": data.get("remark", ""),
            "internal_remark": data.get("internal_remark", ""),
        }

    def _ask_for_evidence(self, number: int, data: dict[str, Any]) -> None:
        """At its field, and for all conditions at once; the service would name the first one."""
        verdict, evidence = data.get(f"verdict_{number}"), data.get(f"evidence_{number}", "").strip()
        if verdict and verdict != ItemVerdict.MET and not evidence:
            self.add_error(f"evidence_{number}", _("不符合、不适用的须写明依据"))


class SendReportForm(RemarkForm):
    """Who filled in the sheet, and whether it is a nil return."""

    filled_in_by = forms.CharField(label=gettext_lazy("填报人"), max_length=64)
    phone = forms.CharField(label=gettext_lazy("联系电话"), max_length=32)
    nil = forms.BooleanField(
        label=gettext_lazy("本次没有应报送的申请，作零报告"),
        required=False,
        help_text=gettext_lazy("有应报送的申请时不能勾选"),
    )
    field_order = ["filled_in_by", "phone", "nil", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["filled_in_by"].initial = self.actor.name
        self.fields["phone"].initial = self.case.phone


class _Candidates:
    """Choices of which some cannot be made; ``barred`` holds their values."""

    barred: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)  # type: ignore[misc]
        if str(value) in self.barred:
            option["attrs"]["disabled"] = True
        return option


class CandidateCheckboxes(_Candidates, forms.CheckboxSelectMultiple):
    """Several candidates to tick."""


class CandidateRadios(_Candidates, forms.RadioSelect):
    """One candidate to choose."""


def offer(field: Any, found: Sequence[candidates.Candidate]) -> None:
    """Let a field offer candidates in this order, each with its load, the suggestion, or what stands against it.

    Choosing somebody barred all the same is refused where the act is done.
    """
    field.queryset = capability.candidates()
    field.choices = [(each.member.pk, _candidate_label(each)) for each in found]
    field.widget.barred = frozenset(str(each.member.pk) for each in found if each.tie)


def _candidate_label(candidate: candidates.Candidate) -> str:
    words = _("%(person)s（%(agency)s），在办 %(open)s 件，累计 %(total)s 件") % {
        "person": f"{mask_name(candidate.member.person.name)} {candidate.member.person.username}",
        "agency": candidate.member.organisation,
        "open": candidate.load.in_hand,
        "total": candidate.load.total,
    }
    if candidate.tie:
        return _("%(who)s。不能选定：%(why)s") % {"who": words, "why": candidate.tie}
    return _("%(who)s【建议】") % {"who": words} if candidate.suggested else words


class AssessorsForm(RemarkForm):
    """The assessors to ask, least loaded first; who has ties is shown with the reason and cannot be chosen."""

    assessors: Any = forms.ModelMultipleChoiceField(
        label=gettext_lazy("评估人员"),
        queryset=None,
        widget=CandidateCheckboxes(attrs={"class": "lines"}),
        help_text=gettext_lazy("按在办件数由少到多排列；“建议”为在办最少、来自不同机构的人员"),
    )
    field_order = ["assessors", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agencies = [member.agency_id for member in candidates.staying(self.case)]
        wanted = max(1, capability.LEAST_ASSESSORS - len(agencies))
        found = candidates.of_case(self.case, self.actor, wanted=wanted, besides=agencies)
        offer(self.fields["assessors"], found)


class ModeratorForm(RemarkForm):
    """The assessor to ask for the moderation, of an agency that has not scored if there is one."""

    moderator: Any = forms.ModelChoiceField(
        label=gettext_lazy("复议人员"),
        queryset=None,
        empty_label=None,
        widget=CandidateRadios(attrs={"class": "lines"}),
        help_text=gettext_lazy("按在办件数由少到多排列；“建议”为在办最少、来自不同机构的人员"),
    )
    field_order = ["moderator", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agencies = [member.agency_id for member in capability.panel(self.case)]
        offer(self.fields["moderator"], candidates.of_case(self.case, self.actor, wanted=1, besides=agencies))


class ConclusionForm(RemarkForm):
    """The conclusion in words; points and verdict follow from the scores."""

    conclusion = forms.CharField(
        label=gettext_lazy("评估结论"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000
    )
    field_order = ["conclusion", "reason"]


class TestSetForm(ActForm):
    """A test set with its key, which stays in the portal."""

    title = forms.CharField(label=gettext_lazy("测试集名称"), max_length=128)
    key = forms.FileField(
        label=gettext_lazy("样本和答案"),
        help_text=gettext_lazy(
            "CSV，第一行为 sample,expected，其后每行一个样本编号和 genuine（真样本）或 impostor（假样本）；"
            "不超过 5 MB、10 万个样本"
        ),
    )


class EffectForm(ActForm):
    """From when a list takes effect."""

    effective_from = forms.DateTimeField(
        label=gettext_lazy("生效时间"),
        widget=forms.DateTimeInput(format="%Y-%m-%d %H:%M"),
        help_text=gettext_lazy("格式 2019-05-16 00:00，不早于试点运行阶段开始"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        case: ApprovalList | None = self.case
        self.fields["effective_from"].initial = case.effective_from if case else lists.first_effect()


class PrepareForm(EffectForm, RemarkForm):
    """The date of effect may still be set when the list is handed up."""

    field_order = ["effective_from", "reason"]


class NothingForm(ActForm):
    """An act that needs nothing but a confirmation."""
