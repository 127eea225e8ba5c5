"""How fast forms come in: whole files through the real door, beside raw COPY of the same rows and the usual way.

Rows a second over the same synthetic rows in the same run, medians. The limit is COPY (text) of the same rows,
ciphertext ready-made, into a table with the same partitions and indexes and no triggers; the usual way is REST
framework's serializers with ``bulk_create``. Every run of a way has a unit of its own, so nothing is a repeat but
where repeats are measured. Then the same over stored forms of the past, few and many (narrow rows made by SQL), and
the memory of a process that does nothing but load, for a small and a big file.
"""

from __future__ import annotations

import multiprocessing
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.db import connection, connections

from filings.selectors.contexts import unit_context
from pilot.benchmarks import Goal, Report, processes, usual_way
from pilot.benchmarks.forms_world import (
    FORMS,
    NOW,
    History,
    as_csv,
    enrol,
    install,
    load,
    make_lines,
    open_job,
    receive,
)
from pilot.garbage import keep_what_is_loaded
from pilot.models import PilotUnit, Programme

COPY: Final = "bench_copy"
PARTITIONS: Final = 16
HISTORY_UNITS: Final = 64
MOST_MIB: Final = 450
GOALS: Final = {
    "ndjson_of_copy": Goal(0.35),
    "csv_of_copy": Goal(0.45),
    "ndjson_of_usual": Goal(25.0),
    "again_of_ndjson": Goal(0.8),
    "two_of_one": Goal(1.6),
    "many_of_few": Goal(0.8),
    "peak_mib_small_file": Goal(MOST_MIB, at_most=True),
    "peak_mib_big_file": Goal(MOST_MIB, at_most=True),
}
KIB: Final = 1024
Speeds = dict[str, list[float]]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--usual-rows", type=int, default=2_000, help="rows for the usual way, which is slow")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--history",
        type=int,
        default=1_000_000,
        help="stored forms for the comparison with few (narrow rows made by SQL; 0: leave it out)",
    )
    parser.add_argument("--few", type=int, default=100_000, help="how many are few")
    parser.add_argument(
        "--memory-rows",
        type=int,
        nargs=2,
        default=[20_000, 200_000],
        metavar=("SMALL", "BIG"),
        help="rows of the files loaded for their memory",
    )
    parser.add_argument("--error-rate", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=87)


def run(options: Mapping[str, Any]) -> Report:
    """Measure every way in turn, so often; then history and memory."""
    programme = install()
    keep_what_is_loaded()  # as ``manage.py ingest`` and the workers do
    speeds = _measure_ways(programme, options)
    speed = {name: statistics.median(values) for name, values in speeds.items()}
    report = Report("intake", runs=options["runs"])
    report.figures = {"rows": options["rows"]} | {f"{name}_rows_s": round(it) for name, it in speed.items()}
    report.figures |= {
        "ndjson_of_copy": round(speed["ndjson"] / speed["copy"], 3),
        "csv_of_copy": round(speed["csv"] / speed["copy"], 3),
        "ndjson_of_usual": round(speed["ndjson"] / speed["usual"], 3),
        "again_of_ndjson": round(speed["again"] / speed["ndjson"], 3),
        "two_of_one": round(speed["two"] / speed["ndjson"], 3),
    }
    if options["history"]:
        report.figures |= _measure_history(programme, options)
    report.figures |= _measure_memory(programme, options)
    report.judge(GOALS)
    return report


class Watch:
    """Rows a second of every way, by the wall clock."""

    def __init__(self) -> None:
        self.speeds: Speeds = {}

    def time(self, name: str, rows: int, act: Callable[..., Any], *given: Any) -> Any:
        """Do ``act`` and note how fast it was."""
        begun = time.perf_counter()
        found = act(*given)
        self.speeds.setdefault(name, []).append(rows / (time.perf_counter() - begun))
        return found


# --- the ways -----------------------------------------------------------------------------------------
def _measure_ways(programme: Programme, options: Mapping[str, Any]) -> Speeds:
    lines = make_lines(options["rows"], seed=options["seed"], error_rate=options["error_rate"])
    ndjson, csv, watch = b"\n".join(lines), as_csv(lines), Watch()
    _make_copy_table()
    for _ in range(options["runs"]):
        unit, another, usual, *pair = (enrol(programme) for _ in range(5))
        first = watch.time("ndjson", len(lines), load, unit, ndjson, "ndjson")
        again = watch.time("again", len(lines), load, unit, ndjson, "ndjson")
        if (again.accepted, again.duplicates) != (0, first.accepted + first.duplicates):
            raise RuntimeError("a file sent again brought new forms")
        watch.time("copy", first.accepted, _copy, _dump(unit))
        watch.time("csv", len(lines), load, another, csv, "csv")
        some = lines[: options["usual_rows"]]
        watch.time("usual", len(some), _usual, usual, some)
        watch.time("two", 2 * len(lines), _together, pair, ndjson)
    return watch.speeds


