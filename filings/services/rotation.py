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
from django.utils.translation import gettext as _

from filings.services import crypto, spool, storage, v3_access
from pilot import keyring, supervisor
from pilot.actors import Actor
from pilot.embedded import Layout
from pilot.errors import Refused
from pilot.keyring import versions
from pilot.models import WebhookEndpoint
from pilot.services import audit, audit_heads, second_factors, webhooks


def rotate_keys(*, actor: Actor) -> dict[str, Any]:
    """Wrap everything anew under the newest master key, all or nothing; returns counts and which keys may go.

    ``{master: {current, configured, rewrapped: {…}, left: {version: secrets}, spooled_files: {version: files},
    removable}, index: {current, configured, forms: {version: rows}, references: {version: rows}, authority: {version:
    rows}, missing, removable}, audit: {current, configured, key, vouched_for, removable}, django: {current,
    configured, removable}}``. Raises :class:`crypto.MasterKeyMissing` when one that still protects something was
    removed; nothing is changed then.
    """
    _must_have_restarted()
    current = crypto.master_version()
    configured = versions(settings.PILOT_MASTER_KEY)
    with transaction.atomic():
        rewrapped = {
            "data_keys": storage.rewrap_keys(),
            "v3_secrets": v3_access.rewrap_secrets(),
            "webhook_secrets": _rewrap_webhooks(current),
            "second_factors": second_factors.reseal(),
        }
        keepers = (storage, v3_access, webhooks, second_factors)
        left: Counter[int] = sum((keeper.versions_in_use() for keeper in keepers), Counter())
        left.pop(current, None)
        if lost := set(left) - set(configured):
            raise crypto.MasterKeyMissing(min(lost))
        audit.record(action="keys.rotate", actor=actor, detail={"master": current, **rewrapped})
        vouched_for = audit_heads.hand_over(actor=actor)
    spooled = _spooled()
    master = {
        "current": current,
        "configured": sorted(configured),
        "rewrapped": rewrapped,
        "left": dict(sorted(left.items())),
        "spooled_files": dict(sorted(spooled.items())),
        "removable": sorted(set(configured) - {current} - set(spooled) - set(left)),
    }
    return {
        "master": master,
        "index": _indexes(),
        "audit": _audit(vouched_for),
        "django": _django(),
    }


def add_version(*, actor: Actor, name: str) -> int:
    """Make a new version of a secret that the portal keeps itself (``master``, ``index``, ``audit``, ``django``).

    It holds for processes that start from now on. Raises ``pilot.keyring.SecretError``.
    """
    with transaction.atomic():
        version = keyring.add_version(keyring.MADE[name], settings.VAR)
        audit.record(action="keys.add", actor=actor, detail={"key": name, "version": version})
    return version


def drop_version(*, actor: Actor, name: str, version: int) -> None:
    """Forget an old version for good. Raises :class:`Refused` while it is needed, ``pilot.keyring.SecretError``."""
    report = rotate_keys(actor=actor)
    if version not in report[name]["removable"]:
        raise Refused(
            _("%(name)s 第 %(version)s 版仍在使用或未生效，不能移除") % {"name": name, "version": version}
        )
    with transaction.atomic():
        audit.record(action="keys.drop", actor=actor, detail={"key": name, "version": version})
        keyring.drop_version(keyring.MADE[name], settings.VAR, version)


def _rewrap_webhooks(current: int) -> int:
    old = Q(master_version__lt=current) | Q(previous_version__lt=current)
    waiting = WebhookEndpoint.unscoped.filter(old).count()
    webhooks.tidy()
    return waiting


def _audit(vouched_for: bool) -> dict[str, Any]:
    """Heads carry their own key, so an older secret has nothing left to do once it vouched for the one after it."""
    configured = sorted(versions(settings.PILOT_AUDIT_KEY))
    return {
        "current": configured[-1],
        "configured": configured,
        "key": audit_heads.public_key(),
        "vouched_for": vouched_for,
        "removable": configured[:-1] if vouched_for else [],
    }


def _django() -> dict[str, Any]:
    """An older key upholds sessions and links in mails that it signed; without it people sign in again."""
    configured = sorted(versions(keyring.load("PILOT_SECRET_KEY", settings.VAR)))
    return {"current": configured[-1], "configured": configured, "removable": configured[:-1]}


def _must_have_restarted() -> None:
    """A portal that runs since before a key was changed would not read what is wrapped now, or lose what it writes."""
    claim = supervisor.Claim(Layout.of(settings.VAR))
    for secret in keyring.MADE.values():
        path = keyring.path_of(secret, settings.VAR)
        ours = path.exists() and not keyring.configured(secret.variable)
        if ours and claim.runs_since_before(path.stat().st_mtime):
            raise Refused(_("%(name)s 已改变，而门户还在用旧密钥运行；请先重启") % {"name": secret.variable})


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
