"""How fast forms come in: whole files through the real door, beside raw COPY of the same rows and the usual way.

Rows a second over the same synthetic rows in the same run, medians. The limit is COPY (text) of the same rows,
ciphertext ready-made, into a table with the same partitions and indexes and no triggers; the usual way is REST
framework's serializers with ``bulk_create``. Every run of a way has a unit of its own, so nothing is a repeat but
where repeats are measured.
"""

from __future__ import annotations

import io
import multiprocessing
import resource
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final
from uuid import uuid4

import msgspec
from django.db import connection, connections

from filings import synthetic, writers
from filings.enums import JobState
from filings.models import UploadJob
from filings.selectors.contexts import unit_context
from filings.services import uploads
from pilot import clock
from pilot.actors import Actor
from pilot.benchmarks import Report, usual_way
from pilot.demo import world
from pilot.demo.cast import Applicant, Fate
from pilot.enums import OrganisationKind, Province
from pilot.models import Organisation, PilotUnit, Programme
from pilot.services import programmes, register
from pilot.workflow import open_case

FORMS: Final = "filings_verificationform"
COPY: Final = "bench_copy"
PARTITIONS: Final = 16
NOW: Final = world.moment("2019-07-01 09:00")
OPENED: Final = world.moment("2019-05-16 00:00")
SYSTEM: Final = Actor.system("bench")
GOALS: Final = {
    "ndjson_of_copy": 0.35,
    "csv_of_copy": 0.45,
    "ndjson_of_usual": 25.0,
    "again_of_ndjson": 0.8,
    "two_of_one": 1.6,
}
KIB: Final = 1024
_serial = count(1)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--usual-rows", type=int, default=2_000, help="rows for the usual way, which is slow")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--history", type=int, default=0, help="narrow rows made by SQL beforehand")
    parser.add_argument("--error-rate", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=87)


def run(options: Mapping[str, Any]) -> Report:
    """Measure every way in turn, so often; the goals' ratios are goal / measured (≤ 1 is met)."""
    clock.set_business_time(NOW)
    programme = programmes.install(code="2019-87", actor=world.SETUP)
    lines = _lines(options)
    ndjson, csv = b"\n".join(lines), _csv(lines)
    _history(programme, options["history"])
    speeds: dict[str, list[float]] = {}

    def timed(name: str, rows: int, act: Callable[..., Any], *given: Any) -> Any:
        begun = time.perf_counter()
        found = act(*given)
        speeds.setdefault(name, []).append(rows / (time.perf_counter() - begun))
        return found

    _make_copy_table()
    for _ in range(options["runs"]):
        unit, another, usual, *pair = (_unit(programme) for _ in range(5))
        first = timed("ndjson", len(lines), _file, unit, ndjson, "ndjson")
        again = timed("again", len(lines), _file, unit, ndjson, "ndjson")
        if (again.accepted, again.duplicates) != (0, first.accepted + first.duplicates):
            raise RuntimeError("a file sent again brought new forms")
        timed("copy", first.accepted, _copy, _dump(unit))
        timed("csv", len(lines), _file, another, csv, "csv")
        some = lines[: options["usual_rows"]]
        timed("usual", len(some), _usual, usual, some)
        timed("two", 2 * len(lines), _together, pair, ndjson)
    return _report(options, {name: statistics.median(values) for name, values in speeds.items()})


