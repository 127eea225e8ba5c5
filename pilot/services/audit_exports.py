"""The audit log as a file that others can verify without the portal (``docs/verify_audit.py``)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Min

from pilot.actors import Actor
from pilot.models import AuditSeal
from pilot.services import audit

GZIP = 31  # zlib's window bits for a gzip stream


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of the chain without a gap: seals ``first`` to ``last``; ``last`` < ``first`` holds none."""

    first: int
    last: int

    @property
    def rows(self) -> int:
        return self.last - self.first + 1


def extent(*, since: datetime | None = None, until: datetime | None = None) -> Extent:
    """The stretch that holds every sealed entry of the half-open time ``[since, until)``, and what lies between."""
    rows = AuditSeal.objects.all()
    if since:
        rows = rows.filter(entry__at__gte=since)
    if until:
        rows = rows.filter(entry__at__lt=until)
    found = rows.aggregate(first=Min("seq"), last=Max("seq"))
    return Extent(found["first"] or 1, found["last"] or 0)


def begin(*, actor: Actor, reason: str, since: datetime | None, until: datetime | None) -> Extent:
    """Put an export on record, with its reason; returns what it holds. Everything written by now is sealed first."""
    while audit.seal():
        pass
    with transaction.atomic():
        found = extent(since=since, until=until)
        detail = {"first": found.first, "last": found.last, "rows": found.rows, "reason": reason}
        audit.record(action="audit.export", actor=actor, object_type="audit", detail=detail)
    return found


def lines(found: Extent) -> Iterator[bytes]:
    """NDJSON: a line that says what follows, then one entry a line with its place and digest in the chain."""
    rows = AuditSeal.objects.filter(seq__gte=found.first, seq__lte=found.last).order_by("seq")
    before = rows.values_list("previous", flat=True).first() or audit.GENESIS
    yield _line({"format": "audit-log-v1", "first": found.first, "rows": found.rows, "previous": before})
    for link in rows.select_related("entry").iterator(chunk_size=2_000):
        entry = audit.content_of(link.entry)
        yield _line({"seq": link.seq, "digest": link.digest, "entry": entry})


def gzipped(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same as a gzip stream, never as a whole in memory."""
    packer = zlib.compressobj(wbits=GZIP)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
