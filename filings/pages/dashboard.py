"""What the run phase shows on the first page: figures per unit, provinces, and tiles that open what they count."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from filings.accuracy.thresholds import PPM
from filings.enums import CoordinationState, FindingState, InspectionState, RectificationState
from filings.models import CoordinationCase, Finding, Inspection, Rectification
from filings.pages import common
from filings.selectors import rollups
from filings.selectors.counting import Tally
from filings.selectors.units import UnitView, unit_views
from filings.services import buckets
from filings.services.figures import judged
from pilot.actors import Actor
from pilot.charts import Bar, bar_chart, sparkline, tile_grid
from pilot.enums import UnitStatusKind
from pilot.machines import Case
from pilot.registry import on_dashboard
from pilot.tones import tone
from pilot.ui import ProvinceTile, Section, Tag, Tile, Tone, UnitFigure


@on_dashboard
def contribute(board: Any, actor: Actor) -> None:
    """Add tiles, units, the province grid and the sources of errors, as far as this actor may see them."""
    if not (actor.is_provider or actor.is_bureau or actor.is_ministry):
        return
    buckets.fold()
    board.tiles = [*board.tiles, *tiles(actor)]
    board.units = [*board.units, *(unit_figure(view) for view in unit_views(actor))]
    if not actor.is_provider:
        board.provinces = province_tiles(actor)
        board.charts = [*board.charts, _sources(actor)]


def tiles(actor: Actor) -> list[Tile]:
    """Open work as numbers; each opens exactly the rows it counts."""
    rows: list[tuple[Any, type[Case], str, Tone]] = [
        (_("待确认差错"), Finding, FindingState.OPEN, "warning"),
        (_("有争议差错"), Finding, FindingState.DISPUTED, "warning"),
        (_("逾期整改"), Rectification, RectificationState.OVERDUE, "danger"),
        (_("整改中"), Rectification, RectificationState.ISSUED, "info"),
        (_("检查中的抽查"), Inspection, InspectionState.IN_PROGRESS, "info"),
        (_("待答复协调事项"), CoordinationCase, CoordinationState.OPEN, "info"),
    ]
    return [_tile(actor, label, model, state, tone) for label, model, state, tone in rows]


def _tile(actor: Actor, label: str, model: type[Case], state: str, tone: Tone) -> Tile:
    count = model.objects.visible_to(actor).filter(state=state).count()
    url = f"{reverse(f'{model.slug()}_list')}?state={state}"
    return Tile(str(label), f"{count:,}", url, tone=tone if count else "neutral")


def unit_figure(view: UnitView) -> UnitFigure:
    """One unit's line: both figures truncated, with errors / n, and the trend of M1 by month."""
    unit = view.unit
    m1, m2 = figures_of(view.tally, view)
    status = unit.status or ""
    label = str(UnitStatusKind(status).label) if status else _("尚未生效")
    return UnitFigure(
        name=unit.organisation.name,
        code=unit.code,
        province=str(unit.get_province_display()),
        url=reverse("pilot-unit_detail", args=[unit.code]),
        status=Tag(label, tone(status)),
        m1_shown=m1["shown"],
        m1_counts=common.counts(m1),
        m1=common.met(m1),
        m2_shown=m2["shown"],
        m2_counts=common.counts(m2),
        m2=common.met(m2),
        trend=_trend(view),
    )


def figures_of(tally: Tally, view: UnitView) -> tuple[dict[str, Any], dict[str, Any]]:
    """M1 and M2 of a tally of a unit, judged by its programme's thresholds."""
    counts, (m1, m2) = tally.counts, view.targets
    return judged(counts.m1_errors, counts.m1_n, m1), judged(counts.m2_errors, counts.m2_n, m2)


def _trend(view: UnitView) -> str:
    """M1 per month in percent; a month without a figure leaves a gap."""
    values = [accuracy_percent(tally) for tally in view.months.values()]
    if len(values) < 2:
        return ""
    months = ", ".join(view.months)
    title = _("%(unit)s M1 走势（%(months)s）") % {"unit": view.unit.code, "months": months}
    return str(sparkline(title, values))


def accuracy_percent(tally: Tally) -> float | None:
    """M1 as a number for drawing only, from whole parts per million; it decides nothing."""
    counts = tally.counts
    if not counts.m1_n:
        return None
    return ((counts.m1_n - counts.m1_errors) * PPM // counts.m1_n) / (PPM // 100)


def province_tiles(actor: Actor) -> list[ProvinceTile]:
    """Stored forms per province of the subject; each tile opens these forms, its tone tells of M1 errors."""
    rows = rollups.visible(actor)
    tallies = rollups.summed(rows, "subject_province")
    listing = reverse("verification-form_list")
    return tile_grid(
        {code: f"{forms:,}" for code, forms in rollups.forms_by_province(rows).items() if forms},
        url=lambda province: f"{listing}?province={int(province)}",
        tones={code: _tone(tally) for code, tally in tallies.items()},
    )


def _tone(tally: Tally) -> Tone:
    if not tally.counts.m1_n:
        return "neutral"
    return "warning" if tally.counts.m1_errors else "success"


def _sources(actor: Actor) -> Section:
    """Findings that stand, by source."""
    rows = Finding.objects.visible_to(actor).exclude(state=FindingState.OVERTURNED)
    counted = dict(rows.order_by().values_list("source").annotate(number=Count("pk")))
    choices = Finding._meta.get_field("source").flatchoices
    bars = [Bar(str(label), counted[source]) for source, label in choices if source in counted]
    return Section(
        _("差错来源"),
        svg=str(bar_chart(_("差错来源"), bars)) if bars else "",
        empty="" if bars else _("没有差错"),
        note=_("不含已撤销的差错"),
    )
