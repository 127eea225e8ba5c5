"""Receivers on this machine, a unit, and its administrator's address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def make(settings: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Receivers on this machine, which the portal may reach in this test."""
    from tests.pilot.webhooks.receiver import Receiver

    settings.PILOT_WEBHOOK_LOOPBACK = True
    settings.PILOT_WEBHOOK_CA = str(tmp_path / "receiver.pem")
    made: list[Any] = []

    def one(*answers: Any, secure: bool = False) -> Any:
        made.append(Receiver(tmp_path if secure else None))
        made[-1].answers += answers
        return made[-1]

    yield one
    for receiver in made:
        receiver.stop()


@pytest.fixture
def unit(programme: Any, provider: Any) -> Any:
    """A pilot unit; business time is the morning of 1 July 2019, security time is real."""
    from tests.factories import world
    from tests.filings import builders

    enrolled = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    return enrolled
