"""Looking at a file of an application inside the portal."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from applications.enums import ScanState
from applications.models import ApplicationFile
from applications.services import drawing, files
from applications.services.drawing import Hits, Sheet, UndrawableError
from pilot import watermark
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.services import audit

MAX_SEARCH = 60  # characters


@transaction.atomic
def record_opening(*, file: ApplicationFile, actor: Actor) -> None:
    """Reading is on record once per opening, not once per page."""
    audit.record(
        action="application.view_file", actor=actor, subject=file, detail={"application": file.application_id}
    )


def _content(file: ApplicationFile) -> bytes:
    """The bytes to draw; a file that waits for the virus scanner is opened by no program of ours either."""
    if file.scan == ScanState.PENDING:
        raise UndrawableError
    return files.bytes_of(file)


def page_count(file: ApplicationFile) -> int:
    """Pages of a PDF, sheets of a workbook, 1 for a picture; 0 when the file cannot be shown."""
    if file.pages is not None and file.content_type == drawing.PDF and file.scan != ScanState.PENDING:
        return file.pages
    try:
        return drawing.count_pages(_content(file), file.content_type)
    except UndrawableError:
        return 0


def picture(*, file: ApplicationFile, actor: Actor, page: int, zoom: int, turn: int, find: str = "") -> bytes:
    """One page as PNG with the reader's office, name and the time. Raises :class:`Refused` when it cannot be shown."""
    try:
        return drawing.draw(
            _content(file),
            file.content_type,
            page=page,
            zoom=zoom,
            turn=turn,
            find=find[:MAX_SEARCH],
            watermark=watermark.words(actor),
        )
    except UndrawableError as error:
        raise Refused(_("该页无法在线显示，请下载后查看")) from error


def found_in(*, file: ApplicationFile, text: str) -> tuple[Hits, ...]:
    """Where a text stands in a PDF; nothing for other files, for blank text, or for a file that cannot be read."""
    wanted = text.strip()[:MAX_SEARCH]
    if not wanted or file.content_type != drawing.PDF:
        return ()
    try:
        return drawing.search(_content(file), wanted)
    except UndrawableError:
        return ()


def sheet_of(*, file: ApplicationFile, number: int) -> Sheet | None:
    """The first rows of a sheet of a workbook; None when there is none to show."""
    try:
        return drawing.sheet(_content(file), number)
    except UndrawableError:
        return None
