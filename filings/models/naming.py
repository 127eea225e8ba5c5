"""Readable numbers of the run phase's cases."""

from __future__ import annotations

from pilot.machines import Case
from pilot.rules import local_day


def readable_number(prefix: str, case: Case) -> str:
    """A number that people quote: prefix of the machine, year it was opened, row, e.g. ``ZG-2019-0003``."""
    return f"{prefix}-{local_day(case.opened_at).year}-{case.pk:04d}"
