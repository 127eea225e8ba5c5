"""The document viewer of the reviewer's desk as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from applications.enums import FileKind
from applications.models import Application, ApplicationFile, ApplicationVersion
from applications.services import drawing, viewing
from applications.services.drawing import Sheet
from pilot.forms import whole_number

FIT: Final = "fit"  # as wide as the pane


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes one thing about what is looked at."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class FileChoice:
    """A file of the version, to look at or to refer to."""

    pk: int
    label: str
    name: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """One page of one file, and the ways on from it."""

    files: Sequence[FileChoice]
    file: ApplicationFile | None = None
    name: str = ""
    page: int = 1
    pages: int = 0
    zoom: str = FIT
    image: str = ""
    alt: str = ""
    sheet: Sheet | None = None
    sheet_note: str = ""
    download: str = ""
    scan: str = ""
    previous: str = ""
    following: str = ""
    zooms: Sequence[Choice] = ()
    turned: str = ""
    find: str = ""
    hits: Sequence[Choice] = ()
    hits_words: str = ""
    kept: Sequence[tuple[str, str]] = ()  # carried by the forms for page number and search

    @property
    def shown(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.image or self.sheet)


class _Addresses:
    """Addresses of the desk that differ from the present one in one thing."""

    def __init__(self, address: str, asked: Mapping[str, Any]) -> None:
        self.address, self.asked = address, dict(asked)

    def with_(self, **changes: Any) -> str:
        return f"{self.address}?{urlencode({**self.asked, **changes})}"


def viewer_of(
    case: Application, version: ApplicationVersion, *, address: str, asked: Mapping[str, str]
) -> Viewer:
    """The viewer on the file and page that the address asks for: the first page of the first file otherwise."""
    files = _files(case, version)
    wanted = asked.get("file", "")
    file = next((f for f in files if str(f.pk) == wanted), files[0] if files else None)
    if file is None:
        return Viewer(())
    listed = {key: value for key, value in asked.items() if key in {"list", "next"}}
    plain = _Addresses(address, listed)
    choices = [
        FileChoice(f.pk, f.get_kind_display(), f.name, plain.with_(file=f.pk), f.pk == file.pk) for f in files
    ]
    return _opened(file, choices, address, asked)


def _files(case: Application, version: ApplicationVersion) -> list[ApplicationFile]:
    """The files of the version, in the order of the kinds."""
    keys = [entry["id"] for entry in version.files]
    rows = ApplicationFile.unscoped.filter(application=case, pk__in=keys)
    return sorted(rows, key=lambda row: (FileKind.values.index(row.kind), row.pk))


def _opened(
    file: ApplicationFile, choices: Sequence[FileChoice], address: str, asked: Mapping[str, str]
) -> Viewer:
    pages = viewing.page_count(file)
    zoom = asked["zoom"] if asked.get("zoom") in {FIT, *map(str, drawing.ZOOMS)} else FIT
    turn = int(asked["turn"]) if asked.get("turn") in set(map(str, drawing.TURNS)) else 0
    find = asked.get("q", "").strip()[: viewing.MAX_SEARCH]
    found = viewing.found_in(file=file, text=find) if pages else ()
    page = _within(asked.get("page", ""), pages, otherwise=found[0].page if found else 1)
    here = _Addresses(address, {**asked, "file": file.pk, "page": page})
    sheet = viewing.sheet_of(file=file, number=page) if file.content_type == drawing.SHEET else None
    drawn = bool(pages) and file.content_type in {drawing.PDF, *drawing.PICTURES}
    return Viewer(
        files=choices,
        file=file,
        name=file.name,
        page=page,
        pages=pages,
        zoom=zoom,
        image=_image(file, page, zoom, turn, find) if drawn else "",
        alt=_("%(name)s 第 %(page)s 页") % {"name": file.name, "page": page},
        sheet=sheet,
        sheet_note=_sheet_note(sheet, page) if sheet else "",
        download=reverse("application_file", args=[file.pk]),
        scan=str(file.get_scan_display()),
        previous=here.with_(page=page - 1) if page > 1 else "",
        following=here.with_(page=page + 1) if page < pages else "",
        zooms=[
            Choice(_("适合宽度") if value == FIT else f"{value}%", here.with_(zoom=value), value == zoom)
            for value in (FIT, *map(str, drawing.ZOOMS))
        ],
        turned=here.with_(turn=(turn + 90) % 360) if drawn else "",
        find=find,
        hits=[
            Choice(
                _("第 %(page)s 页（%(n)s 处）") % {"page": hit.page, "n": hit.count},
                here.with_(page=hit.page),
                hit.page == page,
            )
            for hit in found
        ],
        hits_words=_("没有找到“%(text)s”（扫描件没有可查找的文字）") % {"text": find}
        if find and pages and not found
        else "",
        kept=[
            (key, value) for key, value in {**asked, "file": str(file.pk)}.items() if key not in {"page", "q"}
        ],
    )


def _within(asked: str, pages: int, *, otherwise: int) -> int:
    number = whole_number(asked)
    return otherwise if number is None else min(max(number, 1), max(pages, 1))


def _image(file: ApplicationFile, page: int, zoom: str, turn: int, find: str) -> str:
    # Drawn finer than it is shown, so that a page as wide as the pane stays readable.
    asked = {"zoom": 150 if zoom == FIT else zoom, "turn": turn or None, "q": find or None}
    query = urlencode({key: value for key, value in asked.items() if value is not None})
    return f"{reverse('application_page', args=[file.pk, page])}?{query}"


def _sheet_note(sheet: Sheet, page: int) -> str:
    name = sheet.names[page - 1]
    if sheet.total > len(sheet.rows):
        return _("工作表“%(name)s”，只显示前 %(n)s 行（共 %(all)s 行）") % {
            "name": name,
            "n": len(sheet.rows),
            "all": sheet.total,
        }
    return _("工作表“%(name)s”") % {"name": name}
