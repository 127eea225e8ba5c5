"""A pilot unit, sound forms of it, and the sample files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from filings.intake.records import UnitContext, open_scope
from filings.synthetic import make_forms

RUN_OPENS = datetime.fromisoformat("2019-05-16T00:00:00+08:00")
RUN_CLOSES = datetime.fromisoformat("2020-01-01T00:00:00+08:00")
RECEIVED = datetime.fromisoformat("2019-06-30T12:00:00+08:00")

Form = dict[str, Any]


@pytest.fixture(scope="session")
def samples() -> Path:
    return Path(__file__).parents[2] / "fixtures" / "samples"


@pytest.fixture(scope="session")
def context() -> UnitContext:
    return UnitContext(
        unit_code="PU-01",
        national_id="1001",
        run_opens=RUN_OPENS,
        run_closes=RUN_CLOSES,
        active=((RUN_OPENS, None),),
        scope=open_scope(RUN_OPENS),
        received_at=RECEIVED,
    )


@pytest.fixture(scope="session")
def at() -> Callable[[str], UnitContext]:
    """The same unit, receiving at another time."""

    def received(time: str) -> UnitContext:
        return replace(_unit(), received_at=datetime.fromisoformat(time))

    return received


def _unit() -> UnitContext:
    return UnitContext(
        "PU-01", "1001", RUN_OPENS, RUN_CLOSES, ((RUN_OPENS, None),), open_scope(RUN_OPENS), RECEIVED
    )


def _first(kind: str) -> Form:
    forms = make_forms(
        50,
        unit_code="PU-01",
        seed=1,
        collected_from=datetime.fromisoformat("2019-06-03T00:00:00+08:00"),
        collected_to=datetime.fromisoformat("2019-06-20T00:00:00+08:00"),
        provinces=("330000",),
    )
    return next(form.record for form in forms if form.record["subject_kind"] == kind)


@pytest.fixture
def unit_form() -> Form:
    """A sound form of a unit subject in 浙江."""
    return _first("unit")


@pytest.fixture
def person_form() -> Form:
    """A sound form of a person subject in 浙江."""
    return _first("person")
