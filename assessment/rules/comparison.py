"""What of another one's figures may be told: small numbers point at single applicants (O04)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LEAST: Final = 5  # the smallest number told to a reader who may not see the cases behind it


def told(stages: Sequence[int]) -> list[int | None]:
    """Numbers of which each is part of the one before, for a reader outside; None where one is not told.

    Not told is a number under ``LEAST``, and one that lies by less than that below the last one told: the difference
    would be the small number.
    """
    given: list[int | None] = []
    last: int | None = None
    for number in stages:
        hidden = number < LEAST or (last is not None and 0 < last - number < LEAST)
        given.append(None if hidden else number)
        last = last if hidden else number
    return given
