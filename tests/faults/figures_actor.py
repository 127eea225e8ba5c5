"""One of many who change what figures count: ``python figures_actor.py DATABASE ROLE SEED UNIT ACTORS``.

Runs until it is told to end (SIGTERM, between two acts) or killed. ``ACTORS``: who acts, as JSON.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

ending = False


def main(database: str, role: str, seed: str, unit_id: str, actors: str) -> None:
    signal.signal(signal.SIGTERM, _end)
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from pilot.actors import Actor
    from pilot.errors import PilotError
    from pilot.models import PilotUnit

    people = {name: Actor(**given) for name, given in json.loads(actors).items()}
    unit, rng = PilotUnit.unscoped.get(pk=unit_id), Random(seed)  # noqa: S311 (what chance would do, no secret)
    act: Callable[..., None] = ACTS[role]
    while not ending:
        try:
            act(unit, rng, people)
        except PilotError:  # somebody else was first: nothing has happened
            continue


def _end(*_signal: Any) -> None:
    global ending
    ending = True


def load(unit: Any, rng: Random, people: Any) -> None:
    """A file of new forms and corrections, received at some moment of two days, taken in small chunks."""
    from filings.models import VerificationForm
    from filings.services import uploads
    from filings.synthetic import make_forms
    from pilot.actors import Actor
    from tests.factories import world

    uploads.CHUNK_ROWS = 7  # type: ignore[misc]
    opened = world.moment("2019-06-10 00:00")
    span: Any = {"collected_from": opened, "collected_to": opened + timedelta(hours=1)}
    rows = [form.record for form in make_forms(20, unit_code=unit.code, seed=rng.getrandbits(40), **span)]
    known = list(
        VerificationForm.unscoped.filter(unit=unit).order_by("?").values_list("form_no", flat=True)[:8]
    )
    for row, corrected in zip(rows, known, strict=False):
        row["supersedes_form"] = corrected
    _make_known(rows, rng)
    job = uploads.receive_upload(
        actor=Actor.system("chaos"),
        unit=unit,
        source=io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows)),
        name="chaos.ndjson",
        received_at=opened + timedelta(hours=rng.randint(2, 48)),
    )
    uploads.process(job_id=job.pk)


def _make_known(rows: list[dict[str, Any]], rng: Random) -> None:
    """The authority knows these people, but for some whom it does not know and some by another name."""
    from filings.models import AuthorityRecord
    from filings.services import crypto
    from filings.synthetic import authority_rows

    numbers = [row["form_no"] for row in rows]
    known = authority_rows(rows, differ=rng.sample(numbers, 3), missing=rng.sample(numbers, 3))
    keys = [crypto.authority_keys(one.cert_type, one.cert_no, one.name) for one in known]
    AuthorityRecord.objects.bulk_create(
        (AuthorityRecord(identity=identity, name=name) for identity, name in keys), ignore_conflicts=True
    )


def compare(unit: Any, rng: Random, people: Any) -> None:
    from filings.services import comparison

    comparison.compare_pending(unit=unit, limit=rng.randint(5, 40), thorough=rng.random() < 0.5)
    if rng.random() < 0.1:
        comparison.compare_again(unit=unit)


def find(unit: Any, rng: Random, people: Any) -> None:
    """A report on a stored form, or the next step of a finding."""
    from filings.models import Finding, VerificationForm
    from filings.services.findings import report_finding
    from pilot.workflow import fire

    if rng.random() < 0.4:
        form = VerificationForm.unscoped.filter(unit=unit).order_by("?").first()
        if form is not None:
            kind, field = rng.choice([("identity", "principal"), ("form", f"domain{rng.randint(1, 9)}")])
            report_finding(actor=people["finder"], form=form, field=field, kind=kind, description="示例")
        return
    finding = Finding.unscoped.filter(unit=unit, state__in=("open", "disputed")).order_by("?").first()
    if finding is None:
        return
    if finding.state == "open":
        fire(finding, rng.choice(["confirm", "dispute_finding"]), actor=people["provider"], reason="示例")
    else:
        fire(finding, rng.choice(["uphold", "overturn"]), actor=people["decider"], reason="示例")


def inspect(unit: Any, rng: Random, people: Any) -> None:
    """A sample is drawn; half of the inspections are given up. Verdicts are written as they are recorded."""
    from filings.models import InspectionItem
    from filings.services import deltas
    from filings.services.inspections import plan_inspection
    from pilot.workflow import fire

    case = plan_inspection(actor=people["finder"], unit=unit, period="to-date", size=5)
    for step in ("commit", "draw", "begin"):
        case = fire(case, step, actor=people["finder"])
    for item in InspectionItem.unscoped.filter(inspection=case).select_related("form"):
        with deltas.recorded(unit_id=unit.pk, chains=[item.form.chain_no]):
            InspectionItem.unscoped.filter(pk=item.pk).update(identity_right=rng.random() < 0.8)
    if rng.random() < 0.5:
        fire(case, "cancel", actor=people["finder"], reason="示例")


def fold(unit: Any, rng: Random, people: Any) -> None:
    from filings.services import buckets

    buckets.fold(unit=unit if rng.random() < 0.5 else None)


ACTS = {"load": load, "compare": compare, "find": find, "inspect": inspect, "fold": fold}

if __name__ == "__main__":
    main(*sys.argv[1:])
