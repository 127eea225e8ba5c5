"""Whom to ask next: the least loaded, of different agencies. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Load:
    """An assessor's work in cases: what is not over, then everything of this programme."""

    in_hand: int
    total: int


@dataclass(frozen=True, slots=True)
class Free:
    """Somebody who may be asked."""

    key: int
    agency: int
    load: Load


def suggest(free: Sequence[Free], *, wanted: int, besides: Collection[int] = ()) -> list[int]:
    """Keys of the ``wanted`` least loaded, one per agency and none of the agencies ``besides``; may be fewer.

    Of equal load whoever comes first in ``free``.
    """
    agencies = set(besides)
    chosen: list[int] = []
    for person in sorted(free, key=lambda each: each.load):
        if len(chosen) < wanted and person.agency not in agencies:
            agencies.add(person.agency)
            chosen.append(person.key)
    return chosen
