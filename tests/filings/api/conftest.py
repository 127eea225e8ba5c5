"""A caller with a live key of a unit of Guangdong, and a spool of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    """What is handed in lies below the test's own folder."""
    settings.VAR = tmp_path / "var"


@pytest.fixture
def caller(unit: Any) -> Any:
    """The unit's own system, with a live key."""
    from tests.filings.api.caller import Caller, issued

    return Caller(issued(unit).secret)


@pytest.fixture
def wsgi() -> Iterator[Any]:
    """The portal as a server calls it, inside the test's transaction: the database connection stays open."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections

    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield WSGIHandler()
    for signal in signals:
        signal.connect(close_old_connections)
