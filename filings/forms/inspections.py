"""The plan of an inspection as a form: what is asked for, and what it would come to before anything is created."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from filings.enums import InspectionStrata
from filings.forms.common import UnitForm, long_text
from filings.pages import inspection_plan
from filings.pages.inspection_plan import Sketch
from filings.periods import TO_DATE, Period
from filings.selectors import inspections as selector
from filings.selectors import run_months
from filings.services.inspections import MAX_SIZE, Plan
from pilot import clock
from pilot.forms import ActForm
from pilot.ui import Section

PER_PERCENT: Final = 10_000  # parts per million
RISKS: Final = [(100_000, "10%"), (50_000, "5%"), (25_000, "2.5%"), (10_000, "1%"), (1_000, "0.1%")]


def _percent(label: Any, initial: str, **kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal(0),
        max_value=Decimal("99.9999"),
        decimal_places=4,
        initial=initial,
        **kwargs,
    )


def _periods() -> list[tuple[str, Any]]:
    """The months of the run phase, and everything so far."""
    return [
        *((month.name, month.name) for month in run_months.begun(at=clock.now())),
        (TO_DATE, _("截至目前")),
    ]


class InspectionForm(UnitForm):
    """Whose forms of which period, and how large a sample, with the consequences of its size.

    Sent with ``calculate`` it creates nothing: the page comes back with what the plan would come to.
    """

    page_template = "filings/inspection_plan.html"

    period = forms.ChoiceField(label=_("抽查期间"), help_text=_("该期间计入的核验单为总体"))
    strata = forms.ChoiceField(
        label=_("分层"), choices=InspectionStrata.choices, required=False, help_text=_("各层按份数比例抽取")
    )
    risk = forms.TypedChoiceField(
        label=_("抽样风险"),
        choices=RISKS,
        coerce=int,
        initial=50_000,
        help_text=_("不合格总体被误判通过的概率上限"),
    )
    tolerated = _percent(_("可容忍差错率（%）"), "0.05", help_text=_("总体差错率高于此值即不合格"))
    accepted = forms.IntegerField(
        label=_("允许差错数"),
        min_value=0,
        max_value=20,
        initial=0,
        help_text=_("样本中差错不超过此数即通过"),
    )
    size = forms.IntegerField(
        label=_("样本量"),
        min_value=1,
        max_value=MAX_SIZE,
        required=False,
        help_text=_("不填则取所需的最小值"),
    )
    second = forms.IntegerField(
        label=_("二次检查比例（%）"),
        min_value=0,
        max_value=100,
        initial=10,
        help_text=_("样本中由另一人再查一遍的部分"),
    )
    claimed = _percent(_("声称差错率（%）"), "0.05", help_text=_("核查单位所声称的质量是否可信"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].choices = [("", _("请选择")), *_periods()]  # type: ignore[attr-defined]

    def is_valid(self) -> bool:
        """To calculate is not to create."""
        return super().is_valid() and "calculate" not in self.data

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        plan = Plan(
            strata=cleaned["strata"],
            risk=cleaned["risk"],
            tolerated=int(cleaned["tolerated"] * PER_PERCENT),
            accepted=cleaned["accepted"],
            second=cleaned["second"],
            claimed=int(cleaned["claimed"] * PER_PERCENT),
        )
        if not plan.claimed:
            self.add_error("claimed", gettext("声称差错率应大于 0"))
            return cleaned
        frame = selector.frame(
            unit=cleaned["unit"].pk, period=Period.parse(cleaned["period"]), strata=plan.strata
        )
        size = cleaned["size"] or self._size(len(frame.ids), plan)
        if frame.ids and size and min(size, len(frame.ids)) < len(frame.strata):
            words = {"strata": len(frame.strata)}
            self.add_error("size", gettext("总体分为 %(strata)s 层，样本量不能少于层数") % words)
        self._sketch = Sketch(cleaned["unit"], frame.sizes, plan, size or 0)
        return {"unit": cleaned["unit"], "period": cleaned["period"], "size": size, "plan": plan}

    def _size(self, frame: int, plan: Plan) -> int | None:
        """The size that follows from risk and tolerated rate, or the reason why there is none."""
        if not frame:
            self.add_error("size", gettext("该期间目前没有核验单，请填写样本量"))
            return None
        size = inspection_plan.smallest(frame, plan)
        if size is None:
            words = {"frame": frame, "accepted": plan.accepted}
            self.add_error(
                "accepted", gettext("总体 %(frame)s 份按可容忍差错率不能有 %(accepted)s 份差错") % words
            )
        elif size > MAX_SIZE:
            self.add_error(
                "size", gettext("所需样本量 %(size)s 超过 %(most)s") % {"size": size, "most": MAX_SIZE}
            )
        return size

    @cached_property
    def consequences(self) -> list[Section]:
        """What the plan would come to; nothing before it is complete."""
        if not self.is_bound or self.errors:
            return []
        return inspection_plan.sections(self._sketch)


class ConcludeForm(ActForm):
    """The conclusion in words; the report adds draw, results and verdicts."""

    conclusion = long_text(_("抽查结论"))
