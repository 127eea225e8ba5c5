"""The portal set up to ask an authority on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.filings.authority.server import Authority

KEY = "authority-secret"


@pytest.fixture
def authority(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority without records; waits between tries are noted in its ``waits`` instead of waited."""
    # Models are not ready when pytest reads this file.
    from filings.services.authority_sources import http

    server: Any = Authority()
    server.waits = []
    settings.PILOT_AUTHORITY_SOURCE = "http"
    settings.PILOT_AUTHORITY_URL = server.url
    settings.PILOT_AUTHORITY_KEY = KEY
    settings.PILOT_AUTHORITY_SECONDS = 2.0
    settings.PILOT_WEBHOOK_LOOPBACK = True
    monkeypatch.setattr(http, "sleep", server.waits.append)
    monkeypatch.setattr(http, "random", lambda: 1.0)
    yield server
    server.stop()
