"""What the run phase shows on the first page: figures per unit, provinces, and tiles that open what they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final

from django.db.models import Count, Value
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.enums import AlertState, CoordinationState, FindingState, InspectionState, RectificationState
from filings.models import Alert, CoordinationCase, Finding, Inspection, Rectification
from filings.pages import alerts, common, coordination, overview
from filings.periods import TO_DATE
from filings.selectors import rollups
from filings.selectors.counting import Tally
from filings.selectors.units import UnitView, unit_views
from filings.services import charts
from filings.services.figures import judged
from pilot.actors import Actor
from pilot.charts import Bar, bar_chart, sparkline, tile_grid
from pilot.enums import UnitStatusKind
from pilot.machines import Case
from pilot.registry import on_dashboard
from pilot.selectors.unions import Statement, rows_of, union_of
from pilot.svg import for_screens
from pilot.tones import tone
from pilot.ui import ProvinceTile, Section, Tag, Tile, Tone, UnitFigure


@on_dashboard
def contribute(board: Any, actor: Actor) -> None:
    """Add tiles, units, the province grid and the sources of errors, as far as this actor may see them."""
    if not (actor.is_provider or actor.is_bureau or actor.is_ministry):
        return
    board.tiles = [*board.tiles, *tiles(actor)]
    views = unit_views(actor)
    board.units = [*board.units, *(unit_figure(view) for view in views)]
    board.met_heads = common.met_heads(whole=all(view.whole for view in views))
    board.demands = overview.demands(views)
    drawn = overview.drawings(actor, views)
    if drawn:  # one sheet of paper has room for the run phase only
        for section in [*board.lead, *board.charts]:
            section.screen_only = True
    board.charts = [*drawn, *board.charts]
    if not actor.is_provider:
        board.lead = [*alerts.standing(actor), *board.lead]
        board.provinces = province_tiles(actor)
        board.charts = [*board.charts, _sources(actor)]


# What is counted in a tile: label, machine, state, tone.
OPEN_WORK: Final[Sequence[tuple[Any, type[Case], str, Tone]]] = (
    (gettext_lazy("待确认差错"), Finding, FindingState.OPEN, "warning"),
    (gettext_lazy("有争议差错"), Finding, FindingState.DISPUTED, "warning"),
    (gettext_lazy("逾期整改"), Rectification, RectificationState.OVERDUE, "danger"),
    (gettext_lazy("待复核整改"), Rectification, RectificationState.ANSWERED, "warning"),
    (gettext_lazy("整改中"), Rectification, RectificationState.ISSUED, "info"),
    (gettext_lazy("检查中的抽查"), Inspection, InspectionState.IN_PROGRESS, "info"),
    (gettext_lazy("待答复协调事项"), CoordinationCase, CoordinationState.OPEN, "info"),
)
UNSIGNED: Final = "unsigned"


def tiles(actor: Actor) -> list[Tile]:
    """Open work as numbers; each opens exactly the rows it counts."""
    counted = {(name, state): number for state, name, number in rows_of(_counting(actor.as_reader()))}
    late = CoordinationCase.objects.visible_to(actor).filter(coordination.overdue()).count()
    url = f"{reverse('coordination-case_list')}?overdue=yes"
    return [
        *(
            _tile(counted.get((model.slug(), state), 0), label, model, state, tone)
            for label, model, state, tone in OPEN_WORK
        ),
        Tile(_("逾期协调事项"), f"{late:,}", url, tone="danger" if late else "neutral"),
        *([] if actor.is_provider else [_alert_tile(counted)]),
    ]


@lru_cache(maxsize=1_000)
def _counting(actor: Actor) -> Statement:
    """State, machine and number of the cases this actor may know of in a state that has a tile, as SQL.

    Kept, because it hangs on the actor alone: to build it takes longer than to run it.
    """
    asked: dict[type[Case], list[str]] = {}
    for _label, model, state, _tone in OPEN_WORK:
        asked.setdefault(model, []).append(state)
    found = [
        (model.slug(), model.objects.visible_to(actor).filter(state__in=states))
        for model, states in asked.items()
    ]
    if not actor.is_provider:
        standing = Alert.objects.visible_to(actor).filter(state=AlertState.OPEN)
        found += [(Alert.slug(), standing), (UNSIGNED, standing.filter(acknowledged_at__isnull=True))]
    return union_of(
        [
            rows.order_by().values("state", machine=Value(name)).annotate(number=Count("pk"))
            for name, rows in found
        ]
    )


def _alert_tile(counted: Mapping[tuple[str, str], int]) -> Tile:
    """Alerts that hold, and how many of them nobody has taken note of: those are what waits for the reader."""
    standing, unsigned = (counted.get((name, AlertState.OPEN), 0) for name in (Alert.slug(), UNSIGNED))
    hint = _("其中待签收 %(count)s") % {"count": f"{unsigned:,}"} if unsigned else ""
    tile = _tile(standing, _("未解除预警"), Alert, AlertState.OPEN, "danger")
    return replace(tile, hint=hint)


def _tile(count: int, label: str, model: type[Case], state: str, tone: Tone) -> Tile:
    url = f"{reverse(f'{model.slug()}_list')}?state={state}"
    return Tile(str(label), f"{count:,}", url, tone=tone if count else "neutral")


def unit_figure(view: UnitView, province: int | None = None) -> UnitFigure:
    """One unit's line: both figures truncated, with errors / n, and the trend of M1 by month.

    ``province``: the view counts the subjects of this province only.
    """
    unit = view.unit
    m1, m2 = figures_of(view.tally, view)
    status = unit.status or ""
    label = str(UnitStatusKind(status).label) if status else _("尚未生效")
    return UnitFigure(
        name=unit.organisation.name,
        code=unit.code,
        province=str(unit.get_province_display()),
        url=common.unit_url(unit.code),
        status=Tag(label, tone(status)),
        m1_shown=m1["shown"],
        m1_counts=common.ratio(m1, unit.code, TO_DATE, "m1", apart=True, province=province),
        m1=common.met(m1, whole=view.whole),
        m2_shown=m2["shown"],
        m2_counts=common.ratio(m2, unit.code, TO_DATE, "m2", apart=True, province=province),
        m2=common.met(m2, whole=view.whole),
        trend=_trend(view),
    )


def figures_of(tally: Tally, view: UnitView, month: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """M1 and M2 of a tally of a unit, judged by what its programme asked then."""
    counts, (m1, m2) = tally.counts, view.demands[month] if month else view.targets
    return judged(counts.m1_errors, counts.m1_n, m1), judged(counts.m2_errors, counts.m2_n, m2)


def _trend(view: UnitView) -> str:
    """M1 per month in percent; a month without a figure leaves a gap."""
    counts = [tally.counts for tally in view.months.values()]
    values = [charts.share(one.m1_errors, one.m1_n) for one in counts]
    if len(values) < 2:
        return ""
    months = ", ".join(view.months)
    title = _("%(unit)s M1 走势（%(months)s）") % {"unit": view.unit.code, "months": months}
    return _drawn(title, tuple(values))


@lru_cache(maxsize=1_000)
def _drawn(title: str, values: tuple[float | None, ...]) -> str:
    return str(sparkline(title, values))  # of every unit, and it changes once a month


def province_tiles(actor: Actor) -> list[ProvinceTile]:
    """Stored forms per province of the subject; its tone tells of M1 errors. A tile opens the province's page, as far
    as the actor has one, else these forms.
    """
    counted = rollups.by_province(rollups.visible(actor))
    listing = reverse("verification-form_list")
    return tile_grid(
        {code: f"{sums.forms:,}" for code, sums in counted.items() if sums.forms},
        url=lambda province: (
            common.province_url(int(province))
            if overview.may_open(actor, province)
            else f"{listing}?province={int(province)}"
        ),
        tones={code: _tone(sums) for code, sums in counted.items()},
    )


def _tone(sums: rollups.ProvinceSums) -> Tone:
    if not sums.m1_n:
        return "neutral"
    return "warning" if sums.m1_errors else "success"


def _sources(actor: Actor) -> Section:
    """Findings that stand, by source."""
    rows = Finding.objects.visible_to(actor).exclude(state=FindingState.OVERTURNED)
    counted = dict(rows.order_by().values_list("source").annotate(number=Count("pk")))
    choices = Finding._meta.get_field("source").flatchoices
    bars = [Bar(str(label), counted[source]) for source, label in choices if source in counted]
    return Section(
        _("差错来源"),
        svg=for_screens(partial(bar_chart, _("差错来源"), bars)) if bars else "",
        empty="" if bars else _("没有差错"),
        note=_("不含已撤销的差错"),
        screen_only=True,
    )
