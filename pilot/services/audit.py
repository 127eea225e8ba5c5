"""Audit rows: written in the act's transaction, sealed into a hash chain afterwards, verified on demand."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import connection, transaction

from pilot import clock
from pilot.actors import Actor
from pilot.models import AuditEntry, AuditSeal

GENESIS = "0" * 64
SEAL_LOCK = 871  # advisory lock: one sealer at a time


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
    return AuditEntry.objects.create(
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


def canonical(entry: AuditEntry) -> bytes:
    """The bytes of an entry that its digest covers: every column, in a fixed order, as compact JSON."""
    content = {
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
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def chain(previous: str, entry: AuditEntry) -> str:
    """The digest that binds an entry to everything before it."""
    return hashlib.sha256(previous.encode("ascii") + b"\n" + canonical(entry)).hexdigest()


@transaction.atomic
def seal(*, limit: int = 10_000) -> int:
    """Chain the entries that have no seal yet, in order; returns how many. Safe to run twice at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEAL_LOCK])
    last = AuditSeal.objects.order_by("-seq").first()
    seq, previous = (last.seq, last.digest) if last else (0, GENESIS)
    seals = []
    for entry in AuditEntry.objects.filter(seal__isnull=True).order_by("pk")[:limit].iterator():
        seq += 1
        digest = chain(previous, entry)
        seals.append(AuditSeal(seq=seq, entry=entry, previous=previous, digest=digest))
        previous = digest
    AuditSeal.objects.bulk_create(seals, batch_size=2_000)
    return len(seals)


def verify(*, head: tuple[int, str] | None = None) -> dict[str, Any]:
    """Recompute the whole chain. ``head`` is a (seq, digest) kept elsewhere that must be found unchanged.

    Returns ``{ok, entries, unsealed, head: {seq, digest}, fault}``; ``fault`` names the first broken link in words.
    """
    previous, expected, fault = GENESIS, 1, ""
    head_found = head is None
    for link in AuditSeal.objects.select_related("entry").order_by("seq").iterator(chunk_size=5_000):
        if link.seq != expected:
            fault = f"seal {expected} is missing"
        elif link.previous != previous:
            fault = f"seal {link.seq} does not continue seal {link.seq - 1}"
        elif chain(previous, link.entry) != link.digest:
            fault = f"entry {link.entry_id} (seal {link.seq}) was changed"
        if fault:
            break
        previous, expected = link.digest, expected + 1
        head_found = head_found or (link.seq, link.digest) == head
    if not fault and not head_found and head is not None:
        fault = f"the kept head {head[0]} {head[1][:12]}… is not in the chain"
    return {
        "ok": not fault,
        "entries": expected - 1,
        "unsealed": AuditEntry.objects.filter(seal__isnull=True).count(),
        "head": {"seq": expected - 1, "digest": previous},
        "fault": fault,
    }
