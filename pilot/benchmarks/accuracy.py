"""How fast figures follow what changes, whatever lies stored, and what a full recount costs beside DuckDB.

Every number of a batch of 1,000 is processor time, the worker's and its database session's (whatever else the machine
does is not in it), the best of ``--runs`` batches, at 100,000 stored forms and at ``--rows``. DuckDB, with one thread,
runs the portal's own statement over the same columns in Parquet and has to come to the same buckets; where it is not
installed (``uv sync --group dev``) the comparison is left out.
"""

from __future__ import annotations

import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from filings.enums import FindingSource, FindingState
from filings.models import CountDelta, Finding, VerificationForm
from filings.selectors import counting, statements
from filings.services import buckets, deltas
from pilot.benchmarks import Goal, Report, processes
from pilot.benchmarks.forms_world import (
    COMPARED,
    FORMS,
    History,
    enrol,
    fault,
    grow_compared,
    install,
    open_in_batches,
)
from pilot.enums import Province
from pilot.models import PilotUnit

BATCH: Final = 1_000
FEW: Final = 100_000
UNITS: Final = 64
GOALS: Final = {
    "fold_ms": Goal(5.0, at_most=True),
    "fold_of_history": Goal(1.2, at_most=True),
    "compared_fold_ms": Goal(5.0, at_most=True),
    "writer_us_per_row": Goal(2.0, at_most=True),
    "recount_of_duckdb": Goal(5.0, at_most=True),
    "findings_wrong": Goal(0.0, at_most=True),
    "wrong_at_the_end": Goal(0.0, at_most=True),
}

_COPIED: Final = f"""
INSERT INTO {FORMS} (uuid, unit_id, job_id, row, form_no, chain_no, version, supersedes, day, received_at,
    collected_at, late, filing_type, subject_province, subject_kind, source, rule_version, subject_known, digest,
    subject_index, key_id, ciphertext)
SELECT gen_random_uuid(), unit_id, job_id, n, %(tag)s || n, %(tag)s || n, 1, '', %(day)s::date, received_at,
    collected_at, false, filing_type, (%(provinces)s::int[])[1 + n %% cardinality(%(provinces)s::int[])],
    subject_kind, source, rule_version, true,
    digest, digest, key_id, ciphertext
FROM (SELECT * FROM {FORMS} WHERE unit_id = %(unit)s LIMIT 1) one, generate_series(1, %(batch)s) n
RETURNING id, form_no
"""  # noqa: S608 (its one name is ours)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=1_000_000, help="stored forms at the end")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--findings", type=int, default=10_000, help="findings of inspections to be folded")


def run(options: Mapping[str, Any]) -> Report:
    """Measure batches at few and at many stored forms, then the recount, then a flood of findings."""
    programme = install()
    units = [enrol(programme) for _number in range(UNITS)]
    history, report = History(units), Report("accuracy", options["runs"])
    few = _at(history, min(FEW, options["rows"]), units, options["runs"])
    many = _at(history, options["rows"], units, options["runs"])
    report.figures |= {f"few_{name}": value for name, value in few.items()} | many
    report.figures["fold_of_history"] = round(many["fold_ms"] / few["fold_ms"], 3)
    report.figures |= _recount(units)
    report.figures |= _findings(units[0], options["findings"])
    wrong = counting.differences(units=[unit.pk for unit in units])
    report.figures["wrong_at_the_end"] = len(wrong)
    report.judge(GOALS)
    return report


# --- batches ----------------------------------------------------------------------------------------
def _at(history: History, rows: int, units: Sequence[PilotUnit], runs: int) -> dict[str, float]:
    """Batches of 1,000 forms that come in, then their comparison: the writer's share, and the fold's."""
    after = grow_compared(history, rows, units)
    taken: dict[str, list[float]] = {}
    for number in range(runs):
        made = _arrive(units[number % 8], f"B-{after}-{number}-", number, taken)
        _compare(units[number % 8], made, taken)
    found = {name: round(min(values) * 1_000, 3) for name, values in taken.items()}
    found["writer_us_per_row"] = round(found.pop("writer_ms") * 1_000 / BATCH, 3)
    return found


def _arrive(unit: PilotUnit, tag: str, number: int, taken: dict[str, list[float]]) -> list[tuple[int, str]]:
    """1,000 new forms of one day in all provinces, and the fold that makes every figure of them current."""
    day, provinces = date(2019, 6, 1 + number % 28), [int(province) for province in Province]
    arrivals = [
        deltas.Arrival(f"{tag}{n}", 1, day, provinces[n % len(provinces)], "unit", late=False)
        for n in range(1, BATCH + 1)
    ]
    parameters: dict[str, Any] = {
        "unit": unit.pk,
        "tag": tag,
        "day": day,
        "provinces": provinces,
        "batch": BATCH,
    }
    inner = 0.0
    begun = processes.spent()
    with transaction.atomic():
        with deltas.arriving(unit_id=unit.pk, arrivals=arrivals):
            entered = processes.spent()
            with connection.cursor() as cursor:
                cursor.execute(_COPIED, parameters)
                made: list[tuple[int, str]] = cursor.fetchall()
            inner = processes.spent() - entered
        _note(taken, "writer_ms", processes.spent() - begun - inner)
    with _timed(taken, "fold_ms"):
        buckets.fold()
    return made


