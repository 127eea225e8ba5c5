"""That what was handed in stands in the audit log, for the receipt: the signed head over it, and the whole proof."""

from __future__ import annotations

from typing import Any, Final

from applications.models import ApplicationVersion
from pilot.actors import Actor
from pilot.models import AuditEntry, AuditHead, AuditSeal
from pilot.services import audit, audit_heads

HAND_IN: Final = "application.hand_in"


def put_on_record(*, version: ApplicationVersion, actor: Actor) -> AuditEntry:
    """The audit row of a version: its digest, so that the log vouches for the content."""
    detail = {"version": version.number, "digest": version.digest}
    return audit.record(action=HAND_IN, actor=actor, subject=version, detail=detail)


def entry_of(version: ApplicationVersion) -> AuditEntry | None:
    """The audit row of a version; none for what was handed in before there was one."""
    rows = AuditEntry.objects.filter(
        object_type="applicationversion", object_id=str(version.pk), action=HAND_IN
    )
    return rows.first()


def covering_head(version: ApplicationVersion) -> AuditHead | None:
    """The head over a version's audit row, signed now if there is none yet."""
    entry = entry_of(version)
    return audit_heads.covering(entry) if entry else None


def head(version: ApplicationVersion) -> AuditHead | None:
    """The head over a version's audit row, if one was signed."""
    entry = entry_of(version)
    return audit_heads.over(entry) if entry else None


def proof(version: ApplicationVersion) -> dict[str, Any] | None:
    """All that a third person needs to verify the entry under its head; None while no head covers it.

    It holds the entry as it was recorded, with the name of whoever handed in: it is for the applicant.
    """
    entry = entry_of(version)
    found = audit_heads.proof(entry) if entry else None
    if entry is None or found is None:
        return None
    previous = AuditSeal.objects.values_list("previous", flat=True).get(entry=entry)
    return {**found, "previous": previous, "entry": audit.content_of(entry)}
