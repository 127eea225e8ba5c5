"""Comparison of stored forms with the authority's records as of receipt (design.md, section 5).

Every person of a form is looked up by keyed digests; subject and principal decide, website principals are reported.
A difference opens its findings in the same transaction, so that no figure ever shows one without the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from time import sleep
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery

from filings.enums import Comparison, FindingKind, FindingSource
from filings.models import AuthorityRecord, Determination, VerificationForm
from filings.services import findings
from filings.services.crypto import authority_keys_everywhere
from filings.services.storage import open_form
from pilot import clock
from pilot.actors import Actor
from pilot.models import PilotUnit
from pilot.rules import local_day

COMPARE_LOCK: Final = 873  # advisory lock class: one comparer per unit at a time
BATCH: Final = 1_000
JOB: Final = "comparison"
POLL_SECONDS: Final = 0.1
DECIDING: Final = ("subject", "principal")
type Record = tuple[bytes, date | None, date | None]  # digest of the name, first and last day of validity
DESCRIPTION: Final = {
    "subject": "备案主体的名称或证件信息与权威库在接收时的记录不一致",
    "principal": "主体负责人的姓名或证件信息与权威库在接收时的记录不一致",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody named in a form: where, and the keyed digests of certificate and name.

    ``keys`` has one pair per configured version of the index key, since the records may be older than the newest.
    """

    place: str
    keys: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comparing one form came to: its outcome, and the places that differ."""

    outcome: Comparison
    differing: tuple[str, ...]


def compare_pending(*, unit: PilotUnit | None = None, limit: int | None = None, thorough: bool = True) -> int:
    """Compare forms that were not compared yet; returns how many were.

    Works in batches, each its own transaction; a unit that another worker has in hand is left to it, so two may run
    at once. ``thorough=False`` looks only beyond the last compared form of each unit, which costs the change and not
    the history; forms whose subject is not known yet stay pending.
    """
    done = 0
    for unit_id in _units(unit):
        while limit is None or done < limit:
            size = BATCH if limit is None else min(BATCH, limit - done)
            compared = _compare_batch(unit_id, size=size, thorough=thorough)
            done += compared
            if compared < size:
                break
    return done


def compare_everything(*, unit: PilotUnit) -> int:
    """Compare until nothing that can be compared is pending; waits for a worker that has the unit in hand."""
    done = compare_pending(unit=unit)
    while pending(unit=unit):
        sleep(POLL_SECONDS)
        done += compare_pending(unit=unit)
    return done


def compare_again(*, unit: PilotUnit | None = None) -> int:
    """Compare undeterminable forms once more, after new authority records came; returns how many now have an answer."""
    settled = 0
    for unit_id in _units(unit):
        last, reached = 0, True
        while reached:
            last, reached, changed = _compare_again(unit_id, after=last)
            settled += changed
    return settled


def pending(*, unit: PilotUnit) -> int:
    """How many forms of a unit can be compared and were not."""
    return _pending(unit.pk, thorough=True).count()


def compare(form: Mapping[str, Any], known: Callable[[bytes], set[bytes]]) -> Outcome:
    """The outcome for one opened form; ``known`` gives the names on record, as of receipt, for an identity.

    A person whom the form does not name counts as without record.
    """
    people = {person.place: person for person in _people(form)}
    verdicts = {place: _agrees(person, known) for place, person in people.items()}
    differing = tuple(place for place, agrees in verdicts.items() if agrees is False)
    deciding = [verdicts.get(place) for place in DECIDING]
    if False in deciding:
        return Outcome(Comparison.MISMATCH, differing)
    if None in deciding:
        return Outcome(Comparison.UNDETERMINABLE, differing)
    return Outcome(Comparison.MATCH, differing)


def _agrees(person: Person, known: Callable[[bytes], set[bytes]]) -> bool | None:
    found = [name in names for identity, name in person.keys if (names := known(identity))]
    return any(found) if found else None


def _people(form: Mapping[str, Any]) -> Iterator[Person]:
    places = [(place, form.get(place)) for place in DECIDING]
    places += [
        (f"websites.{number}.principal", website.get("principal"))
        for number, website in enumerate(form.get("websites") or ())
    ]
    for place, person in places:
        if person and all(person.get(key) for key in ("cert_type", "cert_no", "name")):
            keys = authority_keys_everywhere(person["cert_type"], person["cert_no"], person["name"])
            yield Person(place, tuple(keys))


def _units(unit: PilotUnit | None) -> Iterable[int]:
    return [unit.pk] if unit is not None else PilotUnit.unscoped.order_by("pk").values_list("pk", flat=True)


def _pending(unit_id: int, *, thorough: bool) -> QuerySet[VerificationForm]:
    rows = VerificationForm.unscoped.filter(unit=unit_id, subject_known=True).order_by("pk")
    rows = rows.filter(key__destroyed_at__isnull=True)  # what cannot be opened is never compared
    if thorough:
        return rows.filter(~Exists(Determination.unscoped.filter(form=OuterRef("pk"))))
    reached = Determination.unscoped.filter(unit=unit_id).aggregate(top=Max("form"))["top"]
    return rows.filter(pk__gt=reached or 0)


@transaction.atomic
def _compare_batch(unit_id: int, *, size: int, thorough: bool) -> int:
    if not _claim(unit_id):
        return 0
    forms = list(_pending(unit_id, thorough=thorough).select_related("key")[:size])
    _settle(forms, {form.pk: 0 for form in forms}, keep_undeterminable=True)
    return len(forms)


@transaction.atomic
def _compare_again(unit_id: int, *, after: int) -> tuple[int, bool, int]:
    """One batch beyond the form ``after``: (last form looked at, whether there may be more, how many changed)."""
    if not _claim(unit_id):
        return after, False, 0
    latest = Determination.unscoped.filter(form=OuterRef("pk")).order_by("-number")
    forms = list(
        VerificationForm.unscoped.filter(unit=unit_id, pk__gt=after)
        .annotate(
            outcome=Subquery(latest.values("outcome")[:1]), number=Subquery(latest.values("number")[:1])
        )
        .filter(outcome=Comparison.UNDETERMINABLE, key__destroyed_at__isnull=True)
        .select_related("key")
        .order_by("pk")[:BATCH]
    )
    if not forms:
        return after, False, 0
    changed = _settle(forms, {form.pk: form.number for form in forms}, keep_undeterminable=False)
    return forms[-1].pk, len(forms) == BATCH, changed


def _claim(unit_id: int) -> bool:
    """Whether this transaction now is the one comparer of the unit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [COMPARE_LOCK, unit_id])
        return bool(cursor.fetchone()[0])


