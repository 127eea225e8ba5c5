"""Fixtures of the run phase: a unit of Guangdong in June 2019."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def samples() -> Path:
    """The sample files of a pilot unit, with the counts that must come out."""
    return Path(__file__).parents[1] / "fixtures" / "samples"


@pytest.fixture
def unit(programme: Any, provider: Any) -> Any:
    """A pilot unit of Guangdong; business time is the morning of 1 July 2019."""
    # Models are not ready when pytest reads this file.
    from tests.factories import world
    from tests.filings import builders

    enrolled = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    return enrolled


@pytest.fixture
def second_reader(programme: Any) -> Any:
    """Another inspector of the bureau."""
    from tests.factories import world

    return world.bureau()


@pytest.fixture
def finding(unit: Any) -> Any:
    """A mismatch found on Monday 1 July 2019, 09:00."""
    from filings.enums import FindingSource
    from tests.factories import world
    from tests.filings import builders

    row = builders.form(unit, "F-1")
    builders.compared(row)
    return builders.found(row, source=FindingSource.COMPARISON, at=world.at("2019-07-01 09:00"))