def _usual(unit: PilotUnit, lines: Sequence[bytes]) -> None:
    usual_way.take(lines, job=open_job(unit), context=unit_context(unit, NOW))


def _together(units: Sequence[PilotUnit], content: bytes) -> None:
    """Two processes, each with a whole file of its own."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=load, args=(unit, content, "ndjson")) for unit in units]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        sys.exit("a process of the benchmark failed")


def _make_copy_table() -> None:
    """A table like that of the forms, with its partitions and indexes, without triggers and foreign keys."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {COPY} (LIKE {FORMS} INCLUDING DEFAULTS) PARTITION BY HASH (unit_id)")
        for number in range(PARTITIONS):
            cursor.execute(
                f"CREATE TABLE {COPY}_{number} PARTITION OF {COPY} "
                f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
            )
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [FORMS])
        for number, (definition,) in enumerate(cursor.fetchall()):
            head, _on, rest = definition.partition(f" ON ONLY public.{FORMS} ")
            unique = "UNIQUE " if head.startswith("CREATE UNIQUE") else ""
            cursor.execute(f"CREATE {unique}INDEX {COPY}_i{number} ON {COPY} {rest}")


def _dump(unit: PilotUnit) -> list[bytes]:
    """The unit's stored rows as COPY (text) gives them, in the order in which they are stored."""
    query = f"COPY (SELECT * FROM {FORMS} WHERE unit_id = {unit.pk:d} ORDER BY id) TO STDOUT"  # noqa: S608
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        return [bytes(block) for block in _blocks(copy)]


def _blocks(pieces: Any) -> Iterator[bytes]:
    """Small pieces joined to blocks of 256 KiB."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(bytes(piece))
        size += len(waiting[-1])
        if size >= 256 * KIB:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _copy(blocks: Sequence[bytes]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {COPY} FROM STDIN") as copy:
            for block in blocks:
                copy.write(block)
        connection.commit()


# --- over stored forms of the past --------------------------------------------------------------------
def _measure_history(programme: Programme, options: Mapping[str, Any]) -> dict[str, float]:
    """Files of units that have a past of their own, while few forms are stored, and while many are."""
    units = [enrol(programme) for _ in range(HISTORY_UNITS)]
    history, figures, speed = History(units), dict[str, float](), dict[str, float]()
    for turn, (name, rows) in enumerate((("few", options["few"]), ("many", options["history"])), start=1):
        history.grow(rows)
        seed = options["seed"] + turn  # other form numbers than before
        lines = make_lines(options["rows"], seed=seed, error_rate=options["error_rate"])
        content, watch, used = b"\n".join(lines), Watch(), 0.0
        for unit in units[: options["runs"]]:
            before = _cpu()
            watch.time(name, len(lines), load, unit, content, "ndjson")
            used += _cpu() - before
        speed[name] = statistics.median(watch.speeds[name])
        figures[f"{name}_made_by_sql"] = rows
        figures[f"{name}_rows_s"] = round(speed[name])
        figures[f"{name}_rows_cpu_s"] = round(options["runs"] * len(lines) / used)
    return figures | {
        "many_of_few": round(speed["many"] / speed["few"], 3),
        "many_of_few_by_cpu": round(figures["many_rows_cpu_s"] / figures["few_rows_cpu_s"], 3),
    }


def _cpu() -> float:
    """Processor time so far of this process and of the database, seconds."""
    return time.process_time() + processes.cpu_seconds([processes.postmaster(settings.VAR)])


# --- memory -------------------------------------------------------------------------------------------
def _measure_memory(programme: Programme, options: Mapping[str, Any]) -> dict[str, float]:
    """The most memory of a process of its own that loads one file."""
    figures: dict[str, float] = {}
    for name, rows in zip(("small", "big"), options["memory_rows"], strict=True):
        lines = make_lines(rows, seed=options["seed"], error_rate=options["error_rate"])
        job = receive(enrol(programme), b"\n".join(lines), "ndjson")
        words = [sys.executable, "-m", "pilot.benchmarks.lone_loader", str(job.pk)]
        told = subprocess.run(words, cwd=settings.BASE_DIR, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
        figures |= {f"{name}_file_rows": rows, f"peak_mib_{name}_file": int(told.stdout)}
    return figures
