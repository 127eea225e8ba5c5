"""Which conditions of units' figures hold now: what alerts are opened and cleared by. Whole numbers decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from django.db.models import Max

from filings.accuracy.changes import share_change, volume_change
from filings.accuracy.counting import Counts
from filings.accuracy.thresholds import Threshold, shown
from filings.enums import AlertKind
from filings.models import LiveMonth, VerificationForm
from filings.periods import EVER, TO_DATE, Period
from filings.selectors import rollups
from filings.selectors.targets import Targets, judged_on, targets_on
from pilot import rules
from pilot.enums import UnitStatusKind
from pilot.models import PilotUnit, Programme, ProgrammeRule, UnitStatus
from pilot.rules import local_day
from pilot.selectors import programmes

type Key = tuple[str, str]  # kind, period
type Holding = dict[Key, dict[str, Any]]
type Look = Callable[[Period], Counts]

RULES: Final = {
    AlertKind.M1: "identity_accuracy",
    AlertKind.M2: "form_accuracy",
    AlertKind.UNDETERMINABLE: "undeterminable_alert_permille",
    AlertKind.SILENCE: "silence_alert_days",
    AlertKind.ERROR_CHANGE: "change_alert",
    AlertKind.VOLUME_CHANGE: "change_alert",
}
# A share is judged by month and to date; one M2 error, and a change against the month before, belong to a month.
SHARES: Final = (AlertKind.M1, AlertKind.UNDETERMINABLE)
MONTHLY: Final = (AlertKind.M2, AlertKind.ERROR_CHANGE, AlertKind.VOLUME_CHANGE)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a programme asks for: its rules on alerts as they came into force, its thresholds by day, its calendar."""

    programme: Programme
    rows: Sequence[ProgrammeRule]  # the first of a key first
    targets: Mapping[date, Targets]
    calendar: Mapping[date, bool]

    def value(self, key: str, period: Period = EVER) -> Any:
        """A rule's value as it judges a period; None where the programme does not hold it then."""
        row = self._row(key, judged_on(period))
        return None if row is None else row.value

    def asked(self, kind: str, period: Period = EVER) -> dict[str, Any] | None:
        """What an alert of this kind is judged by, named as in its figures; None where there is no such rule."""
        if kind in {AlertKind.M1, AlertKind.M2}:
            target = self.targets[judged_on(period)][kind == AlertKind.M2]
            return {"allowed": target.allowed, "per": target.per}
        value = self.value(RULES[AlertKind(kind)], period)
        if value is None or value == {}:
            return None
        if kind in {AlertKind.UNDETERMINABLE, AlertKind.SILENCE}:
            return {"allowed" if kind == AlertKind.UNDETERMINABLE else "days": value}
        name = "level" if kind == AlertKind.ERROR_CHANGE else "times"
        return {name: value[name]}

    def basis(self, kind: str, period: Period = EVER) -> str:
        """What an alert of this kind rests on, in words."""
        row = self._row(RULES[AlertKind(kind)], judged_on(period))
        return self.programme.number if row is None else row.basis

    def _row(self, key: str, day: date) -> ProgrammeRule | None:
        begun = (row for row in self.rows if row.key == key and (row.valid_from or day) <= day)
        return max(begun, key=lambda row: row.valid_from or date.min, default=None)


def terms_of(programme: Programme, months: Iterable[str] = ()) -> Terms:
    """The terms of a programme, in a few queries, with its thresholds for these months and to date."""
    rows = list(ProgrammeRule.objects.filter(programme=programme, key__in=set(RULES.values())))
    days = {judged_on(EVER), *(judged_on(Period.parse(month)) for month in months)}
    return Terms(programme, rows, targets_on(programme, days), programmes.calendar(programme))


@dataclass(frozen=True, slots=True)
class Standing:
    """One unit as of ``now``: the months that have figures, when it was active, when it last handed in a form."""

    terms: Terms
    now: datetime
    months: tuple[str, ...]
    active: tuple[tuple[datetime, datetime | None], ...]
    last_form: datetime | None

    def working_days(self, period: Period) -> int:
        """Whole working days of a month, up to yesterday, on which the unit was active."""
        if period.first is None or period.end is None:
            return 0
        yesterday = local_day(self.now) - timedelta(days=1)
        days = 0
        for start, end in self.active:
            first = max(period.first, local_day(start))
            last = min(period.end - timedelta(days=1), yesterday)
            if end is not None:
                last = min(last, local_day(end - timedelta(microseconds=1)))
            if first <= last:
                eve = first - timedelta(days=1)
                days += rules.working_days_between(eve, last, self.terms.calendar)
        return days


def holding(
    units: Iterable[PilotUnit], *, now: datetime, recounted: Mapping[str, Counts] | None = None
) -> dict[int, Holding]:
    """Every condition that holds for each of the units by their live buckets; ``recounted`` periods go before these.

    A few queries whatever the number of units, and one for the last form of each unit that is active now.
    """
    rows = list(units)
    keys = [unit.pk for unit in rows]
    tallies: dict[int, dict[str, Counts]] = {}
    for (unit_id, month), tally in rollups.by_month(LiveMonth.unscoped.filter(unit__in=keys)).items():
        tallies.setdefault(unit_id, {})[month] = tally.counts
    every = {month for months in tallies.values() for month in months}
    terms = {programme: terms_of(programme, every) for programme in {unit.programme for unit in rows}}
    active = _active(keys)
    found = {}
    for unit in rows:
        months = tallies.get(unit.pk, {})
        ranges = active.get(unit.pk, ())
        standing = Standing(
            terms[unit.programme],
            now,
            tuple(sorted(months)),
            ranges,
            last_form(unit.pk) if _is_active(ranges, now) else None,
        )
        found[unit.pk] = _conditions(standing, _look(months, recounted or {}))
    return found


