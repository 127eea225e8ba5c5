"""What a switch does to the times over which a province and filing type is open. Pure; no models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

type Span = tuple[datetime, datetime | None]  # half-open; None: without an end
type Cell = tuple[int, str]  # province, filing type
type Scope = Mapping[Cell, Sequence[Span]]


def switched(spans: Iterable[Span], *, opened: bool, at: datetime) -> list[Span]:
    """The times after somebody opened or closed from ``at`` on.

    The last decision holds from its effect on: what was planned for later goes, what lay before stays.
    """
    kept: list[Span] = [
        (lower, at if upper is None or upper > at else upper) for lower, upper in sorted(spans) if lower < at
    ]
    if not opened:
        return kept
    if kept and kept[-1][1] == at:
        return [*kept[:-1], (kept[-1][0], None)]
    return [*kept, (at, None)]


def is_open(spans: Iterable[Span], at: datetime) -> bool:
    """Whether one of the times contains a moment."""
    return any(lower <= at and (upper is None or at < upper) for lower, upper in spans)


def next_turn(spans: Iterable[Span], at: datetime) -> datetime | None:
    """When it next opens or closes after ``at``, as decided by now; None where nothing is planned."""
    turns = [moment for span in spans for moment in span if moment is not None and moment > at]
    return min(turns, default=None)


def leaves_nothing_open(before: Scope, after: Scope, *, since: datetime) -> bool:
    """Whether at some moment from ``since`` on nothing would be open any more though something was to be."""
    moments = {since} | {
        moment
        for scope in (before, after)
        for spans in scope.values()
        for span in spans
        for moment in span
        if moment is not None and moment > since
    }
    return any(_anything(before, moment) and not _anything(after, moment) for moment in moments)


def _anything(scope: Scope, at: datetime) -> bool:
    return any(is_open(spans, at) for spans in scope.values())
