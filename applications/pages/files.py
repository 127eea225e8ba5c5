"""The page on which a provider hands over its files, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _

from applications.enums import FileKind, ScanState
from applications.models import Application, ApplicationFile, PartialUpload
from applications.pages.form import Bell, bell, checking, crumbs, step, task_list
from applications.rules.completeness import REQUIRED_FILES
from applications.selectors import content
from applications.services.drafts import editing_obstacle
from applications.validators.files import NUMBERS, SUFFIXES, TYPE_NAMES, XLSX
from applications.validators.limits import MAX_BYTES
from pilot.actors import Actor
from pilot.ui import Fact, Link, Tag, Tone

SCAN_TONES: dict[str, Tone] = {
    ScanState.NOT_SCANNED: "muted",
    ScanState.PENDING: "warning",
    ScanState.CLEAN: "success",
}
SHOWN_DIGITS = 16
PREVIEWED = 10  # pages; who wants to read more than make sure downloads the file


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as its card shows it; ``url`` is empty while nobody may read it, ``remove`` when it must stay."""

    name: str
    url: str
    size: str
    pages: int | None
    sha256: str
    scan: Tag
    at: datetime
    preview: Sequence[str] = ()  # pictures of its first pages
    unseen: int = 0  # pages beyond these
    remove: str = ""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload that broke off: choosing the same file again goes on with it."""

    token: str
    name: str
    percent: int


@dataclass(frozen=True, slots=True)
class FileCard:
    """One kind of material. ``locked`` says in words why nothing can be changed; empty when it can."""

    kind: str
    label: str
    required: bool
    several: bool
    locked: str
    note: str  # what a completeness notice asks for
    files: Sequence[FileRow]
    unfinished: Sequence[Unfinished]
    error: str = ""

    @property
    def missing(self) -> bool:
        """Whether the application cannot be handed in for want of this."""
        return self.required and not self.files

    @property
    def anchor(self) -> str:
        """Where on the page the card is, for the summary of errors."""
        return self.kind

    @property
    def message(self) -> str:
        """What the summary of errors says of it."""
        return self.error


@dataclass(frozen=True, slots=True)
class FilesPage:
    """All kinds of materials with the limits that hold for each file."""

    title: str
    step: str
    crumbs: Sequence[Link]
    bell: Bell | None
    limits: Sequence[Fact]
    cards: Sequence[FileCard]
    accept: str
    max_bytes: int
    begin: str
    application: int
    back: Link
    check: Link | None
    missing: int

    @property
    def errors(self) -> list[FileCard]:
        """The cards with something refused."""
        return [card for card in self.cards if card.error]


def build(
    case: Application, actor: Actor, *, at: datetime, errors: dict[str, str] | None = None
) -> FilesPage:
    """The page for the provider's people. ``errors``: kind → why a file was refused."""
    cards = _cards(case, actor, errors or {})
    drafting = content.writes(case, actor)
    writing = drafting and editing_obstacle(case, actor) is None
    here = Link(case.number, reverse("application_detail", args=[case.pk]))
    return FilesPage(
        title=_("申请材料"),
        step=step(case) if writing else "",
        crumbs=crumbs(case, *([task_list(case)] if writing else [])),
        bell=bell(case, at=at) if drafting else None,
        limits=limits(),
        cards=cards,
        accept=",".join(suffix for suffixes in SUFFIXES.values() for suffix in suffixes),
        max_bytes=MAX_BYTES,
        begin=reverse("application_upload_begin", args=[case.pk]),
        application=case.pk,
        back=task_list(case) if writing else here,
        check=checking(case) if writing else None,
        missing=sum(card.missing for card in cards),
    )


def card(case: Application, actor: Actor, kind: str) -> FileCard:
    """One card as it stands now."""
    return next(card for card in _cards(case, actor, {}) if card.kind == kind)


def limits() -> list[Fact]:
    """What holds for every file, said before anything is chosen."""
    return [
        Fact(_("文件类型"), _("、").join(TYPE_NAMES.values())),
        Fact(_("单个文件"), _("不超过 %(mebibytes)s MB") % NUMBERS),
        Fact(_("PDF"), _("不超过 %(pages)s 页；不得加密、含脚本或内嵌文件") % NUMBERS),
        Fact(_("图像"), _("不超过 %(pixels)s 万像素（A4 幅面 600 dpi 扫描件约 3500 万）") % NUMBERS),
        Fact(_("工作簿"), _("不得含宏、内嵌对象或外部链接")),
    ]


def _cards(case: Application, actor: Actor, errors: dict[str, str]) -> list[FileCard]:
    obstacle = editing_obstacle(case, actor) or ""
    targets = content.open_targets(case)
    asked = _asked(case)
    present = list(content.current_files(case).order_by("pk"))
    begun = list(PartialUpload.unscoped.filter(application=case))
    cards = []
    for kind in FileKind:
        locked = obstacle or ("" if kind.value in targets else _("补正告知未列此项，不能修改"))
        cards.append(
            FileCard(
                kind=kind.value,
                label=str(kind.label),
                required=kind in REQUIRED_FILES,
                several=kind == FileKind.OTHER,
                locked=str(locked),
                note=asked.get(kind.value, ""),
                files=[_row(case, file, removable=not locked) for file in present if file.kind == kind],
                unfinished=[
                    Unfinished(upload.token, upload.name, 100 * upload.received // upload.size)
                    for upload in begun
                    if upload.kind == kind and upload.received and not locked
                ],
                error=errors.get(kind.value, ""),
            )
        )
    return cards


def _asked(case: Application) -> dict[str, str]:
    notice = content.open_notice(case)
    return {item.target: item.text for item in notice.items.all()} if notice else {}


def _row(case: Application, file: ApplicationFile, *, removable: bool) -> FileRow:
    state: Any = ScanState(file.scan)
    pages = _drawable(file)
    return FileRow(
        name=file.name,
        url="" if file.scan == ScanState.PENDING else reverse("application_file", args=[file.pk]),
        size=filesizeformat(file.size),
        pages=file.pages,
        sha256=file.sha256[:SHOWN_DIGITS],
        scan=Tag(str(state.label), SCAN_TONES[state]),
        at=file.uploaded_at,
        preview=[reverse("application_page", args=[file.pk, n]) for n in range(1, min(pages, PREVIEWED) + 1)],
        unseen=max(pages - PREVIEWED, 0),
        remove=reverse("application_file_remove", args=[case.pk, file.pk]) if removable else "",
    )


def _drawable(file: ApplicationFile) -> int:
    """How many pages can be shown as pictures: none of a workbook, or while the virus scanner has the file."""
    if file.scan == ScanState.PENDING or file.content_type == XLSX:
        return 0
    return file.pages or 1