def _report(options: Mapping[str, Any], speed: Mapping[str, float]) -> Report:
    found = {
        "ndjson_of_copy": speed["ndjson"] / speed["copy"],
        "csv_of_copy": speed["csv"] / speed["copy"],
        "ndjson_of_usual": speed["ndjson"] / speed["usual"],
        "again_of_ndjson": speed["again"] / speed["ndjson"],
        "two_of_one": speed["two"] / speed["ndjson"],
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    report = Report("intake", runs=options["runs"])
    report.figures = {f"{name}_rows_s": round(value) for name, value in speed.items()}
    report.figures |= {name: round(value, 3) for name, value in found.items()}
    report.figures |= {"rows": options["rows"], "history": options["history"], "peak_mib": round(peak)}
    report.ratios = {name: round(GOALS[name] / value, 3) for name, value in found.items()}
    return report


# --- the world ----------------------------------------------------------------------------------------
def _lines(options: Mapping[str, Any]) -> list[bytes]:
    forms = synthetic.make_forms(
        options["rows"],
        unit_code="bench",
        seed=options["seed"],
        error_rate=options["error_rate"],
        collected_from=OPENED,
        collected_to=world.moment("2019-06-30 00:00"),
    )
    return [msgspec.json.encode(form.record) for form in forms]


def _csv(lines: Sequence[bytes]) -> bytes:
    forms, out = [msgspec.json.decode(line) for line in lines], io.BytesIO()
    writers.write_csv(forms, out, writers.columns_of(forms))
    return out.getvalue()


def _unit(programme: Programme) -> PilotUnit:
    number = next(_serial)
    code = Applicant(number=number, province=44, day=15, fate=Fate.UNIT).uscc
    organisation = Organisation.objects.create(
        kind=OrganisationKind.PROVIDER,
        name=f"示例基准{number}有限公司",
        province=Province.GUANGDONG,
        uscc=code,
    )
    return register.enrol_unit(
        actor=SYSTEM,
        programme=programme,
        organisation=organisation,
        case_key=uuid4(),
        at=OPENED,
        effective_from=OPENED,
    )


def _history(programme: Programme, rows: int) -> None:
    """Stored forms of the past: narrow rows, since only their number and their indexes bear on the speed."""
    if not rows:
        return
    unit = _unit(programme)
    job = _job(unit)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO filings_unitmonthkey (unit_id, month, wrapped, master_version) "
            "VALUES (%s, '2019-05-01', '\\x00', 1) RETURNING id",
            [unit.pk],
        )
        key = cursor.fetchone()[0]
        cursor.execute(
            f"INSERT INTO {FORMS} (uuid, unit_id, job_id, row, form_no, chain_no, version, supersedes, day,"  # noqa: S608
            " received_at, collected_at, late, filing_type, subject_province, subject_kind, source,"
            " rule_version, subject_known, digest, subject_index, key_id, ciphertext)"
            " SELECT gen_random_uuid(), %s, %s, n, 'H-' || n, 'H-' || n, 1, '', '2019-05-20',"
            " '2019-05-20 08:00+08', '2019-05-20 08:00+08', false, 'new_filing', 44, 'unit', 'ndjson', 'h',"
            " true, sha256(n::text::bytea), sha256(n::text::bytea), %s, '\\x00' FROM generate_series(1, %s) n",
            [unit.pk, job.pk, key, rows],
        )
        cursor.execute(f"VACUUM ANALYZE {FORMS}")


def _job(unit: PilotUnit) -> UploadJob:
    job = UploadJob(
        case_key=uuid4(),
        unit=unit,
        source_name="bench",
        format="ndjson",
        sha256="0" * 64,
        size=1,
        received_at=NOW,
    )
    open_case(job, actor=SYSTEM)
    return job


# --- the ways -----------------------------------------------------------------------------------------
def _file(unit: PilotUnit, content: bytes, file_format: str) -> UploadJob:
    """Through the real door: spool, check, seal, store, refusals, audit."""
    job = uploads.receive_upload(
        actor=SYSTEM, unit=unit, source=io.BytesIO(content), name=f"bench.{file_format}", format=file_format
    )
    done = uploads.process(job_id=job.pk)
    if done.state != JobState.DONE:
        raise RuntimeError(done.fault)
    return done


def _usual(unit: PilotUnit, lines: Sequence[bytes]) -> None:
    usual_way.take(lines, job=_job(unit), context=unit_context(unit, NOW))


def _together(units: Sequence[PilotUnit], content: bytes) -> None:
    """Two processes, each with a whole file of its own."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_file, args=(unit, content, "ndjson")) for unit in units]
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