def _look(months: Mapping[str, Counts], recounted: Mapping[str, Counts]) -> Look:
    def look(period: Period) -> Counts:
        if period.name in recounted:
            return recounted[period.name]
        if period.name == TO_DATE:
            return sum(months.values(), Counts())
        return months.get(period.name, Counts())

    return look


def _active(keys: list[int]) -> dict[int, tuple[tuple[datetime, datetime | None], ...]]:
    found: dict[int, tuple[tuple[datetime, datetime | None], ...]] = {}
    rows = UnitStatus.objects.filter(unit__in=keys, kind=UnitStatusKind.ACTIVE).order_by("during")
    for unit_id, during in rows.values_list("unit_id", "during"):
        found[unit_id] = (*found.get(unit_id, ()), (during.lower, during.upper))
    return found


def _is_active(ranges: Iterable[tuple[datetime, datetime | None]], now: datetime) -> bool:
    return any(start <= now and (end is None or now < end) for start, end in ranges)


def active_now(unit: PilotUnit, now: datetime) -> bool:
    """Whether a unit is active in the pilot."""
    return _is_active(_active([unit.pk]).get(unit.pk, ()), now)


def last_form(unit_id: int) -> datetime | None:
    """When the unit's last form was received."""
    latest: datetime | None = VerificationForm.unscoped.filter(unit=unit_id).aggregate(at=Max("received_at"))[
        "at"
    ]
    return latest


def period_of(key: Key) -> Period:
    """The period whose rules judge a condition: its month; to date, and for a silence, as of now."""
    kind, name = key
    return EVER if name == TO_DATE or kind == AlertKind.SILENCE else Period.parse(name)


# --- conditions -------------------------------------------------------------------------------------
def _conditions(standing: Standing, look: Look) -> Holding:
    keys: list[Key] = [(kind, month) for month in standing.months for kind in (*SHARES, *MONTHLY)]
    if standing.months:
        keys += [(kind, TO_DATE) for kind in SHARES]
    found = {key: figures for key in keys if (figures := _condition(standing, key, look))}
    silence = _silence(standing)
    return found | ({(AlertKind.SILENCE, silence["since"]): silence} if silence else {})


def _condition(standing: Standing, key: Key, look: Look) -> dict[str, Any] | None:
    """The whole numbers of a condition that holds by the counts that ``look`` gives; None where it does not hold."""
    kind, period = key[0], period_of(key)
    if kind in SHARES:
        return _share(standing.terms, kind, period, look(period))
    if kind == AlertKind.M2:
        counts, (_m1, m2) = look(period), standing.terms.targets[judged_on(period)]
        return _missed(m2, counts.m2_errors, counts.m2_n)
    return _change(standing, kind, period, look)


def _share(terms: Terms, kind: str, period: Period, counts: Counts) -> dict[str, Any] | None:
    if kind == AlertKind.M1:
        m1, _m2 = terms.targets[judged_on(period)]
        return _missed(m1, counts.m1_errors, counts.m1_n)
    permille = terms.value("undeterminable_alert_permille", period)
    if permille is None:
        return None
    return _missed(Threshold(allowed=permille, per=1_000), counts.undeterminable, counts.m2_n)


def _missed(threshold: Threshold, errors: int, n: int) -> dict[str, Any] | None:
    if threshold.met(errors, n) is not False:
        return None
    return {
        "errors": errors,
        "n": n,
        "shown": shown(errors, n),
        "allowed": threshold.allowed,
        "per": threshold.per,
    }


def _silence(standing: Standing) -> dict[str, Any] | None:
    """No form for so many working days while the unit is active; a return to the pilot starts the days afresh."""
    days = standing.terms.value("silence_alert_days")
    current = [start for start, end in standing.active if _is_active([(start, end)], standing.now)]
    if days is None or not current:
        return None
    since = max(current[0], standing.last_form or current[0])
    last = rules.add_working_days(local_day(since), days, standing.terms.calendar)
    if standing.now < rules.end_of(last):
        return None
    return {"since": local_day(since).isoformat(), "days": days, "ever": standing.last_form is not None}


def _change(standing: Standing, kind: str, period: Period, look: Look) -> dict[str, Any] | None:
    rule = standing.terms.value("change_alert", period)
    before = period.previous_month()
    if not rule or before.name not in standing.months:
        return None
    old, new = look(before), look(period)
    volumes = old.m2_n + old.pending, new.m2_n + new.pending
    forms = min(old.m2_n, new.m2_n) if kind == AlertKind.ERROR_CHANGE else max(volumes)
    if forms < rule["least_forms"]:  # first, for it costs nothing: days are counted one by one
        return None
    days = standing.working_days(before), standing.working_days(period)
    if min(days) < rule["least_days"]:
        return None
    figures: dict[str, Any] = {"before": before.name}
    if kind == AlertKind.ERROR_CHANGE:
        figures |= {
            "old": [old.m2_errors, old.m2_n],
            "new": [new.m2_errors, new.m2_n],
            "level": rule["level"],
        }
        level = Fraction(rule["level"])
        direction = share_change(old.m2_errors, old.m2_n, new.m2_errors, new.m2_n, level=level)
    else:
        figures |= {"old": [volumes[0], days[0]], "new": [volumes[1], days[1]], "times": rule["times"]}
        direction = volume_change(volumes[0], days[0], volumes[1], days[1], times=rule["times"])
    return figures | {"direction": direction} if direction else None
