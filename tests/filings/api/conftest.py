"""A caller with a live key of a unit of Guangdong."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def caller(unit: Any) -> Any:
    """The unit's own system, with a live key."""
    from tests.filings.api.caller import Caller, issued

    return Caller(issued(unit).secret)
