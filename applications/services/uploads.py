"""Uploads in pieces: a file begun, continued after a cut where it broke off, and handed to ``add_file`` when whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import Application, ApplicationFile, PartialUpload
from applications.services import files
from applications.validators import files as validator
from applications.validators.limits import MEBIBYTE
from pilot import clock, inventory
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from pilot.pieces import WrongOffset, check_piece
from pilot.services import leftovers

MAX_CHUNK = MEBIBYTE
MAX_UNDER_WAY = 20  # of one application
STALE_AFTER = inventory.period("partial")


@dataclass(frozen=True, slots=True)
class WholeFile:
    """An upload that has come in whole, as ``add_file`` takes it."""

    name: str
    size: int
    path: Path

    def read(self) -> bytes:
        return self.path.read_bytes()


@transaction.atomic
def begin(*, case: Application, actor: Actor, kind: str, name: str, size: int) -> PartialUpload:
    """Make room for a file of ``size`` bytes. Raises :class:`Refused` where ``add_file`` would, as far as is known."""
    locked: Application = Application.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
    files.check_may_add(locked, actor, kind)
    validator.check_name(name)
    validator.check_size(size)
    files.check_room(locked, kind)
    if PartialUpload.unscoped.filter(application=locked).count() >= MAX_UNDER_WAY:
        raise Refused(_("同时上传的文件最多 %(n)s 个，请等已开始的传完或取消") % {"n": MAX_UNDER_WAY})
    upload: PartialUpload = PartialUpload.unscoped.create(
        application=locked,
        kind=kind,
        name=validator.safe_name(name),
        size=size,
        begun_at=clock.security_now(),
        begun_by_id=actor.acting_person,
    )
    path = path_of(upload)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    return upload


@transaction.atomic
def append(*, upload: PartialUpload, actor: Actor, offset: int, chunk: bytes) -> PartialUpload:
    """Add the piece that begins at byte ``offset``.

    Raises :class:`WrongOffset` when it does not follow what has come, :class:`Refused` when the application is no
    longer open, or the piece is larger than ``MAX_CHUNK`` or than what is missing.
    """
    locked = _locked(upload)
    files.check_may_add(locked.application, actor, locked.kind)
    check_piece(received=locked.received, size=locked.size, offset=offset, length=len(chunk), most=MAX_CHUNK)
    with path_of(locked).open("r+b") as file:
        file.truncate(offset)  # a piece whose row did not commit is written again
        file.seek(offset)
        file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    locked.received += len(chunk)
    locked.save(update_fields=["received"])
    return locked


def _locked(upload: PartialUpload) -> PartialUpload:
    locked: PartialUpload | None = (
        PartialUpload.unscoped.select_for_update(of=("self",))
        .select_related("application")
        .filter(pk=upload.pk)
        .first()
    )
    if locked is None:
        raise StateChanged(_("该上传已完成或已取消"))
    return locked


def finish(*, upload: PartialUpload, actor: Actor) -> ApplicationFile:
    """Hand the whole file to ``add_file``. Refused or taken, the pieces are gone afterwards.

    Raises :class:`WrongOffset` while something is missing, and whatever ``add_file`` raises.
    """
    if upload.received != upload.size:
        raise WrongOffset(upload.received)
    whole = WholeFile(upload.name, upload.size, path_of(upload))
    try:
        file = files.add_file(case=upload.application, actor=actor, kind=upload.kind, upload=whole)
    except FileNotFoundError as error:
        raise StateChanged(_("该上传已完成或已取消")) from error
    except Refused:
        discard(upload)
        raise
    discard(upload)
    return file


def cancel(*, upload: PartialUpload, actor: Actor) -> None:
    """Give an upload up. Raises :class:`Refused` for anybody but the provider's people."""
    if upload.application.provider_id != actor.organisation_id:
        raise Refused(_("只能填写本单位的申请"))
    discard(upload)


def discard(upload: PartialUpload) -> None:
    """Remove an upload, row and pieces, whoever asks."""
    PartialUpload.unscoped.filter(pk=upload.pk).delete()
    path_of(upload).unlink(missing_ok=True)


def sweep_stale() -> int:
    """Remove uploads nobody went on with for a day, and pieces left without a row; returns how many uploads.

    What counts is the last piece: an upload over a slow line may take longer than a day.
    """
    long_ago = clock.security_now() - STALE_AFTER
    begun = PartialUpload.unscoped.filter(begun_at__lt=long_ago)
    stale = [upload for upload in begun if _last_piece_at(upload) < long_ago]
    for upload in stale:
        discard(upload)
    known = set(PartialUpload.unscoped.values_list("token", flat=True))
    for path in _folder().glob("*"):
        if path.name not in known and leftovers.is_abandoned(path):
            path.unlink(missing_ok=True)
    return len(stale)


def _last_piece_at(upload: PartialUpload) -> datetime:
    """When something last came (security time), as its file tells; the beginning of one whose file is gone."""
    try:
        return datetime.fromtimestamp(path_of(upload).stat().st_mtime, UTC)
    except FileNotFoundError:
        return upload.begun_at


def path_of(upload: PartialUpload) -> Path:
    """Where the pieces lie. The token is our own; no name from a user reaches the disk."""
    return _folder() / f"{int(upload.token, 16):032x}"


def _folder() -> Path:
    return Path(settings.VAR) / "uploads"
