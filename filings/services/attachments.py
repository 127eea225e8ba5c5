"""Files that come with an act (proof of a dispute, a rectification report): checked by content, kept by hash."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from pilot.errors import Refused
from pilot.machines import Case
from pilot.models import Document
from pilot.services import documents

MAX_BYTES: Final = 10 * 1024 * 1024
SIGNATURE: Final = b"%PDF-"


def keep_proof(*, case: Case, upload: UploadedFile | None, at: datetime) -> Document | None:
    """Keep an uploaded file as a document of the case; nothing was uploaded: None.

    Raises :class:`Refused` for anything but a PDF by its first bytes, or above 10 MiB. The user's file name is kept
    as a title only.
    """
    if upload is None:
        return None
    content = upload.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Refused(_("文件不得超过 10 MB"))
    if not content.startswith(SIGNATURE):
        raise Refused(_("仅接收 PDF 文件"))
    title = (upload.name or "").removesuffix(".pdf")[:255] or _("证明材料")
    return documents.keep(case=case, kind="proof", title=title, content=content, at=at)
