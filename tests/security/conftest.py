"""A pilot unit of Guangdong, as the tests of the run phase have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


@pytest.fixture
def receiver_of(settings: Any) -> Iterator[Callable[..., Any]]:
    """Receivers of webhooks on this machine."""
    from tests.pilot.webhooks.receiver import Receiver

    settings.PILOT_WEBHOOK_LOOPBACK = True
    made: list[Any] = []

    def one(*answers: Any) -> Any:
        made.append(Receiver(None))
        made[-1].answers += answers
        return made[-1]

    yield one
    for receiver in made:
        receiver.stop()


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """One of everything, built once for the module in a transaction around its tests (tests/security/scene.py)."""
    from django.db import transaction
    from django.test import override_settings

    from tests.factories import world
    from tests.security.scene import build

    var = tmp_path_factory.mktemp("var")
    chosen = override_settings(VAR=var, MEDIA_ROOT=var / "media")
    with django_db_blocker.unblock(), chosen, transaction.atomic():
        world.install()
        yield build()
        transaction.set_rollback(True)
