"""How an act is refused, for exact comparison."""

from __future__ import annotations

from typing import Any

import pytest

from pilot.errors import PilotError
from pilot.workflow import fire


def refusal(case: Any, name: str, **data: Any) -> tuple[type[PilotError], str]:
    """Kind and words of the refusal of a transition."""
    with pytest.raises(PilotError) as caught:
        fire(case, name, **data)
    return type(caught.value), str(caught.value)
