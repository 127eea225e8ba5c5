"""Audit rows: written in the act's transaction, sealed afterwards into a hash chain and its tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from itertools import batched
from typing import Any, Final, cast

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from pilot import clock, merkle
from pilot.actors import Actor
from pilot.errors import NotPermitted
from pilot.models import AuditBlock, AuditEntry, AuditSeal

GENESIS: Final = "0" * 64
SEAL_LOCK: Final = 871  # advisory lock: one sealer at a time
RECENT: Final = 20_000  # keys given out while a transaction usually stays open, many times over
BLOCK: Final = 256  # seals of a block; a power of two, so that a block is a subtree
_waiting: ContextVar[list[AuditEntry] | None] = ContextVar("waiting", default=None)


@contextmanager
def together() -> Iterator[None]:
    """What is recorded inside is written at the end of the block, in its order, by one statement.

    The block lies within the act's transaction; raising out of it writes nothing.
    """
    waiting: list[AuditEntry] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    AuditEntry.objects.bulk_create(waiting)


def record(
    *,
    action: str,
    actor: Actor,
    outcome: str = AuditEntry.Outcome.DONE,
    subject: Any = None,
    object_type: str = "",
    object_id: str = "",
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write one audit row in the current transaction. ``detail`` holds ids and counts, never personal data."""
    entry = AuditEntry(
        at=clock.security_now(),
        business_at=clock.now(),
        action=action,
        outcome=outcome,
        person_id=actor.person_id,
        actor=actor.name,
        role=actor.role,
        organisation_id=actor.organisation_id,
        channel=actor.channel,
        address=actor.address,
        object_type=object_type or (subject._meta.model_name if subject is not None else ""),
        object_id=object_id or (str(subject.pk) if subject is not None else ""),
        detail=detail or {},
    )
    waiting = _waiting.get()
    if waiting is None:
        entry.save(force_insert=True)
    else:
        waiting.append(entry)
    return entry


SUBJECTS = ("case", "endpoint", "unit", "programme", "key")  # what services act on, by keyword


def denials_recorded[**P, R](action: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a service: whoever may not do it (:class:`NotPermitted`) is on record under ``action``, as with acts.

    It stands outside ``transaction.atomic``: the row outlives what is undone. The subject is what the service is about
    by its keywords: a ``case``, else a key, an endpoint, a unit or the programme.
    """

    def decorate(service: Callable[P, R]) -> Callable[P, R]:
        @wraps(service)
        def recording(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return service(*args, **kwargs)
            except NotPermitted as denial:
                with transaction.atomic():
                    record(
                        action=action,
                        actor=cast("Actor", kwargs["actor"]),
                        outcome=AuditEntry.Outcome.DENIED,
                        subject=next((kwargs[name] for name in SUBJECTS if name in kwargs), None),
                        detail={"code": denial.code},
                    )
                raise

        return recording

    return decorate


def has_row(*, action: str, subject: Any) -> bool:
    """Whether this was ever done to ``subject``."""
    kind = subject._meta.model_name
    return AuditEntry.objects.filter(action=action, object_type=kind, object_id=str(subject.pk)).exists()


def content_of(entry: AuditEntry) -> dict[str, Any]:
    """Every column of an entry as plain data, the way its digest covers it."""
    return {
        "id": entry.pk,
        "at": entry.at.isoformat(),
        "business_at": entry.business_at.isoformat(),
        "action": entry.action,
        "outcome": entry.outcome,
        "person_id": entry.person_id,
        "actor": entry.actor,
        "role": entry.role,
        "organisation_id": entry.organisation_id,
        "channel": entry.channel,
        "address": entry.address,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "detail": entry.detail,
    }


def canonical(entry: AuditEntry) -> bytes:
    """The bytes of an entry that its digest covers: every column, in a fixed order, as compact JSON."""
    return json.dumps(content_of(entry), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def chain(previous: str, entry: AuditEntry) -> str:
    """The digest that binds an entry to everything before it."""
    return hashlib.sha256(previous.encode("ascii") + b"\n" + canonical(entry)).hexdigest()


def lock() -> None:
    """One sealer, and one signer of heads, at a time until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEAL_LOCK])


@transaction.atomic
def seal(*, limit: int = 10_000, everything: bool = False) -> int:
    """Chain the entries that have no seal yet, in order; returns how many. Safe to run twice at once.

    It looks no further back than ``RECENT`` keys, so that it never slows with the log; with ``everything`` it finds
    what a transaction that stayed open for longer left behind.
    """
    lock()
    last = AuditSeal.objects.order_by("-seq").first()
    seq, previous = (last.seq, last.digest) if last else (0, GENESIS)
    floor = last.entry_id - RECENT if last and not everything else 0
    sealed = Exists(AuditSeal.objects.filter(entry_id__gt=floor, entry=OuterRef("pk")))
    seals = []
    for entry in AuditEntry.objects.filter(~sealed, pk__gt=floor).order_by("pk")[:limit].iterator():
        seq += 1
        digest = chain(previous, entry)
        seals.append(AuditSeal(seq=seq, entry=entry, previous=previous, digest=digest))
        previous = digest
    AuditSeal.objects.bulk_create(seals, batch_size=2_000)
    _close_blocks(seq)
    return len(seals)


def _close_blocks(size: int) -> None:
    """Keep the root of every block that is full by now (those of a log older than the tree, too)."""
    done = AuditBlock.objects.order_by("-number").values_list("number", flat=True).first()
    first = 0 if done is None else done + 1
    if first == size // BLOCK:
        return
    digests = AuditSeal.objects.filter(seq__gt=first * BLOCK, seq__lte=size // BLOCK * BLOCK)
    rows = digests.order_by("seq").values_list("digest", flat=True).iterator(chunk_size=10 * BLOCK)
    AuditBlock.objects.bulk_create(
        AuditBlock(number=number, root=merkle.root([leaf(digest) for digest in block]).hex())
        for number, block in enumerate(batched(rows, BLOCK), start=first)
    )


def leaf(digest: str) -> bytes:
    """The leaf of the tree for a link of the chain: its digest stands for the entry and all before it."""
    return merkle.leaf(bytes.fromhex(digest))
