"""What the tests of machines share: refusals in words, states, errors counted."""

from __future__ import annotations

from typing import Any

import pytest

from filings.services import figures
from pilot.actors import Actor
from pilot.errors import PilotError, Refused
from pilot.models import PilotUnit
from pilot.workflow import fire


def refused(
    case: Any, name: str, actor: Actor, words: str, error: type[PilotError] = Refused, **data: Any
) -> None:
    """The act is refused with these words and changes nothing."""
    before = type(case).unscoped.get(pk=case.pk).state
    with pytest.raises(error, match=words):
        fire(case, name, actor=actor, **data)
    assert type(case).unscoped.get(pk=case.pk).state == before


def state(case: Any) -> str:
    return str(type(case).unscoped.get(pk=case.pk).state)


def m1_errors(unit: PilotUnit) -> int:
    return int(figures.figures(unit=unit, period="2019-06")["m1"]["errors"])
