"""Files that come with an act (proof of a dispute, a rectification report, a statement).

Each is looked at and scanned before anything is locked, and kept by its hash: a file that belongs to many findings of
one act is stored once.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final, Protocol

from django.utils.translation import gettext as _

from filings.validators.pictures import is_jpeg, is_png
from pilot.errors import Refused
from pilot.machines import Case
from pilot.models import Document
from pilot.services import documents, inspection, scanner

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_FILES: Final = 5
KIND: Final = "proof"
_PDF: Final = re.compile(rb"%PDF-\d\.\d").match
_TYPES: Final = {
    "application/pdf": lambda content: bool(_PDF(content)) and b"%%EOF" in content[-2048:],
    "image/jpeg": is_jpeg,
    "image/png": is_png,
}
logger = logging.getLogger(__name__)


class Upload(Protocol):
    """What a browser hands over: a name and the content."""

    @property
    def name(self) -> str | None: ...

    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Proof:
    """A file that may be kept: its title (the user's file name without its ending), content, and what it really is."""

    title: str
    content: bytes
    content_type: str

    @property
    def sha256(self) -> str:
        """The digest by which it is kept."""
        return hashlib.sha256(self.content).hexdigest()


def examine(upload: Upload) -> Proof:
    """Look at an uploaded file by its content; nothing is kept yet.

    Raises :class:`Refused` for an empty file, one above 10 MiB, anything but a whole PDF, JPEG or PNG, for one with
    active or hidden content, one in which the virus scanner finds something, and where a configured scanner does not
    answer.
    """
    content = upload.read(MAX_BYTES + 1)
    if not content:
        raise Refused(_("文件是空的"))
    if len(content) > MAX_BYTES:
        raise Refused(_("文件不得超过 10 MB"))
    content_type = next((name for name, fits in _TYPES.items() if fits(content)), None)
    if content_type is None:
        raise Refused(_("仅接收完整的 PDF、JPG 或 PNG 文件"))
    inspection.media_type(content)
    if scanner.is_configured():
        try:
            scanner.check(content)
        except scanner.NoAnswerError as error:
            logger.warning("virus scanner: %s", error)
            raise Refused(_("病毒扫描暂时不可用，请稍后再提交文件")) from error
    return Proof(_title(upload.name or ""), content, content_type)


def _title(name: str) -> str:
    """The user's name of the file as a title only: no folder, no ending, no control characters."""
    stem = PurePosixPath(name.replace("\\", "/")).name.rsplit(".", 1)[0]
    return "".join(sign for sign in stem if sign.isprintable()).strip()[:255] or str(_("证明材料"))


def attach(*, cases: Sequence[Case], proofs: Iterable[Proof], at: datetime) -> list[Document]:
    """Keep files with every one of the cases. Raises :class:`Refused` above five files."""
    files = list(proofs)
    if len(files) > MAX_FILES:
        raise Refused(_("最多提交 %(most)s 个文件") % {"most": MAX_FILES})
    kept = [(proof, documents.put_bytes(proof.content)) for proof in files]
    rows: list[Any] = [
        Document(
            machine=case.slug(),
            object_id=case.pk,
            case_key=case.case_key,
            kind=KIND,
            title=proof.title,
            sha256=digest,
            size=len(proof.content),
            content_type=proof.content_type,
            made_at=at,
        )
        for case in cases
        for proof, digest in kept
    ]
    return Document.objects.bulk_create(rows)


def of(case: Case) -> list[Document]:
    """The files that came with the acts of a case, in the order in which they came."""
    return list(Document.objects.filter(machine=case.slug(), object_id=case.pk, kind=KIND).order_by("pk"))
