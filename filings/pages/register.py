"""The register of pilot units as a list: what can be asked of it, in which order, and what a line says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from filings.forms.units import UnitFilter
from filings.pages import common
from filings.pages.dashboard import figures_of, unit_figure
from filings.periods import TO_DATE
from filings.selectors.units import UnitView, unit_views
from pilot import clock
from pilot.actors import Actor
from pilot.registry import on_dashboard
from pilot.rules import local_day
from pilot.selectors import programmes, register
from pilot.selectors.register import Opened
from pilot.ui import Column, Row, Tag, Tile, Tone

SORTS = {
    "code": "code",
    "name": "organisation__name",
    "province": "province",
    "status": "status",
    "licence": "licence_expires_on",
}


NBSP = "\u00a0"  # keeps a number with its unit on one line


def rows_for(rows: QuerySet[Any], wanted: Mapping[str, Any], sort: str) -> QuerySet[Any]:
    """The units that answer the filter bar, in the order asked for (by code, unless it is one of ``SORTS``)."""
    now = clock.now()
    if text := (wanted.get("q") or "").strip():
        rows = rows.filter(Q(code__icontains=text) | Q(organisation__name__icontains=text))
    if wanted.get("status"):
        rows = rows.filter(status=wanted["status"])
    if wanted.get("province"):
        rows = rows.filter(province=wanted["province"])
    if wanted.get("opened"):
        rows = register.open_in(rows, wanted["opened"], at=now)
    if wanted.get("licence"):
        rows = register.licence_within(rows, wanted["licence"], today=local_day(now))
    if (path := SORTS.get(sort.removeprefix("-"))) is None:
        return rows
    order = F(path).desc(nulls_last=True) if sort.startswith("-") else F(path).asc(nulls_last=True)
    return rows.order_by(order, "code")


def filter_form(asked: Mapping[str, Any]) -> UnitFilter:
    """The filter bar with what an address asks for; it knows the days of the licence watch."""
    return UnitFilter(asked or None, days=register.watch_days(programmes.current()))


def lines(actor: Actor, units: Sequence[Any], *, days: Sequence[int]) -> list[Row]:
    """The lines of these units, each with its scope and its figures to date; ``days``: of the licence watch."""
    if not units:
        return []
    now = clock.now()
    shown = {view.unit.pk: view for view in unit_views(actor, of=units)}
    opened = register.opened(shown, at=now)
    return [row(shown[one.pk], opened.get(one.pk), today=local_day(now), days=days) for one in units]


def licence_tag(unit: Any, *, today: date, days: Sequence[int]) -> Tag | None:
    """How near the end of a licence is, by the marks of the watch; None where nobody need look.

    ``unit`` carries its status; one that has left the pilot is not watched.
    """
    last, stage = (
        unit.licence_expires_on,
        register.watch_stage(unit.licence_expires_on, today=today, days=days),
    )
    if last is None or unit.status in register.LEFT:
        return None
    if last < today:
        return Tag(_("已到期"), "danger")
    if last == today:
        return Tag(_("今日到期"), "danger")
    if stage is None:
        return None
    tone: Tone = "warning" if stage == min(mark for mark in days if mark > 0) else "info"
    return Tag(_("%(days)s 天内到期") % {"days": stage}, tone)


def scope_words(opened: Opened | None) -> str:
    """How much is open, in a few words: provinces by filing types, and that not every pair of both is."""
    if opened is None:
        return _("未开通")
    words = _("%(provinces)s 省，%(types)s 类备案") % {
        "provinces": opened.provinces,
        "types": opened.filing_types,
    }
    words = words.replace(" ", NBSP)
    return (
        words
        if opened.cells == opened.provinces * opened.filing_types
        else _("%(scope)s（部分）") % {"scope": words}
    )


def columns() -> list[Column]:
    """The columns of the register."""
    return [
        Column("name", _("试点单位"), sort="name"),
        Column("code", _("编号"), sort="code"),
        Column("province", _("注册省"), sort="province"),
        Column("status", _("状态"), sort="status"),
        Column("scope", _("开通范围")),
        Column("licence", _("许可证有效期至"), sort="licence"),
        Column("m1", _("M1 准确率"), "end"),
        Column("m2", _("M2 准确率"), "end"),
    ]


def row(view: UnitView, opened: Opened | None, *, today: date, days: Sequence[int]) -> Row:
    """A unit's line in the register."""
    figure, unit = unit_figure(view), view.unit
    m1, m2 = figures_of(view.tally, view)
    return Row(
        figure.url,
        [
            figure.name,
            figure.code,
            figure.province,
            figure.status,
            scope_words(opened),
            _licence(unit, licence_tag(unit, today=today, days=days), today),
            common.ratio(m1, unit.code, TO_DATE, "m1", verdict=figure.m1),
            common.ratio(m2, unit.code, TO_DATE, "m2", verdict=figure.m2),
        ],
    )


def _licence(unit: Any, tag: Tag | None, today: date) -> Any:
    """The last day of the licence; a tag with what is left of it where somebody should look."""
    last = unit.licence_expires_on
    if tag is None:
        return last
    if last <= today:
        return Tag(f"{last.isoformat()} {tag.label}", tag.tone)
    words = _("%(day)s 剩 %(left)s 天") % {"day": last.isoformat(), "left": (last - today).days}
    return Tag(words, tag.tone)


@on_dashboard
def contribute(board: Any, actor: Actor) -> None:
    """Units whose licence has expired, as a number that opens them: a bureau reads those of its own province."""
    if not (actor.is_bureau or actor.is_ministry):
        return
    now = clock.now()
    rows, query = register.units(actor, at=now), f"licence={register.EXPIRED}"
    if actor.is_bureau:
        rows, query = rows.filter(province=actor.province or 0), f"{query}&province={actor.province}"
    count = register.licence_within(rows, register.EXPIRED, today=local_day(now)).count()
    url = f"{reverse('pilot-unit_list')}?{query}"
    board.tiles = [
        *board.tiles,
        Tile(_("许可证已到期单位"), f"{count:,}", url, tone="danger" if count else "neutral"),
    ]
