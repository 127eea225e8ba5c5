"""Every test of signing in begins with all its tries: allauth counts sign-ins a minute and address, in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def all_tries() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
