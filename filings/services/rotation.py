"""Rotation of keys: everything an older master key protects is wrapped anew; what still needs an old key is told.

No form is rewritten: only the data keys are wrapped anew, and blind indexes keep the version they were made with.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from filings.services import crypto, spool, storage, v3_access
from pilot.actors import Actor
from pilot.models import WebhookEndpoint
from pilot.sealing import versions
from pilot.services import audit, webhooks


def rotate_keys(*, actor: Actor) -> dict[str, Any]:
    """Wrap everything anew under the newest master key, all or nothing; returns counts and which keys may go.

    ``{master: {current, configured, rewrapped: {…}, spooled_files: {version: files}, removable}, index: {current,
    configured, forms: {version: rows}, references: {version: rows}, authority: {version: rows}, missing,
    removable}}``. Raises :class:`crypto.MasterKeyMissing` when one that still protects something was removed; nothing
    is changed then.
    """
    current = crypto.master_version()
    with transaction.atomic():
        rewrapped = {
            "data_keys": storage.rewrap_keys(),
            "v3_secrets": v3_access.rewrap_secrets(),
            "webhook_secrets": _rewrap_webhooks(current),
        }
        audit.record(action="keys.rotate", actor=actor, detail={"master": current, **rewrapped})
    spooled = _spooled()
    configured = versions(settings.PILOT_MASTER_KEY)
    master = {
        "current": current,
        "configured": sorted(configured),
        "rewrapped": rewrapped,
        "spooled_files": dict(sorted(spooled.items())),
        "removable": sorted(set(configured) - {current} - set(spooled)),
    }
    return {"master": master, "index": _indexes()}


def _rewrap_webhooks(current: int) -> int:
    old = Q(master_version__lt=current) | Q(previous_version__lt=current)
    waiting = WebhookEndpoint.unscoped.filter(old).count()
    try:
        webhooks.tidy()
    except KeyError as missing:
        raise crypto.MasterKeyMissing(missing.args[0]) from missing
    return waiting


def _spooled() -> Counter[int]:
    """Files in the spool by the version of the master key they are sealed under; they are never wrapped anew."""
    found: Counter[int] = Counter()
    for job, _at in spool.folders():
        for path in spool.folder(job).glob("*"):
            with suppress(FileNotFoundError), path.open("rb") as file:
                found.update(file.read(1))
    return found


def _indexes() -> dict[str, Any]:
    configured = set(versions(settings.PILOT_INDEX_KEY))
    forms = _by_version("filings_verificationform", "subject_index")
    references = _by_version("filings_subjectreference", "index")
    authority = _by_version("filings_authorityrecord", "identity")
    used = set(forms) | set(references) | set(authority)
    return {
        "current": max(configured),
        "configured": sorted(configured),
        "forms": forms,
        "references": references,
        "authority": authority,
        "missing": sorted(used - configured),
        "removable": sorted(configured - used - {max(configured)}),
    }


def _by_version(table: str, column: str) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT get_byte("{column}", 0), count(*) FROM {table} '  # noqa: S608 (no user text)
            f'WHERE octet_length("{column}") > 0 GROUP BY 1 ORDER BY 1'
        )
        return dict(cursor.fetchall())
