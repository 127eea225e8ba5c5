"""What goes on in the portal that is backed up: ``python backup_scenes.py SCENE`` in an own ``PILOT_VAR``."""

from __future__ import annotations

import io
import json
import os
import sys
from itertools import count
from pathlib import Path
from typing import Any

VAR = Path(os.environ["PILOT_VAR"])
STOP = VAR / "stop-writing"
ROWS = 40


def build() -> Any:
    """A programme, a unit with forms, stored files, a signed head of the log."""
    from tests.faults import own_servers

    own_servers.build()
    load(0)
    return seal()


def seal() -> Any:
    from pilot.services import audit, audit_heads

    audit.seal()
    head = audit_heads.sign()
    assert head is not None
    return head.size


def receive(number: int) -> Any:
    """One file of forms, taken in but not yet read."""
    from filings.services import uploads
    from filings.synthetic import make_forms
    from pilot.models import PilotUnit
    from tests.factories import world
    from tests.filings import builders

    unit = PilotUnit.unscoped.get()
    span = {
        "collected_from": world.moment("2019-06-03 00:00"),
        "collected_to": world.moment("2019-06-20 00:00"),
    }
    rows = [form.record for form in make_forms(ROWS, unit_code=unit.code, seed=number, **span)]
    return uploads.receive_upload(
        actor=builders.SYSTEM,
        unit=unit,
        source=io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows)),
        name=f"{number}.ndjson",
        received_at=world.moment("2019-06-30 12:00"),
    )


def load(number: int) -> None:
    from filings.services import uploads
    from pilot.services import documents

    job = receive(number)
    documents.put_bytes(os.urandom(20_000))
    uploads.process(job_id=job.pk)


def write() -> Any:
    """Write until the file says to stop: forms, files, refused rows, audit rows; a job waits at any time."""
    from pilot.services import audit

    for number in count(1):
        receive(1_000 + number)
        load(number)
        audit.seal()
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if STOP.exists():
            return number
    return None


def look() -> Any:
    """What a restored portal can do: every waiting job ends well, every form opens, the log holds."""
    from filings.models import UploadJob, VerificationForm
    from filings.services import storage, uploads
    from pilot.services import audit, audit_checks

    waiting = list(
        UploadJob.unscoped.filter(state__in=["received", "processing"]).values_list("pk", flat=True)
    )
    states = {uploads.process(job_id=pk).state for pk in waiting}
    forms = VerificationForm.unscoped.select_related("key")
    opened = sum(
        storage.open_form(form)["form_no"] == form.form_no for form in forms.iterator(chunk_size=500)
    )
    while audit.seal(everything=True):
        pass
    return {
        "waiting": len(waiting) > 0,
        "states": sorted(states),
        "all_open": opened == VerificationForm.unscoped.count() and opened >= ROWS,
        "log": audit_checks.verify()["ok"],
    }


def tables() -> Any:
    """What every table holds, and the time of the database's clock."""
    from django.db import connection

    from pilot.services import dumps

    with dumps.snapshot() as (cursor, _name):
        found = dumps.tables(cursor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery(), clock_timestamp()::text")
        recovering, now = cursor.fetchone()
    return {"tables": found, "recovering": recovering, "now": now}


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django

    django.setup()
    scene = {"build": build, "write": write, "look": look, "tables": tables}[sys.argv[1]]
    sys.stdout.write(json.dumps(scene()))
