"""Files of an application: checked by content, kept by hash, replaced but never lost."""

from __future__ import annotations

from typing import Protocol

from django.db import transaction
from django.utils.translation import gettext as _

from applications.enums import FileKind
from applications.models import Application, ApplicationFile
from applications.selectors import content
from applications.selectors.form_schema import form_of
from applications.services.drafts import editing_obstacle
from applications.validators import files as validator
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.services import audit, documents

MAX_FILES = 60  # of one application, replaced ones included
MAX_OTHER = 10


class Upload(Protocol):
    """What a browser hands over: a name, a size in bytes, and the content."""

    @property
    def name(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...

    def read(self) -> bytes: ...


@transaction.atomic
def add_file(*, case: Application, actor: Actor, kind: str, upload: Upload) -> ApplicationFile:
    """Add a file; one of the same kind (other than 其他材料) is replaced and stays on record.

    Raises :class:`Refused` naming the rule: not the actor's application, not open for change, too large, empty, of
    another type than it claims, or one too many. An identical file is not stored twice.
    """
    locked: Application = Application.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
    if obstacle := editing_obstacle(locked, actor):
        raise Refused(obstacle)
    if kind not in FileKind.values:
        raise Refused(_("没有这种材料"))
    if kind not in content.open_targets(locked):
        raise Refused(
            _("补正告知未列“%(what)s”，不能修改") % {"what": form_of(locked.programme).targets[kind]}
        )
    if (upload.size or 0) > validator.MAX_BYTES:
        raise Refused(_("文件超过 %(limit)s MB 的上限") % {"limit": validator.MAX_BYTES // 1024 // 1024})
    name = validator.safe_name(upload.name or "")
    body = upload.read()
    content_type = validator.content_type(body, name)
    digest = documents.put_bytes(body)
    present = content.current_files(locked).filter(kind=kind)
    if identical := present.filter(sha256=digest, name=name).first():
        return identical
    _check_room(locked, kind)
    now = clock.now()
    if kind != FileKind.OTHER:
        present.update(replaced_at=now)
    file: ApplicationFile = ApplicationFile.unscoped.create(
        application=locked,
        kind=kind,
        name=name,
        sha256=digest,
        size=len(body),
        content_type=content_type,
        uploaded_at=now,
        uploaded_by_id=actor.person_id,
    )
    audit.record(
        action="application.add_file", actor=actor, subject=locked, detail={"kind": kind, "sha256": digest}
    )
    return file


def _check_room(case: Application, kind: str) -> None:
    if ApplicationFile.unscoped.filter(application=case).count() >= MAX_FILES:
        raise Refused(_("一件申请最多上传 %(n)s 个文件（含已替换的）") % {"n": MAX_FILES})
    if kind == FileKind.OTHER and content.current_files(case).filter(kind=kind).count() >= MAX_OTHER:
        raise Refused(_("“其他材料”最多 %(n)s 个文件") % {"n": MAX_OTHER})


@transaction.atomic
def read_file(*, file: ApplicationFile, actor: Actor) -> bytes:
    """The content of a file the actor may see; the reading is on record. Raises ``OSError`` if it was damaged."""
    body = documents.read_bytes(file.sha256)
    audit.record(
        action="application.read_file", actor=actor, subject=file, detail={"application": file.application_id}
    )
    return body
