"""What benchmarks of the forms' door stand on: a programme, units, synthetic files, stored forms of the past."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import batched, count
from typing import Any, Final
from uuid import uuid4

import msgspec
from django.db import connection

from filings import synthetic, writers
from filings.enums import FindingKind, FindingSource, JobState
from filings.models import Finding, UploadJob, VerificationForm
from filings.services import buckets, uploads
from filings.services.findings import Fault, open_findings
from pilot import clock
from pilot.actors import Actor
from pilot.demo import world
from pilot.demo.cast import Applicant, Fate
from pilot.enums import OrganisationKind, Province
from pilot.models import Organisation, PilotUnit, Programme
from pilot.services import programmes, register
from pilot.workflow import open_case

FORMS: Final = "filings_verificationform"
NOW: Final = world.moment("2019-07-01 09:00")
OPENED: Final = world.moment("2019-05-16 00:00")
HISTORY_DAYS: Final = 45
BATCH: Final = 1_000  # findings opened at once
SYSTEM: Final = Actor.system("bench")
_serial = count(1_000)  # far from the demonstration's cast


def install() -> Programme:
    """The programme, on a business day of its run."""
    clock.set_business_time(NOW)
    return programmes.install(code="2019-87", actor=world.SETUP)


def enrol(programme: Programme, province: Province = Province.GUANGDONG) -> PilotUnit:
    """One more unit."""
    number = next(_serial)
    code = Applicant(number=number, province=province, day=15, fate=Fate.UNIT).uscc
    organisation = Organisation.objects.create(
        kind=OrganisationKind.PROVIDER,
        name=f"示例基准{number}有限公司",
        province=province,
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


def make_lines(rows: int, *, seed: int, error_rate: float) -> list[bytes]:
    """Forms as lines of NDJSON; another seed gives other form numbers."""
    forms = synthetic.make_forms(
        rows,
        unit_code="bench",
        seed=seed,
        error_rate=error_rate,
        collected_from=OPENED,
        collected_to=world.moment("2019-06-30 00:00"),
    )
    return [msgspec.json.encode(form.record) for form in forms]


def as_csv(lines: Sequence[bytes]) -> bytes:
    """The same forms as a table."""
    forms, out = [msgspec.json.decode(line) for line in lines], io.BytesIO()
    writers.write_csv(forms, out, writers.columns_of(forms))
    return out.getvalue()


def open_job(unit: PilotUnit) -> UploadJob:
    """A job in the books, without a file."""
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


def receive(unit: PilotUnit, content: bytes, file_format: str) -> UploadJob:
    """Hand in a file; whoever processes jobs will find it."""
    return uploads.receive_upload(
        actor=SYSTEM, unit=unit, source=io.BytesIO(content), name=f"bench.{file_format}", format=file_format
    )


def load(unit: PilotUnit, content: bytes, file_format: str) -> UploadJob:
    """A file through the real door: spool, check, seal, store, refusals, audit. Raises RuntimeError if it failed."""
    done = uploads.process(job_id=receive(unit, content, file_format).pk)
    if done.state != JobState.DONE:
        raise RuntimeError(done.fault)
    return done


class History:
    """Stored forms of the past, made by SQL: narrow rows, since only number, spread and indexes bear on the speed.

    Their content is destroyed with its keys, as after retention: whoever opens one reads that.

    They lie as in life: many units in every partition, a few of them large, received day by day.
    """

    def __init__(self, units: Sequence[PilotUnit]) -> None:
        self.rows = 0
        self._places: Mapping[str, list[int]] = {
            "units": [unit.pk for unit in units],
            "jobs": [open_job(unit).pk for unit in units],
            "keys": [_month_key(unit) for unit in units],
        }
        self._provinces = [int(province) for province in Province]

    def grow(self, rows: int) -> None:
        """Add rows until there are so many. Triggers do not see them: their counts are long made."""
        parameters: dict[str, Any] = {
            **self._places,
            "provinces": self._provinces,
            "first": self.rows + 1,
            "last": rows,
            "days": HISTORY_DAYS,
            "opened": OPENED,
        }
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(_HISTORY, parameters)
            cursor.execute("SET session_replication_role = origin")
            cursor.execute(f"VACUUM ANALYZE {FORMS}")
        self.rows = rows


# Unit 1 of 64 gets an eighth of the rows, the last a hundred-and-twenty-eighth: the root of a spread-out number.
_HISTORY: Final = f"""
INSERT INTO {FORMS} (uuid, unit_id, job_id, row, form_no, chain_no, version, supersedes, day, received_at,
    collected_at, late, filing_type, subject_province, subject_kind, source, rule_version, subject_known, digest,
    subject_index, key_id, ciphertext)
