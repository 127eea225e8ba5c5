"""Comparison of stored forms with the authority's records as of receipt (design.md, section 5).

One round: claim the unit, choose forms and open them, look their people up (outside any transaction, since the
authority may be a slow service), write. A difference opens its findings in the transaction of its determination, so
that no figure ever shows one without the other. Where the authority does not answer, or a form cannot be opened, the
form waits (``services.retries``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from filings.enums import Comparison, FindingKind, FindingSource
from filings.models import AuthorityRetry, Determination, VerificationForm
from filings.services import authority_sources, deltas, findings, outcomes, retries, subjects
from filings.services.authority_sources import AuthoritySource
from filings.services.outcomes import DECIDING, Outcome, Person
from pilot import clock
from pilot.actors import Actor
from pilot.database import AWAY
from pilot.models import PilotUnit
from pilot.rules import local_day
from pilot.services import outbox

COMPARE_LOCK: Final = 873  # advisory lock class: one comparer per unit at a time
JOB: Final = "comparison"
POLL_SECONDS: Final = 0.1
PASS_SECONDS: Final = 240
"""A worker hands the rest on after this time, well inside the time limit of a task."""
BUSY_AGAIN: Final = timedelta(minutes=1)
DESCRIPTION: Final = {
    "subject": "备案主体的名称或证件信息与权威库在接收时的记录不一致",
    "principal": "主体负责人的姓名或证件信息与权威库在接收时的记录不一致",
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to: forms taken in hand, be it that they cannot be opened; determinations; the last form.

    ``busy``: nothing, for another worker has the unit.
    """

    taken: int = 0
    written: int = 0
    last: int = 0
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A form in hand: its people, and the number of its last determination (0: none, so it is pending)."""

    form: VerificationForm
    people: list[Person]
    number: int
    cause: str


# --- what is asked for ------------------------------------------------------------------------------
def compare_pending(
    *,
    unit: PilotUnit | None = None,
    limit: int | None = None,
    thorough: bool = True,
    seconds: float | None = None,
) -> int:
    """Compare forms that were not compared yet; returns how many were.

    A unit that another worker has in hand is left to it, so two may run at once. ``thorough=False`` looks only beyond
    the last compared form of each unit, which costs the change and not the history; forms whose subject is not known
    yet stay pending, and so do those that the authority did not answer for. With ``seconds`` no round begins after
    that time but the first of each unit, and what is left of a unit is posted anew.
    """
    done, taken, begun = 0, 0, monotonic()
    source = authority_sources.configured()
    for unit_id in _units(unit):
        while limit is None or taken < limit:
            size = source.forms_at_once if limit is None else min(source.forms_at_once, limit - taken)
            made = _round(unit_id, source, _pending(unit_id, thorough=thorough)[:size])
            done, taken = done + made.written, taken + made.taken
            if made.busy and seconds is not None:  # whoever has it may be at others of its forms
                outbox.post_task_soon("filings.tasks.compare_unit", after=BUSY_AGAIN, unit_id=unit_id)
            if made.taken < size:
                break
            if seconds is not None and monotonic() - begun >= seconds:
                outbox.post_task("filings.tasks.compare_unit", unit_id=unit_id)
                break
    return done


def compare_everything(*, unit: PilotUnit) -> int:
    """Compare until nothing that can be compared now is pending; waits for a worker that has the unit in hand."""
    done = compare_pending(unit=unit)
    while pending(unit=unit):
        sleep(POLL_SECONDS)
        done += compare_pending(unit=unit)
    return done


def compare_again(*, unit: PilotUnit | None = None) -> int:
    """Compare undeterminable forms once more, after new authority records came; returns how many have a new answer."""
    settled = 0
    source = authority_sources.configured()
    for unit_id in _units(unit):
        made = Round(taken=source.forms_at_once)
        while made.taken == source.forms_at_once:
            made = _round(unit_id, source, _undeterminable(unit_id, made.last)[: source.forms_at_once])
            settled += made.written
    return settled


def compare_due(*, seconds: float) -> int:
    """Ask again for the forms whose time has come, ``seconds`` at most; returns how many have a new answer."""
    until = monotonic() + seconds
    source = authority_sources.configured()
    retries.forget_destroyed()
    return sum(_ask_again(unit_id, source, until) for unit_id in retries.units_due(at=clock.now()))


def _ask_again(unit_id: int, source: AuthoritySource, until: float) -> int:
    """A unit that cannot be compared now keeps none of the others waiting; the next run tries it again."""
    settled, taken = 0, source.forms_at_once
    try:
        while taken == source.forms_at_once and monotonic() < until:
            made = _round(unit_id, source, _due(unit_id)[: source.forms_at_once])
            taken, settled = made.taken, settled + made.written
    except AWAY:
        raise  # the database is away, which is no fault of this unit
    except Exception:
        logger.exception("comparison of unit %s", unit_id)
    return settled


def pending(*, unit: PilotUnit) -> int:
    """How many forms of a unit can be compared now and were not.

    Those waiting for an answer, or until they can be opened, are not among them.
    """
    return _pending(unit.pk, thorough=True).count()


# --- which forms ------------------------------------------------------------------------------------
def _units(unit: PilotUnit | None) -> Iterable[int]:
    return [unit.pk] if unit is not None else PilotUnit.unscoped.order_by("pk").values_list("pk", flat=True)


def _comparable(unit_id: int) -> QuerySet[VerificationForm]:
    """Forms that can be opened, with ``number`` and ``cause`` of their last determination."""
    latest = Determination.unscoped.filter(form=OuterRef("pk")).order_by("-number")
    rows = VerificationForm.unscoped.filter(unit=unit_id, key__destroyed_at__isnull=True).order_by("pk")
    return rows.annotate(
        number=Subquery(latest.values("number")[:1]), cause=Subquery(latest.values("cause")[:1])
    ).select_related("key")


def _pending(unit_id: int, *, thorough: bool) -> QuerySet[VerificationForm]:
    rows = _comparable(unit_id).filter(
        subjects.COMPARABLE,
        ~Exists(Determination.unscoped.filter(form=OuterRef("pk"))),
        ~Exists(AuthorityRetry.objects.filter(form=OuterRef("pk"))),
    )
    if thorough:
        return rows
    reached = Determination.unscoped.filter(unit=unit_id).order_by("-form").values("form")[:1]
    return rows.filter(Q(pk__gt=Coalesce(Subquery(reached), 0)) | Q(pk__in=subjects.late(unit_id)))


def _undeterminable(unit_id: int, after: int) -> QuerySet[VerificationForm]:
    latest = Determination.unscoped.filter(form=OuterRef("pk")).order_by("-number")
    rows = _comparable(unit_id).annotate(outcome=Subquery(latest.values("outcome")[:1]))
    return rows.filter(pk__gt=after, outcome=Comparison.UNDETERMINABLE)


def _due(unit_id: int) -> QuerySet[VerificationForm]:
    return _comparable(unit_id).filter(retry__next_at__lte=clock.now())


# --- one round --------------------------------------------------------------------------------------
def _round(unit_id: int, source: AuthoritySource, forms: QuerySet[VerificationForm]) -> Round:
    """Claim, look up, write; ``forms`` is read once claimed. Nothing is done where another worker has the unit."""
    with _claimed(unit_id) as mine:
        if not mine:
            return Round(busy=True)
        if not (chosen := list(forms)):
            return Round()
        if not (works := _opened(unit_id, chosen)):
            return Round(len(chosen), 0, chosen[-1].pk)
        queries = list(dict.fromkeys(person.query for work in works for person in work.people))
        answers = dict(zip(queries, source.lookup(queries), strict=True))
        results = [(work, outcomes.outcome(work.people, answers)) for work in works]
        return Round(len(chosen), _write(unit_id, results, source.name), chosen[-1].pk)


@contextmanager
def _claimed(unit_id: int) -> Iterator[bool]:
    """Whether this connection now is the one comparer of the unit; it stays so without a transaction.

    The lock goes with the connection, so a worker that dies leaves nothing behind.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [COMPARE_LOCK, unit_id])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            _release(unit_id)


