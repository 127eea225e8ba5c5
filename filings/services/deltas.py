"""Changes of counts, queued in the transaction that causes them (design.md, section 5).

Whoever writes what bears on counts does so inside :func:`recorded` (or, for forms that come in, :func:`arriving`):
the chains concerned are counted before and after by the one statement of ``selectors.counting``, and the difference
per bucket is appended to the queue. Writers of one unit's existing chains wait for each other; chains that come in
new are seen by nobody else before their commit, so that loading waits for no one.

Lock order: loading (874) or comparing (873), rows of cases, then this one (875), and nothing that others hold after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple

from django.db import connection, transaction

from filings.models.guarded import DECLARED
from filings.selectors import counting
from filings.selectors.counting import CHAIN_NAMES, NOTHING, Tally
from pilot.database import copy_rows

COUNT_LOCK: Final = 875  # advisory lock class: one writer at a time bears on a unit's existing chains
BY: Final = ("day", "subject_province", "subject_kind")
COLUMNS: Final = ("forms", "versions", *CHAIN_NAMES)

_DECLARE: Final = "SELECT set_config(%s, %s, true)"
_QUEUED: Final = {
    "unit_id": "int8", "day": "date", "subject_province": "int2", "subject_kind": "text",
    **dict.fromkeys(COLUMNS, "int4"),
}  # fmt: skip

type Bucket = tuple[date, int, str]  # day, province of the subject, kind of the subject


class Arrival(NamedTuple):
    """What the buckets need to know of a form that comes in."""

    chain_no: str
    version: int
    day: date
    subject_province: int
    subject_kind: str
    late: bool


@dataclass(slots=True)
class _Recording:
    """The chains of one unit that are being changed, as they counted before."""

    unit_id: int
    chains: set[str] = field(default_factory=set)
    before: Counter[tuple[Bucket, str]] = field(default_factory=Counter)

    def take(self, chains: Iterable[str]) -> None:
        """Count further chains, as they are before they are changed; only the owner of the unit's lock may."""
        further = set(chains) - self.chains
        if further:
            self.chains |= further
            self.before.update(_measured(self.unit_id, further))

    def difference(self) -> Counter[tuple[Bucket, str]]:
        """What the changes came to, per bucket and count; nothing where nothing differs."""
        found = _measured(self.unit_id, self.chains) if self.chains else Counter()
        found.subtract(self.before)
        return found


_open: ContextVar[Mapping[int, _Recording]] = ContextVar("recordings", default=MappingProxyType({}))


@contextmanager
def recorded(*, unit_id: int, chains: Iterable[str] = (), forms: Iterable[int] = ()) -> Iterator[None]:
    """What is written inside about these chains (or those of these forms) is counted when the outermost block ends.

    Raising out of the block undoes what was written in it. A block inside another one of the same unit adds its
    chains to that one: they must not have been changed before.
    """
    chains = {*chains, *counting.chains_of(unit=unit_id, forms=list(forms))}
    outer = _open.get().get(unit_id)
    if outer is not None:
        outer.take(chains)
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [COUNT_LOCK, unit_id])
        recording = _Recording(unit_id)
        recording.take(chains)
        with _declared(recording):
            yield
        _queue(unit_id, recording.difference())


@contextmanager
def arriving(*, unit_id: int, arrivals: Sequence[Arrival]) -> Iterator[None]:
    """The forms written inside are counted: new chains at once, as pending or late; corrections as any change."""
    plain = Counter(arrival.chain_no for arrival in arrivals)
    corrected = {
        arrival.chain_no for arrival in arrivals if arrival.version > 1 or plain[arrival.chain_no] > 1
    }
    change: Counter[tuple[Bucket, str]] = Counter()
    for (bucket, simple, late), number in Counter(
        (arrival[2:5], arrival.chain_no not in corrected, arrival.late) for arrival in arrivals
    ).items():
        change[bucket, "forms"] += number
        if simple and late:
            change[bucket, "late"] += number
        elif simple:
            change[bucket, "versions"] += number
            change[bucket, "pending"] += number
    with transaction.atomic(savepoint=False):  # a load that fails here fails as a whole
        if corrected:
            with recorded(unit_id=unit_id, chains=corrected):
                yield
        else:
            with _declared(_Recording(unit_id)):
                yield
        _queue(unit_id, change)


@contextmanager
def _declared(recording: _Recording) -> Iterator[None]:
    """Let this transaction write what is guarded (``models.guarded``) while the block lasts."""
    outer = _open.get()
    token = _open.set({**outer, recording.unit_id: recording})
    try:
        if not outer:
            _declare("yes")
        yield
        if not outer:
            _declare("")
    finally:
        _open.reset(token)


def _declare(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_DECLARE, [DECLARED, value])


def _measured(unit_id: int, chains: Iterable[str]) -> Counter[tuple[Bucket, str]]:
    found: Counter[tuple[Bucket, str]] = Counter()
    for bucket, tally in counting.tallies(units=[unit_id], by=BY, chains=sorted(chains)).items():
        for name, number in zip(COLUMNS[1:], _numbers(tally), strict=True):
            found[bucket, name] = number
    return found


def _numbers(tally: Tally = NOTHING) -> list[int]:
    return [tally.versions, *(getattr(tally.counts, name) for name in CHAIN_NAMES)]


def _queue(unit_id: int, change: Counter[tuple[Bucket, str]]) -> None:
    """Append one row per bucket that changes."""
    buckets = sorted({bucket for (bucket, _name), number in change.items() if number})
    if not buckets:
        return
    copy_rows(
        "filings_countdelta",
        _QUEUED,
        ((unit_id, *bucket, *(change[bucket, name] for name in COLUMNS)) for bucket in buckets),
    )
