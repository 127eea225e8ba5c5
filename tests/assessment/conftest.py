"""Fixtures of review and assessment. Models are imported late: Django is set up after conftests are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pilot.models import Programme
    from tests.assessment.builders import Desk


@pytest.fixture
def staff(programme: Programme) -> Desk:
    """The people of 广东 and of the ministry."""
    from tests.assessment import builders

    return builders.desk()
