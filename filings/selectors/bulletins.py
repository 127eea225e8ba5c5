"""Of which months a bulletin can be compiled, and which comes next."""

from __future__ import annotations

from collections.abc import Sequence

from filings.enums import BulletinState
from filings.models import Bulletin
from filings.periods import Period
from pilot.selectors import programmes


def next_month(ended: Sequence[Period]) -> str:
    """The first of these months without a bulletin; empty where all have theirs."""
    rows = Bulletin.unscoped.filter(programme=programmes.current()).exclude(state=BulletinState.DISCARDED)
    told = set(rows.values_list("period", flat=True))
    return next((month.name for month in ended if month.name not in told), "")
