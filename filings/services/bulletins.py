"""Compiling a bulletin (通报): a month's figures of all units, recounted from the forms and frozen."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from filings.accuracy import intervals, thresholds, verdicts
from filings.accuracy.counting import Counts
from filings.accuracy.thresholds import PPM, Threshold
from filings.enums import BulletinState
from filings.models import Bulletin
from filings.periods import Period
from filings.rules import RULE_VERSION
from filings.selectors import counting
from filings.selectors.counting import Tally
from filings.selectors.targets import targets
from filings.services.acting import beginner
from filings.services.figures import as_numbers, from_numbers, judged, read_period
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import PilotUnit, Programme
from pilot.selectors import programmes
from pilot.services import numbers
from pilot.workflow import open_case

type Known = dict[str, dict[str, Counts]]  # period → unit code → counts as last published


@transaction.atomic
def compile_bulletin(*, actor: Actor, period: str, corrects: Bulletin | None = None) -> Bulletin:
    """Freeze the month's figures of every unit as of now; with ``corrects``, as a corrigendum of a published one.

    What changed since in months already published is listed as an adjustment. Raises :class:`Refused` for anything
    but a month that is over, for a month that has its bulletin, or a corrigendum of something else.
    """
    programme = programmes.current()
    span, at = read_period(period), clock.now()
    if not span.is_month or span.closes is None or at < span.closes:
        raise Refused(_("只能通报已经结束的月份"))
    if corrects is not None and (corrects.state != BulletinState.PUBLISHED or corrects.period != span.name):
        raise Refused(_("更正须针对同一月份已发布的通报"))
    bulletin = Bulletin(
        case_key=uuid4(),
        programme=programme,
        period=span.name,
        sequence=numbers.next_in(f"bulletin:{programme.code}"),
        corrects=corrects,
        figures=freeze(programme=programme, period=span, at=at),
        as_of=at,
        compiled_by_id=beginner(actor).person,
    )
    try:
        with transaction.atomic():
            open_case(bulletin, actor=actor, at=at)
    except IntegrityError as error:
        raise Refused(_("该月份已有通报")) from error
    return bulletin


def freeze(*, programme: Programme, period: Period, at: datetime) -> dict[str, Any]:
    """Everything a bulletin says, as JSON: per unit, in total, and adjustments of earlier months."""
    units = list(programme.units.select_related("organisation").filter(enrolled_at__lt=at).order_by("code"))
    known = published(programme)
    now = _recount(units, period)
    before = _recount(units, period.previous_month())
    m1, m2 = targets(programme)
    confidence = Fraction(programmes.rule(programme, "verdict_confidence") or "0.95")
    total = sum(now.values(), start=counting.NOTHING)
    return {
        "rule_version": RULE_VERSION,
        "targets": {"m1": _demand(m1), "m2": _demand(m2)},
        "units": [
            {
                "code": unit.code,
                "name": unit.organisation.name,
                "province": unit.get_province_display(),
                **line(now[unit.code], (m1, m2)),
                "interval": _interval(now[unit.code].counts, confidence),
                "verdict": _verdict(now[unit.code].counts, m1, confidence),
                "change": _change(now[unit.code].counts, before[unit.code].counts),
            }
            for unit in units
        ],
        "totals": line(total, (m1, m2)),
        "adjustments": _adjustments(units, {k: v for k, v in known.items() if k != period.name}),
    }


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
    for period, figures in rows.values_list("period", "figures"):
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


def _demand(target: Threshold) -> str:
    """What a threshold demands, as printed: ≥99.95%, 100%."""
    share = thresholds.percent((target.per - target.allowed) * PPM // target.per).rstrip("%")
    number = share.rstrip("0").rstrip(".")
    return f"≥{number}%" if target.allowed else f"{number}%"


def _interval(counts: Counts, confidence: Fraction) -> str:
    if not counts.m1_n:
        return thresholds.NO_FIGURE
    return intervals.clopper_pearson(counts.m1_errors, counts.m1_n, confidence).shown


def _verdict(counts: Counts, target: Threshold, confidence: Fraction) -> str:
    """The process behind the figure judged at one-sided confidence; empty where nothing was counted."""
    if not counts.m1_n:
        return ""
    return str(verdicts.process_verdict(counts.m1_errors, counts.m1_n, target, confidence))


def _change(now: Counts, before: Counts) -> str:
    """Difference of M1 to the month before in percentage points, from parts per million, or ``--``."""
    if not (now.m1_n and before.m1_n):
        return thresholds.NO_FIGURE
    difference = _ppm(now) - _ppm(before)
    sign = "-" if difference < 0 else "+" if difference else "±"
    return f"{sign}{thresholds.percent(abs(difference)).rstrip('%')}"


def _ppm(counts: Counts) -> int:
    return (counts.m1_n - counts.m1_errors) * PPM // counts.m1_n
