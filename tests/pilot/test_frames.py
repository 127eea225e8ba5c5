"""Calls in a loop cost the same at every depth of the stack."""

from __future__ import annotations

import resource
from collections.abc import Callable
from functools import partial

from pilot.frames import in_one_piece

CALLS = 2_000
DEPTHS = range(0, 250, 2)


def small(number: int) -> int:
    return number


def loop() -> int:
    """How many pages of memory the kernel had to give for the calls of a loop."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for number in range(CALLS):
        small(number)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def at(depth: int, act: Callable[[], int]) -> int:
    return at(depth - 1, act) if depth else act()


def test_no_depth_maps_memory_for_every_call() -> None:
    """Neither of those where the room begins nor of those within it."""
    dear = [
        (outside, inside)
        for outside in DEPTHS
        for inside in (0, 10, 100)
        if at(outside, in_one_piece(partial(at, inside, loop))) >= CALLS
    ]
    assert dear == []


def test_the_result_is_that_of_the_call() -> None:
    assert in_one_piece(divmod)(7, 2) == (3, 1)