SELECT gen_random_uuid(), (%(units)s::bigint[])[place], (%(jobs)s::bigint[])[place], n, form_no, form_no, 1, '',
    (received AT TIME ZONE 'Asia/Shanghai')::date, received, received - interval '1 hour', false, 'new_filing',
    (%(provinces)s::int[])[1 + n %% cardinality(%(provinces)s::int[])], 'unit', 'ndjson', 'h', true, digest, digest,
    (%(keys)s::bigint[])[place], '\\x00'
FROM (
    SELECT n,
        1 + floor(power((n * 7919 %% 1000003) / 1000003.0, 2) * cardinality(%(units)s::bigint[]))::int AS place,
        'SL-bench-0-' || lpad(n::text, 8, '0') AS form_no,
        sha256(n::text::bytea) AS digest,
        %(opened)s::timestamptz + (%(days)s::int * (n - %(first)s) / (%(last)s - %(first)s + 1.0)) * interval '1 day'
            AS received
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
) numbered
"""  # noqa: S608  (its one name is ours)


def _month_key(unit: PilotUnit) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO filings_unitmonthkey (unit_id, month, wrapped, master_version, destroyed_at) "
            "VALUES (%s, '2019-05-01', '', 1, %s) RETURNING id",
            [unit.pk, NOW],
        )
        return int(cursor.fetchone()[0])


# --- what is compared -------------------------------------------------------------------------------
# Every 2,000th form differs from the authority's record and every 300th has none: as in life, or a little worse.
COMPARED: Final = f"""
INSERT INTO filings_determination (form_id, unit_id, number, outcome, fields, at)
SELECT id, unit_id, 1,
    CASE WHEN id %% 2000 = 0 THEN 'mismatch' WHEN id %% 300 = 0 THEN 'undeterminable' ELSE 'match' END,
    '[]', received_at
FROM {FORMS} f WHERE id > %(after)s
"""  # noqa: S608 (its one name is ours)


def grow_compared(history: History, rows: int, units: Sequence[PilotUnit]) -> int:
    """Stored forms with their comparisons and findings of the past; their counts are made by a recount.

    Returns the highest id there was before.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {FORMS}")  # noqa: S608
        after = int(cursor.fetchone()[0])
        history.grow(rows)
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(COMPARED, {"after": after})
        cursor.execute("SET session_replication_role = origin")
    wrong = VerificationForm.unscoped.filter(pk__gt=after, determinations__outcome="mismatch")
    open_in_batches([fault(form, FindingSource.COMPARISON) for form in wrong])
    for unit in units:
        buckets.rebuild(unit=unit)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return after


def fault(form: VerificationForm, source: str) -> Fault:
    """A fault of the subject's identity."""
    return Fault(form=form, source=source, kind=FindingKind.IDENTITY, field="subject", description="示例")


def open_in_batches(faults: Sequence[Fault]) -> list[Finding]:
    """Open findings in batches, as comparing does, each folded at once."""
    opened: list[Finding] = []
    for some in batched(faults, BATCH):
        opened += open_findings(actor=SYSTEM, faults=some, at=NOW)
        buckets.fold()
    return opened
