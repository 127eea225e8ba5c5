"""Ways to hand in forms for the pilot unit, with a spool of the test's own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Form = dict[str, Any]


@pytest.fixture(autouse=True)
def spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"


@pytest.fixture
def made(unit: Any) -> Callable[..., list[Form]]:
    """Sound forms of the unit, collected in June 2019."""
    from filings.synthetic import make_forms
    from tests.factories import world

    def make(number: int, seed: int = 1, **options: Any) -> list[Form]:
        span = {
            "collected_from": world.moment("2019-06-03 00:00"),
            "collected_to": world.moment("2019-06-20 00:00"),
        }
        return [form.record for form in make_forms(number, unit_code=unit.code, seed=seed, **span, **options)]

    return make


@pytest.fixture
def receive(unit: Any) -> Callable[..., Any]:
    """Hand in a file, or forms as NDJSON, for the unit; returns the job as received."""
    from filings.services import uploads
    from tests.factories import world
    from tests.filings import builders

    def act(*rows: Any, received: str = "2019-06-30 12:00", **options: Any) -> Any:
        chosen = {"actor": builders.SYSTEM, "unit": unit, "name": "forms.ndjson", **options}
        return uploads.receive_upload(
            source=io.BytesIO(b"".join(_line(row) for row in rows)),
            received_at=world.moment(received),
            **chosen,
        )

    return act


@pytest.fixture
def hand_in(receive: Callable[..., Any]) -> Callable[..., Any]:
    """Hand in and process; returns the job as it then is."""
    from filings.services import uploads

    return lambda *rows, **options: uploads.process(job_id=receive(*rows, **options).pk)


@pytest.fixture
def codes() -> Callable[[Any], list[tuple[int, list[str]]]]:
    """The refused rows of a job with their codes."""
    from filings.models import FormRefusal

    def read(job: Any) -> list[tuple[int, list[str]]]:
        rows = FormRefusal.unscoped.filter(job=job).order_by("row")
        return [(row.row, [error["code"] for error in row.errors]) for row in rows]

    return read


def _line(row: Any) -> bytes:
    return row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n"
