"""The figures counted from the stored forms (design.md, section 5).

The statements say in SQL what ``filings.accuracy.counting`` says in Python; a property test holds them together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from django.db import connection, transaction

from filings.accuracy.counting import COUNT_NAMES, Counts
from filings.periods import EVER, Period
from filings.selectors import statements

type Dimension = Literal["unit_id", "day", "subject_province", "subject_kind"]

CHAIN_NAMES: Final = tuple(name for name in COUNT_NAMES if name not in {"refused", "duplicates"})

_FRAME: Final = """
SELECT form_no, id FROM counted WHERE NOT late_chain ORDER BY form_no
"""

_REFUSED: Final = """
SELECT r.unit_id, count(*) FROM filings_formrefusal r
WHERE NOT EXISTS (SELECT FROM filings_uploadjob j WHERE j.id = r.job_id AND j.dry_run) AND {conditions}
GROUP BY r.unit_id
"""
_DUPLICATES: Final = """
SELECT r.unit_id, sum(r.duplicates) FROM filings_uploadjob r
WHERE NOT r.dry_run AND r.duplicates > 0 AND {conditions} GROUP BY r.unit_id
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of chains, and how many versions these chains have (late chains apart)."""

    counts: Counts
    versions: int

    def __add__(self, other: Tally) -> Tally:
        if self is NOTHING:  # what every sum starts with
            return other
        return Tally(self.counts + other.counts, self.versions + other.versions)


NOTHING: Final = Tally(Counts(), 0)


def tallies(
    *,
    units: Sequence[int],
    period: Period = EVER,
    by: Sequence[Dimension] = (),
    before: datetime | None = None,
    chains: Sequence[str] | None = None,
) -> dict[tuple[Any, ...], Tally]:
    """Count every chain of the units that belongs to the period, grouped by ``by``.

    ``before`` leaves out versions received from that moment on; ``chains`` counts these chains only. Rows refused or
    repeated are not chains: see :func:`at_the_door`.
    """
    conditions, params = _scope(units, period, before, chains)
    rows = _rows(statements.judged(conditions) + statements.sums(tuple(by)), params)
    return {tuple(row[: len(by)]): _tally(row[len(by) :]) for row in rows}


def chains_of(*, unit: int, forms: Sequence[int]) -> set[str]:
    """The chains to which these forms of a unit belong."""
    if not forms:
        return set()
    statement = "SELECT DISTINCT chain_no FROM filings_verificationform WHERE unit_id = %s AND id = ANY(%s)"
    return {row[0] for row in _rows(statement, [unit, list(forms)])}


def tally_with_errors(*, unit: int, period: Period) -> tuple[Tally, list[Any]]:
    """A unit's period counted, with what is wrong in it: ``[form id, 1 for an M1 error or 0, [finding ids]]``."""
    conditions, params = _scope([unit], period)
    ((*numbers, errors),) = _rows(statements.judged(conditions) + statements.sums((), errors=True), params)
    return _tally(numbers), json.loads(errors)


def buckets(*, units: Sequence[int]) -> list[dict[str, Any]]:
    """Every bucket of these units counted afresh from all of their forms, as the columns of a daily tally."""
    names = (*statements.BUCKET, "forms", *statements.CONDITIONS, "versions")
    return [dict(zip(names, row, strict=True)) for row in _whole(statements.BUCKETS, units)]


def differences(*, units: Sequence[int]) -> list[tuple[Any, ...]]:
    """The buckets (unit, day, province, kind) that do not hold what a recount of all forms gives; one snapshot."""
    return _whole(statements.DIFFERENCES, units)


def _tally(row: Sequence[Any]) -> Tally:
    *chains, versions = (int(number) for number in row)
    return Tally(Counts(**dict(zip(statements.CONDITIONS, chains, strict=True))), versions)


def frame(*, unit: int, period: Period) -> dict[str, int]:
    """The counted versions of the period's chains, form number → id: what an inspection draws from."""
    conditions, params = _scope([unit], period)
    return dict(_rows(statements.judged(conditions) + _FRAME, params))


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
    units: Iterable[int],
    period: Period,
    before: datetime | None = None,
    chains: Sequence[str] | None = None,
) -> tuple[list[str], list[Any]]:
    conditions: list[str] = ["f.unit_id = ANY(%s)"]
    params: list[Any] = [list(units)]
    for value, condition in (
        (period.first, "f.day >= %s"),
        (period.end, "f.day < %s"),
        (before, "f.received_at < %s"),
        (chains, "f.chain_no = ANY(%s)"),
    ):
        if value is not None:
            conditions.append(condition)
            params.append(value)
    return conditions, params


def _rows(statement: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _whole(statement: str, units: Sequence[int]) -> list[tuple[Any, ...]]:
    """A statement over everything: joins by hash, whatever the planner believes of tables that were just filled."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(statement, {"units": list(units)})
        found: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute("SET LOCAL enable_nestloop = on")
        return found
