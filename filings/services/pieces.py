"""Files of forms that come in pieces: begun, continued where the line broke off, handed in when they are whole.

The pieces go straight into the encrypted spool. What is known of an upload that is not whole yet lies beside it
there, so that the same file is recognised again from any window of the same organisation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import msgspec
from django.utils.translation import gettext as _

from filings.intake.records import FileRefused
from filings.models import UploadJob
from filings.services import spool, uploads
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from pilot.pieces import WrongOffset, check_piece

PIECE: Final = spool.BLOCK
"""Bytes every piece must hold a multiple of, but for the last one."""
MOST: Final = 8 * spool.BLOCK
MAX_UNDER_WAY: Final = 20  # of one organisation
MENDED_BY_CHOICE: Final = frozenset({"file.encoding", "file.wrong_type"})
"""Faults that another choice of format or encoding may mend, so what has come is not sent again."""


class Gone(StateChanged):
    """The upload was handed in or given up."""


class About(msgspec.Struct, frozen=True):
    """What was said when the upload began; ``modified`` is the file's own stamp, as the browser gives it."""

    organisation: int
    name: str
    size: int
    modified: str
    begun: datetime


class Upload(NamedTuple):
    """An upload under way: its key, what is known of it, and how many bytes have come."""

    key: UUID
    about: About
    received: int

    @property
    def kept_until(self) -> datetime:
        """Until when (business time) the next piece is waited for, if none comes meanwhile."""
        try:
            touched = spool.touched(self.key)
        except FileNotFoundError:  # given up meanwhile
            touched = clock.security_now()
        return touched + uploads.PIECES_KEPT + clock.offset()


def begin(*, actor: Actor, name: str, size: int, modified: str) -> Upload:
    """Make room for a file of ``size`` bytes, or find the upload of the same file that was begun before.

    Raises :class:`Refused` for an organisation without a unit, an empty or too large file, or too many at once.
    """
    uploads.unit_of(actor)
    if not size:
        raise Refused(_("文件是空的"))
    if size > uploads.LARGEST_FILE:
        raise Refused(_("文件超过 %(gb)s GB") % {"gb": uploads.LARGEST_FILE // 1024**3})
    about = About(actor.organisation_id or 0, name[:255], size, modified[:32], clock.security_now())
    others = unfinished(actor=actor)
    for upload in others:
        known = upload.about
        if (known.name, known.size, known.modified) == (about.name, about.size, about.modified):
            return upload
    if len(others) >= MAX_UNDER_WAY:
        raise Refused(_("同时上传的文件最多 %(n)s 个，请等已开始的传完或取消") % {"n": MAX_UNDER_WAY})
    key = uuid4()
    spool.begin_pieces(key, msgspec.json.encode(about))
    return Upload(key, about, 0)


def append(*, actor: Actor, key: UUID, offset: int, piece: bytes) -> Upload:
    """Add the piece that begins at byte ``offset``; raises as :func:`pilot.pieces.check_piece`, and Gone."""
    with _held(actor, key) as upload:
        size = upload.about.size
        check_piece(received=upload.received, size=size, offset=offset, length=len(piece), most=MOST)
        if not piece or (len(piece) % PIECE and offset + len(piece) != size):
            raise Refused(_("每次上传的字节数应为 %(n)s 的整数倍") % {"n": PIECE})
        spool.append(key, offset, piece)
        return upload._replace(received=offset + len(piece))


def finish(
    *, actor: Actor, key: UUID, format: str, encoding: str, dry_run: bool, arrived_at: datetime
) -> UploadJob:
    """Hand in an upload that is whole; ``arrived_at`` is when its end came.

    Asked again, because the answer was lost on its way, it returns the job there is. Raises :class:`WrongOffset` while
    something is missing, :class:`Gone`, and what :func:`uploads.receive_waiting` raises. After a fault that another
    choice may mend the upload stays.
    """
    try:
        return _hand_in(actor, key, format, encoding, dry_run=dry_run, arrived_at=arrived_at)
    except Gone:
        made = UploadJob.objects.visible_to(actor).filter(case_key=key, dry_run=dry_run).first()
        if made is None:
            raise
        spool.end_pieces(key)
        return made


def _hand_in(
    actor: Actor, key: UUID, format: str, encoding: str, *, dry_run: bool, arrived_at: datetime
) -> UploadJob:
    with _held(actor, key) as upload:
        about = upload.about
        if upload.received != about.size:
            raise WrongOffset(upload.received)
        unit = uploads.unit_of(actor)
        try:
            uploads.judge_head(key, unit, name=about.name, stated=format, encoding=encoding)
        except FileRefused as fault:
            if fault.code not in MENDED_BY_CHOICE:
                spool.remove(key)
            raise uploads.FileNotTaken(fault) from fault
        waiting = uploads.Waiting(key, spool.measure(key))
        job = uploads.receive_waiting(
            actor=actor,
            unit=unit,
            waiting=waiting,
            name=about.name,
            format=format,
            encoding=encoding,
            arrived_at=arrived_at,
            dry_run=dry_run,
        )
        spool.end_pieces(key)
        return job


def cancel(*, actor: Actor, key: UUID) -> None:
    """Give an upload up; raises :class:`Gone` when it is none any more."""
    with _held(actor, key):
        spool.remove(key)


def find(*, actor: Actor, key: UUID) -> Upload | None:
    """The upload of this key, if one of the actor's organisation is under way."""
    return next((upload for upload in unfinished(actor=actor, keys=[key])), None)


def unfinished(*, actor: Actor, keys: list[UUID] | None = None) -> list[Upload]:
    """What people of the actor's organisation began and did not hand in, the latest first."""
    found = []
    begun = set(spool.unfinished() if keys is None else keys)
    # Of one whose end was killed right after the commit the spool still says that it is under way.
    handed_in = UploadJob.unscoped.filter(case_key__in=begun).values_list("case_key", flat=True)
    for key in begun.difference(handed_in):
        content = spool.about_pieces(key)
        about = msgspec.json.decode(content, type=About) if content else None
        if about and about.organisation == actor.organisation_id:
            with suppress(FileNotFoundError):  # given up meanwhile
                found.append(Upload(key, about, spool.received(key, about.size)))
    return sorted(found, key=lambda upload: upload.about.begun, reverse=True)


@contextmanager
def _held(actor: Actor, key: UUID) -> Iterator[Upload]:
    """The upload, while nobody else adds to it, hands it in or gives it up."""
    gone = Gone(_("该上传已完成或已取消"))
    try:
        with spool.piece_lock(key):
            upload = find(actor=actor, key=key)
            if upload is None:
                raise gone
            yield upload
    except FileNotFoundError as error:
        raise gone from error
