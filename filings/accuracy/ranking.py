"""A place among units only where it is certain: where a unit's interval overlaps with no other's.

Two figures whose intervals overlap do not differ beyond chance, so an order between them would say more than is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .intervals import Interval


@dataclass(frozen=True, slots=True)
class Rank:
    """The place of a unit from 1 (most accurate), or None: its interval overlaps with these others, or it has none."""

    place: int | None
    overlaps: tuple[int, ...] = ()


def ranks(intervals: Sequence[Interval | None]) -> list[Rank]:
    """The rank of each interval, in the order given; intervals that touch overlap, None takes no part.

    A unit apart from all others has as many units above it as lie wholly above it, whatever their own order is.
    """
    return [_rank(index, own, intervals) for index, own in enumerate(intervals)]


def _rank(index: int, own: Interval | None, intervals: Sequence[Interval | None]) -> Rank:
    if own is None:
        return Rank(None)
    others = [(i, other) for i, other in enumerate(intervals) if i != index and other is not None]
    overlaps = tuple(i for i, other in others if own.lower <= other.upper and other.lower <= own.upper)
    if overlaps:
        return Rank(None, overlaps)
    return Rank(1 + sum(other.lower > own.upper for _i, other in others))
