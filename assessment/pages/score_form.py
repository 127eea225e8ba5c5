"""The assessor's score sheet as a form: one row of controls per criterion."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from assessment.models import InterestDeclaration
from assessment.pages.evidence import Opener
from assessment.rules import scores as rules
from assessment.selectors import applicants, capability, evidence
from assessment.services import scores
from pilot.forms import ActForm


class ScoreForm(ActForm):
    """Points for every criterion of the case's catalogue, with the material, the page and the words they rest on."""

    case: InterestDeclaration
    page_template = "assessment/score.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assessment = self.case.assessment
        self.criteria = capability.catalogue_of(assessment)
        self.opener = Opener(assessment, self.actor)
        self.materials = self.opener.known
        self.methods = applicants.facts_of(assessment.application).methods
        choices = [("", _("未指明材料")), *((value, m.label) for value, m in self.materials.items())]
        for code, criterion in self.criteria.items():
            controls = {
                "score": forms.IntegerField(label=_("分数"), min_value=0, max_value=criterion.points),
                "source": forms.ChoiceField(label=_("依据材料"), choices=choices, required=False),
                "page": forms.IntegerField(label=_("页码"), min_value=1, max_value=9999, required=False),
                "words": forms.CharField(label=_("说明"), max_length=300, required=False),
            }
            for what, control in controls.items():
                control.label = _("%(criterion)s：%(what)s") % {"criterion": criterion, "what": control.label}
                control.widget.attrs["aria-label"] = control.label
                self.fields[f"{what}_{code}"] = control
            self.fields[f"score_{code}"].widget.attrs |= {
                "data-score": True,
                "data-least": criterion.must_pass,
                "inputmode": "numeric",
            }
        self.fields["comment"] = forms.CharField(
            label=_("评语"), widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=2000
        )

    def rows(self) -> list[dict[str, Any]]:
        """Every criterion with its controls."""
        return [
            {
                "criterion": criterion,
                **{what: self[f"{what}_{code}"] for what in ("score", "source", "page", "words")},
            }
            for code, criterion in self.criteria.items()
        ]

    def full_points(self) -> int:
        """The points of all criteria together."""
        return sum(criterion.points for criterion in self.criteria.values())

    def clean(self) -> dict[str, Any]:
        """The fields of the criteria become one sheet, as the service takes it."""
        data = super().clean() or self.cleaned_data
        points = {code: data[f"score_{code}"] for code in self.criteria if f"score_{code}" in data}
        grounds = {
            code: evidence.Evidence(
                words=data.get(f"words_{code}", ""),
                source=data.get(f"source_{code}", ""),
                page=data.get(f"page_{code}"),
            )
            for code in self.criteria
        }
        for code, ground in grounds.items():
            if words := scores.page_fault(self.materials.get(ground.source), ground.page):
                self.add_error(f"page_{code}", words)
        words_of = {code: ground.words for code, ground in grounds.items()}
        for code in rules.unexplained(points, words_of, capability.weights(self.criteria)):
            self.add_error(f"words_{code}", _("低于最低要求，请写明理由"))
        return {"scores": points, "evidence": grounds, "comment": data.get("comment", "")}
