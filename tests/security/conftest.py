"""A pilot unit of Guangdong, as the tests of the run phase have it."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def unit(programme: Any, provider: Any) -> Any:
    """A pilot unit; business time is the morning of 1 July 2019."""
    # Models are not ready when pytest reads this file.
    from tests.factories import world
    from tests.filings import builders

    enrolled = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    return enrolled
