"""Searching the audit log: newest first by keyset, so that no page and no search slows with the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet

from pilot.models import AuditEntry, Person

PAGE: Final = 50
# Every action there is, by jumping from one to the next in the index; a plain DISTINCT would read the whole log.
_ACTIONS: Final = """
WITH RECURSIVE found(action) AS (
    (SELECT action FROM pilot_auditentry ORDER BY action LIMIT 1)
    UNION ALL
    SELECT (SELECT e.action FROM pilot_auditentry e WHERE e.action > f.action ORDER BY e.action LIMIT 1)
    FROM found f WHERE f.action IS NOT NULL
)
SELECT action FROM found WHERE action IS NOT NULL
"""


def actions() -> list[str]:
    """The actions that occur in the log."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS)
        return [action for (action,) in cursor.fetchall()]


def search(wanted: Mapping[str, Any], *, before: int | None = None) -> list[AuditEntry]:
    """The newest entries that answer, one more than a page if there are more; ``before`` is an entry's key.

    ``wanted``: ``since`` and ``until`` (security time, half-open), ``person`` (login, name, or the name of a job),
    ``action``, ``outcome``, ``address``, and ``subject`` (the recorded types, and an id or nothing).
    """
    rows = _matching(wanted)
    mark = AuditEntry.objects.filter(pk=before).values_list("at", flat=True).first() if before else None
    if mark is not None:
        rows = rows.filter(Q(at__lt=mark) | Q(pk__lt=before), at__lte=mark)
    return list(rows.order_by("-at", "-pk")[: PAGE + 1])


def _matching(wanted: Mapping[str, Any]) -> QuerySet[AuditEntry]:
    fields = {
        "since": "at__gte",
        "until": "at__lt",
        "action": "action",
        "outcome": "outcome",
        "address": "address",
    }
    rows = AuditEntry.objects.filter(
        **{path: wanted[name] for name, path in fields.items() if wanted.get(name)}
    )
    if person := wanted.get("person"):
        rows = rows.filter(_by(person))
    if subject := wanted.get("subject"):
        kinds, key = subject
        rows = rows.filter(object_type__in=kinds, **({"object_id": key} if key else {}))
    return rows


def _by(words: str) -> Q:
    """Whose acts are meant: of the people of this login or name, else of whatever bears the name (jobs, console)."""
    people = Person.objects.filter(Q(username=words.lower()) | Q(name=words))
    keys = list(people.values_list("pk", flat=True)[:20])
    return Q(person_id__in=keys) if keys else Q(actor=words)
