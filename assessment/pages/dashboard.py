"""What review shows on officials' first page: funnel, states, bureaus, provinces; every number opens its rows (O02)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.enums import ApplicationState
from applications.models import Application
from assessment.models import CapabilityAssessment
from assessment.pages import common
from assessment.pages import phases as phase_page
from assessment.rules.phases import Standing
from assessment.selectors import phases, reports, stages
from assessment.selectors.stages import ProvinceFigures, Stage
from pilot import clock
from pilot.actors import Actor
from pilot.charts import Stage as Bar
from pilot.charts import funnel, tile_grid
from pilot.enums import Province
from pilot.models import Programme
from pilot.registry import ListFilter, on_dashboard, pages_of
from pilot.selectors import programmes
from pilot.svg import for_screens
from pilot.tones import tone as tone_of
from pilot.ui import Column, Fold, Link, Row, Section, Tag, Tile, Tone
from pilot.workflow import state_label


def _for_officials(*choices: tuple[str, Any]) -> Any:
    return lambda actor: choices if actor.is_bureau or actor.is_ministry else []


# The list of applications can be asked for whatever this page counts.
_applications = pages_of(Application.slug())
_applications.filters = [
    *_applications.filters,
    ListFilter("reached", gettext_lazy("到达阶段"), _for_officials(*Stage.choices), stages.reached),
    ListFilter(
        "returned",
        gettext_lazy("要求过补正"),
        _for_officials(("yes", gettext_lazy("是")), ("no", gettext_lazy("否"))),
        stages.was_returned,
    ),
]


# So can the list of assessments.
_assessments = pages_of(CapabilityAssessment.slug())
_assessments.filters = [
    *_assessments.filters,
    ListFilter(
        "unconcluded",
        gettext_lazy("尚未结论"),
        _for_officials(("yes", gettext_lazy("是")), ("no", gettext_lazy("否"))),
        phases.assessments_open,
    ),
]


@on_dashboard
def contribute(board: Any, actor: Actor) -> None:
    """Officials see whose turn it is, and how far the applications they may know of have come."""
    if not (actor.is_bureau or actor.is_ministry):
        return
    programme, at = programmes.current(), clock.now()
    states, provinces = stages.by_state(actor), stages.by_province(actor)
    missing, late = reports.missing(programme, at=at) if actor.is_ministry else (frozenset[int](), 0)
    phase = phases.review(programme, at=at)
    owed = phase_page.owed(
        actor, programme, at=at, missing=len(missing), undecided=states.get(ApplicationState.REPORTED, 0)
    )
    lead = phase_page.section_of(phase, owed)
    charts = [
        drawing(states),
        stage_table(states),
        state_table(states),
        *([province_grid(provinces)] if actor.is_ministry else []),
        bureau_table(provinces, actor),
    ]
    told = [_reported(len(missing), late)] if actor.is_ministry else _report_due(actor, programme, at)
    board.tiles = [*board.tiles, *told]
    if phase.standing is Standing.OVER:
        board.past = [*board.past, Fold(phase_page.line(phase, owed), [lead, *charts])]
        return
    board.lead = [*board.lead, lead]
    board.charts = [*board.charts, *charts]


def _report_due(actor: Actor, programme: Programme, at: datetime) -> list[Tile]:
    """How long a bureau has for the report it owes."""
    report = reports.open_report(programme, actor.province or 0)
    if report is None or report.due_at is None:
        return []
    left = programmes.working_days_left(programme, now=at, due=report.due_at)
    late = at >= report.due_at
    label = _("汇总报送已逾期（工作日）") if late else _("汇总报送剩余（工作日）")
    url = reverse("provincial-report_detail", args=[report.pk])
    tone: Tone = "danger" if late else "warning" if left <= phase_page.SOON else "info"
    return [Tile(label, f"{abs(left)}", url, tone=tone)]


def _reported(missing: int, overdue: int) -> Tile:
    """How many bureaus have reported."""
    return Tile(
        _("汇总报送"),
        f"{len(Province) - missing}/{len(Province)}",
        reverse("report_inbox"),
        hint=_("%(n)s 个省局逾期未报送") % {"n": overdue} if overdue else "",
        tone="danger" if overdue else "info" if missing else "success",
    )


def drawing(states: dict[str, int]) -> Section:
    """The funnel as a picture."""
    bars = [Bar(str(stage.label), [stages.at_or_beyond(stage, states)]) for stage in Stage]
    title = _("申请办理漏斗")
    return Section(
        title,
        svg=for_screens(partial(funnel, title, bars, [_("到达该阶段的申请")])) if states else "",
        empty="" if states else _("没有申请"),
    )


def stage_table(states: dict[str, int]) -> Section:
    """The funnel as numbers, each with its share of all that were handed in."""
    everything = stages.at_or_beyond(Stage.SUBMITTED, states)
    rows = []
    for stage in Stage:
        number = stages.at_or_beyond(stage, states)
        rows.append(
            Row("", [str(stage.label), applications(number, reached=stage), share(number, everything)])
        )
    return Section(
        _("各阶段申请数"),
        columns=[
            Column("stage", _("阶段")),
            Column("number", _("申请数"), "end"),
            Column("share", _("占提交申请"), "end"),
        ],
        rows=rows,
        note=_("到达该阶段或其后阶段的申请；已撤回、不予受理、逾期未补正的只计入提交"),
    )


def state_table(states: dict[str, int]) -> Section:
    """How many stand in each state now; the sum is the whole list."""
    rows = [
        Row(
            "",
            [Tag(state_label(Application, state), tone_of(state)), applications(states[state], state=state)],
        )
        for state in ApplicationState
        if state in states
    ]
    total = Row("", [_("合计"), applications(sum(states.values()), view="all")])
    return Section(
        _("申请现状"),
        columns=[Column("state", _("状态")), Column("number", _("申请数"), "end")],
        rows=[*rows, total] if rows else [],
        empty=_("没有申请"),
    )


def province_grid(provinces: Mapping[int, ProvinceFigures]) -> Section:
    """The 31 tiles with the number of applications handed in."""
    return Section(
        _("各省申请数"),
        provinces=tile_grid(
            {code: f"{figures.applications:,}" for code, figures in provinces.items()},
            url=lambda province: _address(province=int(province)),
            tones={code: "danger" for code, figures in provinces.items() if figures.overdue},
        ),
        note=_("红色为有逾期未受理的申请"),
    )


def bureau_table(provinces: Mapping[int, ProvinceFigures], actor: Actor) -> Section:
    """Return rate and overdue acceptances of every bureau with applications, in the official order."""
    rows = [
        Row(
            "",
            [
                common.province(province),
                applications(figures.applications, province=int(province)),
                Link(
                    share(figures.returned, figures.applications),
                    _address(province=int(province), returned="yes"),
                ),
                Link(
                    share(figures.overdue, figures.applications),
                    _address(province=int(province), due="overdue"),
                ),
            ],
            marker="danger" if figures.overdue else "",
        )
        for province in Province
        if (figures := provinces.get(province)) is not None
    ]
    return Section(
        _("各局受理情况") if actor.is_ministry else _("本局受理情况"),
        columns=[
            Column("province", _("省份")),
            Column("applications", _("申请数"), "end"),
            Column("returned", _("要求过补正"), "end"),
            Column("overdue", _("逾期未受理"), "end"),
        ],
        rows=rows,
        empty=_("没有申请"),
        note=_("百分比截位显示，不四舍五入；要求补正后又撤销的不计"),
    )


def share(part: int, whole: int) -> str:
    """A share as ``n/m`` and percent to one place, cut off and not rounded; of nothing without a percentage."""
    if not whole:
        return f"{part}/{whole}"
    permille = part * 1000 // whole
    return f"{part:,}/{whole:,}（{permille // 10}.{permille % 10}%）"


def applications(number: int, **query: str | int) -> Link:
    """A number that opens exactly the applications it counts."""
    return Link(f"{number:,}", _address(**query))


@lru_cache(maxsize=1_000)
def _address(**query: str | int) -> str:
    return f"{reverse('application_list')}?{urlencode(query)}"  # a hundred times on a first page
