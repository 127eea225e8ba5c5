"""A province's part of the figures, unit by unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from filings.pages import common, overview
from filings.pages.dashboard import unit_figure
from filings.selectors import counting, rollups
from filings.selectors.counting import Tally
from filings.selectors.units import UnitView
from pilot import clock
from pilot.actors import Actor
from pilot.enums import Province
from pilot.ui import Dashboard, Tile


def board_of(actor: Actor, province: int, views: Sequence[UnitView]) -> Dashboard:
    """The part of every figure that concerns subjects of a province."""
    rows = rollups.visible(actor).filter(subject_province=province)
    daily = rollups.days_visible(actor).filter(subject_province=province)
    shown = [view for view in views if view.tally.versions or view.tally.counts.late]
    total = sum((view.tally for view in shown), start=counting.NOTHING)
    title = _("%(province)s准确率") % {"province": Province(province).label}
    board = Dashboard(title=title, as_of=clock.now())
    board.tiles = _tiles(rows, province, total, len(shown))
    board.units = [unit_figure(view, province) for view in shown]
    board.met_heads = common.met_heads(whole=False)
    board.charts = overview.charts_of(views, daily, total, None)
    return board


def _tiles(rows: Any, province: int, total: Tally, units: int) -> list[Tile]:
    forms = rollups.forms_by_province(rows).get(province, 0)
    counts = total.counts
    return [
        Tile(
            _("核验单"),
            f"{forms:,}",
            f"{reverse('verification-form_list')}?province={province}",
            hint=_("备案主体在本省，含各版次和迟报 %(late)s 份") % {"late": f"{counts.late:,}"},
        ),
        Tile(_("有核验单的试点单位"), f"{units:,}", "#units"),
        Tile(_("M1 差错 / 计数"), common.counts({"errors": counts.m1_errors, "n": counts.m1_n}), "#units"),
        Tile(_("M2 差错 / 计数"), common.counts({"errors": counts.m2_errors, "n": counts.m2_n}), "#units"),
        Tile(_("待比对"), f"{counts.pending:,}", "#units"),
        Tile(_("无法判定"), f"{counts.undeterminable:,}", "#units"),
    ]