def _settle(forms: list[VerificationForm], numbers: Mapping[int, int], *, keep_undeterminable: bool) -> int:
    """Write the determinations of a batch and open the findings of its mismatches; returns how many rows."""
    at = clock.now()
    opened = {form.pk: open_form(form) for form in forms}
    people = (person for content in opened.values() for person in _people(content))
    records = _records(identity for person in people for identity, _name in person.keys)
    rows: list[Determination] = []
    faults: list[findings.Fault] = []
    for form in forms:
        result = compare(opened[form.pk], partial(_names_at, records, local_day(form.received_at)))
        if result.outcome == Comparison.UNDETERMINABLE and not keep_undeterminable:
            continue
        rows.append(_row(form, numbers[form.pk] + 1, result, at))
        if result.outcome == Comparison.MISMATCH:
            faults += _faults(form, opened[form.pk], result)
    Determination.unscoped.bulk_create(rows, batch_size=BATCH)
    findings.open_findings(actor=Actor.system(JOB), faults=faults, at=at)
    return len(rows)


def _row(form: VerificationForm, number: int, result: Outcome, at: datetime) -> Determination:
    return Determination(
        form=form,
        unit_id=form.unit_id,
        number=number,
        outcome=result.outcome,
        fields=list(result.differing),
        at=at,
    )


def _faults(form: VerificationForm, content: Mapping[str, Any], result: Outcome) -> Iterator[findings.Fault]:
    """One fault per deciding person; a subject that is its own principal is one person."""
    people = {person.place: person for person in _people(content)}
    places = [place for place in DECIDING if place in result.differing]
    if len(places) == 2 and _same(people["subject"], people["principal"]):
        places = ["subject"]
    for place in places:
        yield findings.Fault(
            form=form,
            source=FindingSource.COMPARISON,
            kind=FindingKind.IDENTITY,
            field=place,
            description=DESCRIPTION[place],
        )


def _same(one: Person, other: Person) -> bool:
    return one.keys == other.keys


def _records(identities: Iterable[bytes]) -> dict[bytes, list[Record]]:
    """Every record kept for these identities."""
    found: dict[bytes, list[Record]] = defaultdict(list)
    rows = AuthorityRecord.objects.filter(identity__in=set(identities))
    for identity, name, first, last in rows.values_list("identity", "name", "valid_from", "valid_to"):
        found[bytes(identity)].append((bytes(name), first, last))
    return found


def _names_at(records: Mapping[bytes, list[Record]], day: date, identity: bytes) -> set[bytes]:
    """The names on record for an identity on a day; a record's validity includes both its days."""
    return {
        name
        for name, first, last in records.get(identity, ())
        if (first is None or first <= day) and (last is None or day <= last)
    }