def _release(unit_id: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [COMPARE_LOCK, unit_id])
    except DatabaseError:
        connection.close()  # lost or unusable: closing it gives the lock back as well


def _opened(unit_id: int, forms: list[VerificationForm]) -> list[Work]:
    """The forms with their people; one that cannot be opened is put off, or it would be chosen first for ever."""
    contents = subjects.opened(forms)
    if shut := [form.pk for form in forms if form.pk not in contents]:
        logger.error("%s forms of unit %s cannot be opened, the first is %s", len(shut), unit_id, shut[0])
        retries.put_off(unit_id=unit_id, forms=shut, at=clock.now())
    return [
        Work(
            form,
            outcomes.people(contents[form.pk], local_day(form.received_at)),
            form.number or 0,  # type: ignore[attr-defined]
            form.cause or "",  # type: ignore[attr-defined]
        )
        for form in forms
        if form.pk in contents
    ]


@transaction.atomic(durable=True)
def _write(unit_id: int, results: list[tuple[Work, Outcome]], authority: str) -> int:
    """Write the determinations of a round and open the findings of its mismatches; returns how many rows.

    ``durable``: whoever compares inside a transaction would look people up inside it, and is told so.
    """
    at = clock.now()
    unchanged = _unchanged(unit_id, [work for work, _result in results])
    results = [(work, result) for work, result in results if work.form.pk in unchanged]
    new = retries.note(
        unit_id=unit_id,
        looked=[retries.Looked(w.form.pk, w.number, w.cause, result) for w, result in results],
        at=at,
    )
    told = [(work, result) for work, result in results if work.form.pk in new]
    rows = [_row(work, result, authority, at) for work, result in told]
    faults = [fault for work, result in told for fault in _faults(work, result)]
    with deltas.recorded(unit_id=unit_id, chains={work.form.chain_no for work, _result in told}):
        Determination.unscoped.bulk_create(rows)
        findings.open_findings(actor=Actor.system(JOB), faults=faults, at=at)
    return len(rows)