def _compare(unit: PilotUnit, made: Sequence[tuple[int, str]], taken: dict[str, list[float]]) -> None:
    """The comparison of these forms: counted before and after in the writer's transaction, then folded."""
    begun = processes.spent()
    with deltas.recorded(unit_id=unit.pk, chains=[form_no for _pk, form_no in made]):
        entered = processes.spent()
        with connection.cursor() as cursor:
            cursor.execute(COMPARED, {"after": made[0][0] - 1})
        inner = processes.spent() - entered
    _note(taken, "compared_writer_ms", processes.spent() - begun - inner)
    with _timed(taken, "compared_fold_ms"):
        buckets.fold()


@contextmanager
def _timed(taken: dict[str, list[float]], name: str) -> Iterator[None]:
    begun = processes.spent()
    yield
    _note(taken, name, processes.spent() - begun)


def _note(taken: dict[str, list[float]], name: str, seconds: float) -> None:
    taken.setdefault(name, []).append(seconds)


# --- full recount -----------------------------------------------------------------------------------
_EXPORTED: Final = {
    FORMS: "id, unit_id, chain_no, version, form_no, day, received_at AT TIME ZONE 'Asia/Shanghai' AS received_at, "
    "late, subject_province, subject_kind",
    "filings_determination": "id, unit_id, form_id, number, outcome",
    "filings_finding": "id, unit_id, form_id, chain_no, source, kind, state, "
    "opened_at AT TIME ZONE 'Asia/Shanghai' AS opened_at",
    "filings_inspection": "id, unit_id, state, drawn_at AT TIME ZONE 'Asia/Shanghai' AS drawn_at",
    "filings_inspectionitem": "id, inspection_id, form_id, identity_right",
}


def _recount(units: Sequence[PilotUnit]) -> dict[str, float]:
    keys = [unit.pk for unit in units]
    ours, found = _best(lambda: counting.buckets(units=keys))
    figures = {"recount_s": round(ours, 3)}
    try:
        import duckdb
    except ImportError:
        return figures
    with tempfile.TemporaryDirectory() as folder:
        base = duckdb.connect(config={"threads": 1})
        for table, columns in _EXPORTED.items():
            _export(base, table, columns, Path(folder))
        statement = (
            statements.BUCKETS.replace("%(units)s", "$units")
            .replace(" AT TIME ZONE 'Asia/Shanghai'", "")
            .replace("%%", "%")
        )
        theirs, rows = _best(lambda: base.execute(statement, {"units": keys}).fetchall())
    if [tuple(bucket.values()) for bucket in found] != rows:
        raise RuntimeError("DuckDB counts otherwise")
    return figures | {"duckdb_s": round(theirs, 3), "recount_of_duckdb": round(ours / theirs, 3)}


def _export(base: Any, table: str, columns: str, folder: Path) -> None:
    """A table's columns as Parquet, and a view of its name over the file."""
    text, file = folder / f"{table}.csv", folder / f"{table}.parquet"
    with connection.cursor() as cursor, text.open("wb") as stream:
        with cursor.copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT CSV, HEADER)") as copy:  # noqa: S608
            for block in copy:
                stream.write(block)
        cursor.execute(f"SELECT {columns} FROM {table} LIMIT 0")  # noqa: S608
        types = {column.name: _DUCK.get(column.type_code, "VARCHAR") for column in cursor.description}
    base.execute(f"COPY (SELECT * FROM read_csv('{text}', header = true, columns = {types})) TO '{file}'")  # noqa: S608
    base.execute(f"CREATE VIEW {table} AS SELECT * FROM '{file}'")  # noqa: S608
    text.unlink()


_DUCK: Final = {20: "BIGINT", 23: "INTEGER", 21: "SMALLINT", 16: "BOOLEAN", 1082: "DATE", 1114: "TIMESTAMP"}


def _best(act: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """The quickest of a few runs, and what it gave: caches are warm on both sides."""
    best, found = float("inf"), None
    for _time in range(times):
        begun = time.perf_counter()
        found = act()
        best = min(best, time.perf_counter() - begun)
    return best, found


# --- findings ---------------------------------------------------------------------------------------
def _findings(unit: PilotUnit, number: int) -> dict[str, float]:
    """So many findings of inspections, part of them confirmed or overturned, folded meanwhile and at the end."""
    forms = VerificationForm.unscoped.filter(unit=unit).order_by("pk")[:number]
    begun = time.perf_counter()
    opened = open_in_batches([fault(form, FindingSource.INSPECTION) for form in forms])
    total = len(opened)
    for states in ((FindingState.CONFIRMED,), (FindingState.DISPUTED, FindingState.OVERTURNED)):
        half, opened = opened[: len(opened) // 2], opened[len(opened) // 2 :]
        for state in states:
            with deltas.recorded(unit_id=unit.pk, chains=[finding.chain_no for finding in half]):
                # Thousands of invented findings at once, on a portal that is thrown away afterwards.
                # nosemgrep: state-written-by-a-query
                Finding.unscoped.filter(pk__in=[finding.pk for finding in half]).update(state=state)
            buckets.fold()
    took = time.perf_counter() - begun
    queued = CountDelta.objects.count()
    return {
        "findings": total,
        "findings_s": round(took, 1),
        "findings_wrong": len(counting.differences(units=[unit.pk])) + queued,
    }
