"""What the newest audit row of an act says: outcome, person, and the object it was done to."""

from __future__ import annotations

from pilot.models import AuditEntry

type Said = tuple[str, int | None, str, str]


def audited(action: str) -> Said:
    """Of the newest row: outcome, person, type and id of the object. Fails where there is none."""
    entry = AuditEntry.objects.filter(action=action).latest("pk")
    return entry.outcome, entry.person_id, entry.object_type, entry.object_id
