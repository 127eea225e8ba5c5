"""The figures counted from the stored forms, in one statement (design.md, section 5).

The statement says in SQL what ``filings.accuracy.counting`` says in Python; a property test holds them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from django.db import connection

from filings.accuracy.counting import COUNT_NAMES, Counts
from filings.periods import EVER, Period

type Dimension = Literal["unit_id", "day", "subject_province", "subject_kind"]

# Comparisons, findings and inspections are looked up form by form, each by its index: the cost is that of the forms
# asked for, whatever the planner believes of tables that were just filled.
_SCOPE: Final = """
WITH judged AS (
    SELECT f.id, f.unit_id, f.chain_no, f.version, f.form_no, f.day, f.received_at, f.late,
           f.subject_province, f.subject_kind,
           coalesce(d.outcome, 'pending') AS outcome,
           coalesce(g.identity_error, false)
               OR (d.outcome = 'mismatch' AND NOT coalesce(g.compared, false)) IS TRUE AS identity_error,
           coalesce(g.any_error, false) AS any_error,
           coalesce(g.waiting, false) AS waiting,
           coalesce(g.identity_waiting, false) AS identity_waiting,
           coalesce(i.judged, false) AS inspected,
           least(g.notified_at, i.drawn_at) AS closing
    FROM filings_verificationform f
    LEFT JOIN LATERAL (
        SELECT outcome FROM filings_determination WHERE form_id = f.id ORDER BY number DESC LIMIT 1
    ) AS d ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(counts AND kind = 'identity') AS identity_error,
               bool_or(counts) AS any_error,
               bool_or(source = 'comparison' AND kind = 'identity') AS compared,
               bool_or(waits) AS waiting,
               bool_or(waits AND kind = 'identity') AS identity_waiting,
               min(opened_at) AS notified_at
        FROM (
            SELECT kind, source, opened_at,
                   CASE WHEN source = 'comparison' THEN state <> 'overturned'
                        ELSE state IN ('confirmed', 'upheld') END AS counts,
                   source <> 'comparison' AND state IN ('open', 'disputed') AS waits
            FROM filings_finding WHERE form_id = f.id
        ) AS findings
    ) AS g ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(i.identity_right IS NOT NULL AND n.state <> 'cancelled') AS judged,
               min(n.drawn_at) AS drawn_at
        FROM filings_inspectionitem i JOIN filings_inspection n ON n.id = i.inspection_id
        WHERE i.form_id = f.id
    ) AS i ON true
    WHERE {conditions}
), answered AS (
    SELECT *,
           inspected OR outcome IN ('match', 'mismatch') OR identity_error AS determined,
           inspected OR outcome <> 'pending' OR identity_error AS answered,
           identity_error OR any_error AS form_error,
           NOT late AND received_at < least(
               min(closing) OVER (PARTITION BY unit_id, chain_no),
               (day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
           ) AS in_time
    FROM judged
), chains AS (
    SELECT *,
           max(version) FILTER (WHERE in_time OR version = 1) OVER chain AS counted_no,
           max(version) OVER chain AS last_no,
           count(*) OVER chain AS versions,
           bool_or(version = 1 AND late) OVER chain AS late_chain,
           bool_or(version = 1 AND determined) OVER chain AS first_determined,
           bool_or(version = 1 AND identity_error) OVER chain AS first_identity_error,
           bool_or(version = 1 AND answered) OVER chain AS first_answered,
           bool_or(version = 1 AND answered AND form_error) OVER chain AS first_form_error
    FROM answered
    WINDOW chain AS (PARTITION BY unit_id, chain_no)
), counted AS (
    SELECT * FROM chains WHERE version = counted_no
)
"""

_COUNTS: Final = """
SELECT {columns}
    count(*) FILTER (WHERE NOT late_chain AND determined),
    count(*) FILTER (WHERE NOT late_chain AND identity_error),
    count(*) FILTER (WHERE NOT late_chain AND answered),
    count(*) FILTER (WHERE NOT late_chain AND answered AND form_error),
    count(*) FILTER (WHERE NOT late_chain AND NOT answered),
    count(*) FILTER (WHERE NOT late_chain AND answered AND NOT determined),
    count(*) FILTER (WHERE NOT late_chain AND NOT identity_error AND identity_waiting),
    count(*) FILTER (WHERE NOT late_chain AND NOT (answered AND form_error) AND (waiting OR form_error)),
    count(*) FILTER (WHERE NOT late_chain AND answered AND form_error AND last_no > counted_no),
    count(*) FILTER (WHERE NOT late_chain AND first_determined),
    count(*) FILTER (WHERE NOT late_chain AND first_identity_error),
    count(*) FILTER (WHERE NOT late_chain AND first_answered),
    count(*) FILTER (WHERE NOT late_chain AND first_form_error),
    count(*) FILTER (WHERE late_chain),
    coalesce(sum(versions) FILTER (WHERE NOT late_chain), 0)
FROM counted
{grouping}
"""
CHAIN_NAMES: Final = tuple(name for name in COUNT_NAMES if name not in {"refused", "duplicates"})
_NAMES: Final = CHAIN_NAMES[:-1]  # all but "late", in the order of the statement's columns

_FRAME: Final = """
SELECT form_no, id FROM counted WHERE NOT late_chain ORDER BY form_no
"""

_REFUSED: Final = """
SELECT r.unit_id, count(*) FROM filings_formrefusal r JOIN filings_uploadjob j ON j.id = r.job_id
WHERE NOT j.dry_run AND {conditions} GROUP BY r.unit_id
"""
_DUPLICATES: Final = """
SELECT r.unit_id, sum(r.duplicates) FROM filings_uploadjob r
WHERE NOT r.dry_run AND {conditions} GROUP BY r.unit_id
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of chains, and how many versions these chains have (late chains apart)."""

    counts: Counts
    versions: int

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.counts + other.counts, self.versions + other.versions)


NOTHING: Final = Tally(Counts(), 0)


def tallies(
    *,
    units: Sequence[int],
    period: Period = EVER,
    by: Sequence[Dimension] = (),
    before: datetime | None = None,
    days: Sequence[date] | None = None,
) -> dict[tuple[Any, ...], Tally]:
    """Count every chain of the units that belongs to the period, grouped by ``by``.

    ``before`` leaves out versions received from that moment on; ``days`` counts these days of the period only. Rows
    refused or repeated are not chains: see :func:`at_the_door`.
    """
    scope, params = _scope(units, period, before, days)
    keys = ", ".join(by)
    statement = scope + _COUNTS.format(
        columns=f"{keys}," if keys else "", grouping=f"GROUP BY {keys}" if keys else ""
    )
    found: dict[tuple[Any, ...], Tally] = {}
    for row in _rows(statement, params):
        key, numbers = tuple(row[: len(by)]), [int(number) for number in row[len(by) :]]
        *chains, late, versions = numbers
        found[key] = Tally(Counts(**dict(zip(_NAMES, chains, strict=True)), late=late), versions)
    return found


def stored(*, unit: int, by: Sequence[Dimension], days: Sequence[date]) -> dict[tuple[Any, ...], int]:
    """How many forms of a unit are stored for these days, by their own province and kind, counted or not."""
    keys = ", ".join(by)
    rows = _rows(
        f"SELECT {keys}, count(*) FROM filings_verificationform "  # noqa: S608 (names of columns, ours)
        f"WHERE unit_id = %s AND day = ANY(%s) GROUP BY {keys}",
        [unit, list(days)],
    )
    return {tuple(row[:-1]): int(row[-1]) for row in rows}


def frame(*, unit: int, period: Period) -> dict[str, int]:
    """The counted versions of the period's chains, form number → id: what an inspection draws from."""
    scope, params = _scope([unit], period)
    return dict(_rows(scope + _FRAME, params))


def at_the_door(
    *, units: Sequence[int], period: Period, before: datetime | None = None
) -> Mapping[int, tuple[int, int]]:
    """Rows refused and rows repeated, per unit, by the local day on which they came in (dry runs left out)."""
    conditions, params = ["r.unit_id = ANY(%s)"], [list(units)]
    for moment, operator in ((period.opens, ">="), (period.closes, "<"), (before, "<")):
        if moment is not None:
            conditions.append(f"r.received_at {operator} %s")
            params.append(moment)  # type: ignore[arg-type]
    where = " AND ".join(conditions)
    refused = dict(_rows(_REFUSED.format(conditions=where), params))
    repeated = dict(_rows(_DUPLICATES.format(conditions=where), params))
    return {unit: (int(refused.get(unit, 0)), int(repeated.get(unit, 0))) for unit in units}


def _scope(
    units: Iterable[int], period: Period, before: datetime | None = None, days: Sequence[date] | None = None
) -> tuple[str, list[Any]]:
    conditions: list[str] = ["f.unit_id = ANY(%s)"]
    params: list[Any] = [list(units)]
    for value, condition in (
        (period.first, "f.day >= %s"),
        (period.end, "f.day < %s"),
        (before, "f.received_at < %s"),
        (days, "f.day = ANY(%s)"),
    ):
        if value is not None:
            conditions.append(condition)
            params.append(value)
    return _SCOPE.format(conditions=" AND ".join(conditions)), params


def _rows(statement: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
