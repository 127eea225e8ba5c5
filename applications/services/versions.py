"""Freezing what is handed in: content and list of files, with one digest over both."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from applications.models import Application, ApplicationVersion
from applications.selectors import content
from pilot.workflow import Act


def digest(body: Any) -> str:
    """SHA-256 (hex) over compact JSON with sorted keys: equal content, equal digest."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def freeze(*, case: Application, act: Act) -> ApplicationVersion:
    """Make the next version of what the provider hands in; the caller holds the application's row."""
    files = list(content.current_files(case))
    listed = [
        {"id": file.pk, "kind": file.kind, "name": file.name, "sha256": file.sha256, "size": file.size}
        for file in files
    ]
    frozen = content.current_content(case)
    version: ApplicationVersion = ApplicationVersion.unscoped.create(
        application=case,
        number=content.versions(case).count() + 1,
        content=frozen,
        files=listed,
        digest=digest({"content": frozen, "files": listed}),
        at=act.at,
        by_id=act.actor.person_id,
    )
    content.current_files(case).filter(handed_in_with__isnull=True).update(handed_in_with=version)
    return version
