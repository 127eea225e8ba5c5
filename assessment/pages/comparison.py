"""Two provinces, or two lists, side by side (O04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.models import Application
from assessment.pages.dashboard import share
from assessment.rules.comparison import LEAST
from assessment.selectors import comparison
from assessment.selectors.comparison import Figures, Side
from assessment.selectors.stages import Stage
from pilot import clock
from pilot.actors import Actor
from pilot.charts import Stage as Bars
from pilot.charts import side_by_side
from pilot.context import EXTRA
from pilot.registry import Group, ListFilter, pages_of
from pilot.svg import for_screens
from pilot.ui import Column, Link, PlainPage, Row, Section

EXTRA.append((Group.REVIEW, "comparison", gettext_lazy("对比分析"), "columns-2"))

# The list of applications can be asked for the rows of a list of decisions.
_applications = pages_of(Application.slug())
_applications.filters = [
    *_applications.filters,
    ListFilter("batch", gettext_lazy("名单批次"), comparison.choices, comparison.batch),
]


class SidesForm(forms.Form):
    """Which two are compared; what is asked stands in the address."""

    def __init__(self, asked: Mapping[str, Any] | None, *, sides: Mapping[str, Side], own: str) -> None:
        super().__init__(asked)
        groups = {"province": _("省份"), "batch": _("名单批次")}
        found = {
            label: [(key, side.label) for key, side in sides.items() if side.query[0] == kind]
            for kind, label in groups.items()
        }
        choices = [("", _("请选择")), *((label, rows) for label, rows in found.items() if rows)]
        self.fields["left"] = forms.ChoiceField(label=_("对比对象一"), choices=choices, initial=own)
        self.fields["right"] = forms.ChoiceField(label=_("对比对象二"), choices=choices)

    def clean_right(self) -> str:
        right: str = self.cleaned_data["right"]
        if right == self.cleaned_data.get("left"):
            raise forms.ValidationError(_("两个对比对象相同，请另选一个"))
        return right


@dataclass(slots=True)
class ComparisonPage(PlainPage):
    """The choice, as of when, and what was found."""

    form: SidesForm | None = None
    as_of: datetime | None = None
    chosen: str = ""


def page(actor: Actor, asked: Mapping[str, Any]) -> ComparisonPage:
    """What this official asked for; without a question only the choice, a bureau's own province set already."""
    sides = comparison.sides(actor)
    own = f"province-{actor.province}" if actor.is_bureau else ""
    form = SidesForm(asked or None, sides=sides, own=own)
    built = ComparisonPage(
        title=_("对比分析"),
        crumbs=[Link(_("首页"), reverse("home"))],
        intro=_(
            "选择两个省份或两个名单批次，逐阶段比较申请办理情况。对比后显示各阶段申请数、占比和相差，并把两方的申请数并排画出。"
        ),
        form=form,
        as_of=clock.now(),
    )
    if form.is_bound and form.is_valid():
        left, right = (sides[form.cleaned_data[name]] for name in ("left", "right"))
        built.chosen = _("%(left)s 与 %(right)s") % {"left": left.label, "right": right.label}
        built.sections = _sections(left, right)
    return built


def _sections(left: Side, right: Side) -> list[Section]:
    found = [(side, comparison.figures(side)) for side in (left, right)]
    rows = [
        _row(str(stage.label), {"reached": str(stage)}, [(side, f, f.stages[stage]) for side, f in found])
        for stage in Stage
    ]
    rows += [
        _row(_("要求过补正"), {"returned": "yes"}, [(side, f, f.returned) for side, f in found]),
        _row(_("逾期未受理"), {"due": "overdue"}, [(side, f, f.overdue) for side, f in found]),
    ]
    hidden = "" if left.whole and right.whole else _small()
    table = Section(
        _("逐项对比"),
        columns=[
            Column("figure", _("指标")),
            *(Column(name, side.label, "end") for name, (side, _f) in zip("lr", found, strict=True)),
            Column("difference", _("相差"), "end"),
        ],
        rows=rows,
        note=" ".join(
            [_("括号内为占提交申请的百分比，截位显示；相差为后者减前者。"), *([hidden] if hidden else [])]
        ),
    )
    drawn = _drawing(found)
    return [table, *([drawn] if drawn else [])]


def _small() -> str:
    return _("对无权查看其申请的一方，少于 %(n)s 件的数字和可由此推算的数字不显示。") % {"n": LEAST}


def _row(label: str, query: dict[str, str], found: list[tuple[Side, Figures, int | None]]) -> Row:
    (_l, _lf, first), (_r, _rf, second) = found
    return Row(
        "",
        [
            label,
            *(_cell(side, figures, number, query) for side, figures, number in found),
            _apart(first, second),
        ],
    )


def _apart(first: int | None, second: int | None) -> str:
    if first is None or second is None:
        return _("不显示")
    return f"{second - first:+,}" if second != first else "0"


def _cell(side: Side, figures: Figures, number: int | None, query: dict[str, str]) -> Any:
    """A number with its share; it opens its cases where the reader may see them."""
    everything = figures.stages[Stage.SUBMITTED]
    if number is None or everything is None:
        return _("不显示")
    words = share(number, everything)
    if not side.whole:
        return words
    name, value = side.query
    return Link(words, f"{reverse('application_list')}?{urlencode({name: value, **query})}")


def _drawing(found: list[tuple[Side, Figures]]) -> Section | None:
    """Both sides in one picture, stage by stage; none where a number is not told."""
    title = _("各阶段申请数对比")
    stages = []
    for stage in Stage:
        numbers = [figures.stages[stage] for _side, figures in found]
        if None in numbers:
            return None
        stages.append(Bars(str(stage.label), [number or 0 for number in numbers]))
    sides = [side.label for side, _figures in found]
    return Section(title, svg=for_screens(partial(side_by_side, title, stages, sides)))
