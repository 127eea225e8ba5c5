"""Compiling a bulletin (通报): a month's figures of all units, recounted from the forms and frozen.

The final report of the pilot is compiled likewise from the whole run phase, once that is over.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from filings.accuracy import intervals, ranking, thresholds, verdicts
from filings.accuracy.counting import Counts
from filings.accuracy.intervals import Interval
from filings.accuracy.thresholds import PPM, Threshold
from filings.enums import BulletinKind, BulletinState
from filings.models import Bulletin
from filings.periods import EVER, Period
from filings.rules import RULE_VERSION
from filings.selectors import counting, run_months
from filings.selectors.counting import Tally
from filings.selectors.targets import confidence, targets
from filings.services import bulletin_table, charts, final_report
from filings.services.acting import beginner
from filings.services.figures import as_numbers, demanded, from_numbers, judged, read_period
from pilot import clock
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import PilotUnit, Programme
from pilot.selectors import programmes
from pilot.services import numbers
from pilot.workflow import open_case

type Known = dict[str, dict[str, Counts]]  # period → unit code → counts as last published


@transaction.atomic
def compile_bulletin(
    *,
    actor: Actor,
    kind: str = BulletinKind.MONTHLY,
    period: str = "",
    corrects: Bulletin | None = None,
    conclusions: str = "",
) -> Bulletin:
    """Freeze the figures of every unit as of now: of a month, or, for the final report, of the whole run phase.

    With ``corrects`` it is a corrigendum of a published one and says what changed in it. What changed since in other
    months already published is listed as an adjustment. Raises :class:`Refused` for a month that is not over, a final
    report before the run phase is over or without conclusions, for a period that has its bulletin, or a corrigendum of
    something else.
    """
    programme, at = programmes.current(), clock.now()
    final = kind == BulletinKind.FINAL
    span = _whole(programme, at, conclusions) if final else _month(period, at)
    if corrects is not None and (corrects.state != BulletinState.PUBLISHED or corrects.period != span.name):
        raise Refused(_("更正须针对同一月份已发布的通报"), field="corrects")
    frozen = freeze(programme=programme, period=span, at=at)
    if corrects is not None:
        with on_record():
            frozen["corrections"] = bulletin_table.corrections(corrects.figures, frozen)
    bulletin = Bulletin(
        case_key=uuid4(),
        programme=programme,
        kind=kind,
        period=span.name,
        sequence=numbers.next_in(f"bulletin:{programme.code}"),
        corrects=corrects,
        conclusions=conclusions.strip() if final else "",
        figures=frozen,
        as_of=at,
        compiled_by_id=beginner(actor).person,
    )
    try:
        with transaction.atomic():
            open_case(bulletin, actor=actor, at=at)
    except IntegrityError as error:
        words = _("已有试点总结报告") if final else _("该月份已有通报")
        raise Refused(words) from error
    return bulletin


def _month(period: str, at: datetime) -> Period:
    if not period:
        raise Refused(_("请选择月份"), field="period")
    span = read_period(period)
    if not span.is_month or span.closes is None or at < span.closes:
        raise Refused(_("只能通报已经结束的月份"))
    return span


def _whole(programme: Programme, at: datetime, conclusions: str) -> Period:
    if at < programmes.window(programme, WindowKind.RUN)[1]:
        raise Refused(_("试点运行阶段结束后才能编制总结报告"))
    if not conclusions.strip():
        raise Refused(_("请填写总结意见"), field="conclusions")
    return EVER


def freeze(*, programme: Programme, period: Period, at: datetime) -> dict[str, Any]:
    """Everything a bulletin says, as JSON: per unit, in total, and adjustments of earlier months.

    To date, as the final report is, also every month of the run phase and what was done beside counting.
    """
    units = list(programme.units.select_related("organisation").filter(enrolled_at__lt=at).order_by("code"))
    known = published(programme)
    now = _recount(units, period)
    before = _recount(units, period.previous_month()) if period.is_month else {}
    m1, m2 = targets(programme, period)
    level = confidence(programme, period)
    bounds = [_interval(now[unit.code].counts, level) for unit in units]
    frozen = {
        "rule_version": RULE_VERSION,
        "targets": {"m1": demanded(m1), "m2": demanded(m2)},
        "demand_ppm": charts.ppm_of(m1),
        "units": [
            {
                "code": unit.code,
                "name": unit.organisation.name,
                "home": unit.province,
                **line(now[unit.code], (m1, m2)),
                "interval": interval.shown if interval else thresholds.NO_FIGURE,
                "bounds": interval.ppm if interval else None,
                "rank": {"place": rank.place, "overlaps": [units[i].code for i in rank.overlaps]},
                "verdict": _verdict(now[unit.code].counts, m1, level),
                "change": _change(now[unit.code].counts, before.get(unit.code, counting.NOTHING).counts),
            }
            for unit, interval, rank in zip(units, bounds, ranking.ranks(bounds), strict=True)
        ],
        "totals": line(sum(now.values(), start=counting.NOTHING), (m1, m2)),
        "adjustments": _adjustments(units, {k: v for k, v in known.items() if k != period.name}),
    }
    if not period.is_month:
        frozen["months"] = _by_month(programme, units)
        frozen["final"] = final_report.freeze(programme=programme, units=units)
    return frozen


def _by_month(programme: Programme, units: list[PilotUnit]) -> list[dict[str, Any]]:
    """All units together in every month of the run phase, each by the thresholds that held in it."""
    rows = []
    for month in run_months.of(programme):
        total = sum(_recount(units, month).values(), start=counting.NOTHING)
        rows.append({"period": month.name, **line(total, targets(programme, month))})
    return rows


def line(tally: Tally, targets: tuple[Threshold, Threshold]) -> dict[str, Any]:
    """One line of the table. ``submitted`` = accepted + duplicates + refused + late."""
    counts = tally.counts
    return {
        "submitted": tally.versions + counts.duplicates + counts.refused + counts.late,
        "accepted": tally.versions,
        "m1": judged(counts.m1_errors, counts.m1_n, targets[0]),
        "m2": judged(counts.m2_errors, counts.m2_n, targets[1]),
        "counts": as_numbers(counts),
    }


def published(programme: Programme) -> Known:
    """What the public was last told of each month: its bulletin, corrigenda and adjustments, in order of number."""
    known: Known = {}
    rows = Bulletin.unscoped.filter(programme=programme, state=BulletinState.PUBLISHED).order_by("sequence")
    for kind, period, figures in rows.values_list("kind", "period", "figures"):
        if kind == BulletinKind.MONTHLY:  # the final report says nothing new of a month but its adjustments
            known[period] = {unit["code"]: from_numbers(unit["counts"]) for unit in figures["units"]}
        for change in figures["adjustments"]:
            known.setdefault(change["period"], {})[change["code"]] = from_numbers(change["after"])
    return known


def _recount(units: list[PilotUnit], period: Period) -> dict[str, Tally]:
    ids = [unit.pk for unit in units]
    found = counting.tallies(units=ids, period=period, by=("unit_id",))
    door = counting.at_the_door(units=ids, period=period)
    tallies = {}
    for unit in units:
        refused, duplicates = door[unit.pk]
        chains = found.get((unit.pk,), counting.NOTHING)
        tallies[unit.code] = chains + Tally(Counts(refused=refused, duplicates=duplicates), 0)
    return tallies


def _adjustments(units: list[PilotUnit], known: Known) -> list[dict[str, Any]]:
    """Per published month and unit whose deciding counts differ from what was last said."""
    names = {unit.code: unit.organisation.name for unit in units}
    changes = []
    for period, told in sorted(known.items()):
        for code, tally in _recount(units, Period.parse(period)).items():
            before = told.get(code, Counts())
            if _deciding(tally.counts) != _deciding(before):
                changes.append(
                    {
                        "period": period,
                        "code": code,
                        "name": names[code],
                        "before": as_numbers(before),
                        "after": as_numbers(tally.counts),
                    }
                )
    return changes


def _deciding(counts: Counts) -> tuple[int, int, int, int]:
    return counts.m1_errors, counts.m1_n, counts.m2_errors, counts.m2_n


def _interval(counts: Counts, level: Fraction) -> Interval | None:
    if not counts.m1_n:
        return None
    return intervals.clopper_pearson(counts.m1_errors, counts.m1_n, level)


def _verdict(counts: Counts, target: Threshold, level: Fraction) -> str:
    """The process behind the figure judged at one-sided confidence; empty where nothing was counted."""
    if not counts.m1_n:
        return ""
    return str(verdicts.process_verdict(counts.m1_errors, counts.m1_n, target, level))


def _change(now: Counts, before: Counts) -> str:
    """Difference of M1 to the month before in percentage points, from parts per million, or ``--``."""
    if not (now.m1_n and before.m1_n):
        return thresholds.NO_FIGURE
    difference = _ppm(now) - _ppm(before)
    sign = "-" if difference < 0 else "+" if difference else "±"
    return f"{sign}{thresholds.percent(abs(difference)).rstrip('%')}"


def _ppm(counts: Counts) -> int:
    return (counts.m1_n - counts.m1_errors) * PPM // counts.m1_n