def _unchanged(unit_id: int, works: Iterable[Work]) -> set[int]:
    """The forms nobody compared or destroyed since they were taken in hand.

    The claim sees to that; but a connection that broke meanwhile has lost it, and then this writes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [COMPARE_LOCK, unit_id])
        if not cursor.fetchone()[0]:
            return set()
    seen = {work.form.pk: work.number for work in works}
    rows = VerificationForm.unscoped.filter(unit=unit_id, pk__in=seen, key__destroyed_at__isnull=True)
    now = rows.annotate(top=Max("determinations__number")).values_list("pk", "top")
    return {pk for pk, number in now if seen[pk] == (number or 0)}


def _row(work: Work, result: Outcome, authority: str, at: datetime) -> Determination:
    return Determination(
        form=work.form,
        unit_id=work.form.unit_id,
        number=work.number + 1,
        outcome=result.outcome,
        fields=list(result.differences),
        differences={place: list(names) for place, names in result.differences.items()},
        cause=result.cause,
        authority=authority,
        at=at,
    )


def _faults(work: Work, result: Outcome) -> Iterator[findings.Fault]:
    """One fault per deciding person of a mismatch; a subject that is its own principal is one person."""
    places = [place for place in DECIDING if place in result.differences]
    identities: Mapping[str, Any] = {person.place: person.identity for person in work.people}
    if len(places) == 2 and identities["subject"] == identities["principal"]:
        places = ["subject"]
    for place in places:
        yield findings.Fault(
            form=work.form,
            source=FindingSource.COMPARISON,
            kind=FindingKind.IDENTITY,
            field=place,
            description=DESCRIPTION[place],
        )
