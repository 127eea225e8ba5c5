"""Freezing what is handed in: content and list of files, with one digest over both."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from applications.enums import ScanState
from applications.models import Application, ApplicationFile, ApplicationVersion
from applications.selectors import content
from applications.selectors.form_schema import form_of
from applications.services import proofs
from pilot.errors import Refused
from pilot.workflow import Act


def digest(body: Any) -> str:
    """SHA-256 (hex) over compact JSON with sorted keys: equal content, equal digest."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def snapshot(case: Application) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """What would be handed in now: content, list of files, and one digest over both."""
    frozen = content.current_content(case)
    files = [
        {"id": file.pk, "kind": file.kind, "name": file.name, "sha256": file.sha256, "size": file.size}
        for file in content.current_files(case)
    ]
    return frozen, files, digest({"content": frozen, "files": files})


def bring_back(case: Application, *, since: datetime, at: datetime) -> None:
    """Draft and files as they were handed in last: what was changed ``since`` then was opened by an act taken back.

    The caller holds the application's row and saves it.
    """
    version = content.versions(case).latest("number")
    fixed = {key for key, field in form_of(case.programme).fields.items() if field.fixed}
    case.draft = {key: value for key, value in version.content.items() if key not in fixed}
    case.proposals = {}
    case.revision += 1  # windows that are open still show something else
    handed_in = [file["id"] for file in version.files]
    content.current_files(case).exclude(pk__in=handed_in).update(replaced_at=at)
    # What the virus scanner took out meanwhile stays out: it waits for good.
    taken_out = ApplicationFile.unscoped.filter(pk__in=handed_in, replaced_at__gte=since)
    taken_out.exclude(scan=ScanState.PENDING).update(replaced_at=None)


def freeze(*, case: Application, act: Act) -> ApplicationVersion:
    """Make the next version of what the provider hands in; the caller holds the application's row.

    Raises :class:`Refused` when the person checked something else (``checked``: the digest of what was on the page).
    """
    frozen, files, code = snapshot(case)
    if act.data.get("checked") not in (None, code):
        raise Refused(_("核对之后内容又有改动，请重新核对后再提交"))
    version: ApplicationVersion = ApplicationVersion.unscoped.create(
        application=case,
        number=content.versions(case).count() + 1,
        content=frozen,
        files=files,
        digest=code,
        at=act.at,
        by_id=act.actor.person_id,
    )
    proofs.put_on_record(version=version, actor=act.actor)
    content.current_files(case).filter(handed_in_with__isnull=True).update(handed_in_with=version)
    return version
