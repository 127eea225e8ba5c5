"""Pages of uploaded files drawn as pictures, so that nothing of what was uploaded ever runs in a browser.

PDF pages are drawn by PDFium, pictures are decoded and encoded anew by Pillow, sheets are read into plain text.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from threading import Lock
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont
from pylopdf_fonts_zh_cn import sans_path
from python_calamine import CalamineError, CalamineWorkbook

PDF: Final = "application/pdf"
PICTURES: Final = ("image/png", "image/jpeg")
SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZOOMS: Final = (75, 100, 150, 200)  # per cent of the size on paper
TURNS: Final = (0, 90, 180, 270)  # degrees clockwise
MAX_PIXELS: Final = 9_000_000  # of one picture: an A3 page at 200 %
MAX_SOURCE_PIXELS: Final = 60_000_000
SHEET_ROWS: Final = 200
SHEET_COLUMNS: Final = 40
MAX_HITS: Final = 200
SEARCHED_PAGES: Final = 300
SECONDS: Final = 10.0
_PIXELS_PER_POINT: Final = 96 / 72
_MARKER: Final = (255, 214, 0, 96)
_WATERMARK: Final = (110, 120, 135, 150)
_FAINT: Final = 48  # of 255: read when looked for, overlooked by whoever reads the page

_lock = Lock()  # PDFium is not safe for threads
_font_paths: Any = None  # PDFium keeps a pointer into it


class UndrawableError(ValueError):
    """The file or page cannot be shown: damaged, of another kind, no such page, or too costly."""


@dataclass(frozen=True, slots=True)
class Hits:
    """On which page (from 1) a text was found, and how often."""

    page: int
    count: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """The first rows of one sheet as text. ``total`` is how many rows it has."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


@contextmanager
def _pdf(body: bytes) -> Iterator[Any]:
    """The opened document, while nobody else uses the library."""
    with _lock:
        pdfium = _pdfium()
        try:
            document = pdfium.PdfDocument(body)
        except pdfium.PdfiumError as error:
            raise UndrawableError(str(error)) from error
        try:
            yield document
        finally:
            document.close()


def _pdfium() -> Any:
    """PDFium with our Chinese fonts: many files of officials' software embed none, and a server has none either.

    The library takes its font folders only when it starts, so it is started anew once per process.
    """
    global _font_paths
    import pypdfium2

    if _font_paths is None:
        raw = pypdfium2.raw
        pointer = ctypes.POINTER(ctypes.c_char)
        folder = ctypes.create_string_buffer(str(sans_path().parent).encode())
        _font_paths = (pointer * 2)(ctypes.cast(folder, pointer), pointer())
        raw.FPDF_DestroyLibrary()
        raw.FPDF_InitLibraryWithConfig(
            raw.FPDF_LIBRARY_CONFIG(
                version=2, m_pUserFontPaths=_font_paths, m_pIsolate=None, m_v8EmbedderSlot=0
            )
        )
    return pypdfium2


def count_pages(body: bytes, content_type: str) -> int:
    """Pages of a PDF, sheets of a workbook, 1 for a picture. Raises :class:`UndrawableError`."""
    if content_type == PDF:
        with _pdf(body) as document:
            return len(document)
    return len(_workbook(body).sheet_names) if content_type == SHEET else 1


def draw(
    body: bytes, content_type: str, *, page: int, zoom: int, turn: int, find: str = "", watermark: str = ""
) -> bytes:
    """One page (from 1) as PNG, what was searched for marked, the reader's name and time in its corner.

    ``zoom`` is one of :data:`ZOOMS`, ``turn`` one of :data:`TURNS`. A page too large for :data:`MAX_PIXELS` is drawn
    smaller. Raises :class:`UndrawableError`.
    """
    if content_type == PDF:
        picture = _page(body, page, zoom=zoom, turn=turn, find=find)
    elif content_type in PICTURES and page == 1:
        picture = _picture(body, zoom=zoom, turn=turn)
    else:
        raise UndrawableError(content_type)
    if watermark:
        _sign(picture, watermark)
    target = BytesIO()
    picture.save(target, "PNG", compress_level=4)
    return target.getvalue()


def _page(body: bytes, number: int, *, zoom: int, turn: int, find: str) -> Image.Image:
    with _pdf(body) as document:
        page = _opened(document, number)
        width, height = page.get_size()
        scale = min(zoom / 100 * _PIXELS_PER_POINT, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
        picture: Image.Image = (
            page.render(scale=scale, rotation=turn, draw_annots=True).to_pil().convert("RGB")
        )
        return _marked(picture, _boxes(page, find, picture.size, turn)) if find else picture


def _opened(document: Any, number: int) -> Any:
    if not 1 <= number <= len(document):
        raise UndrawableError(f"no page {number}")
    try:
        return document[number - 1]
    except RuntimeError as error:
        raise UndrawableError(str(error)) from error


def _boxes(page: Any, find: str, size: tuple[int, int], turn: int) -> list[tuple[int, int, int, int]]:
    """Where on the picture the text stands: left, top, right, bottom."""
    raw = _pdfium().raw
    text = page.get_textpage()
    searcher = text.search(find)
    found: list[tuple[int, int, int, int]] = []
    while (hit := searcher.get_next()) and len(found) < MAX_HITS:
        for index in range(text.count_rects(*hit)):
            left, bottom, right, top = text.get_rect(index)
            corners = []
            for x, y in ((left, bottom), (right, top)):
                across, down = ctypes.c_int(), ctypes.c_int()
                raw.FPDF_PageToDevice(page, 0, 0, *size, turn // 90, x, y, across, down)
                corners.append((across.value, down.value))
            (x0, y0), (x1, y1) = corners
            found.append((min(x0, x1) - 1, min(y0, y1) - 1, max(x0, x1) + 1, max(y0, y1) + 1))
    return found


def _marked(picture: Image.Image, boxes: list[tuple[int, int, int, int]]) -> Image.Image:
    if not boxes:
        return picture
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    for box in boxes:
        pen.rectangle(box, fill=_MARKER, outline=(200, 140, 0, 255))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def _picture(body: bytes, *, zoom: int, turn: int) -> Image.Image:
    try:
        with Image.open(BytesIO(body), formats=("PNG", "JPEG")) as source:
            if source.width * source.height > MAX_SOURCE_PIXELS:
                raise UndrawableError("too many pixels")
            picture = source.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UndrawableError(str(error)) from error
    # A scan has no size on paper: at 100 % it is as wide as an A4 page.
    scale = min(zoom / 100 * 794 / picture.width, (MAX_PIXELS / (picture.width * picture.height)) ** 0.5)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS).rotate(-turn, expand=True)


def _sign(picture: Image.Image, words: str) -> None:
    """Who looks at it and when: small in the lower right corner, and faint all over."""
    _tile(picture, words)
    font = ImageFont.truetype(str(sans_path()), max(11, picture.width // 70))
    left, top, right, bottom = font.getbbox(words)
    at = picture.width - (right - left) - 8, picture.height - (bottom - top) - 12
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    ImageDraw.Draw(layer).text(at, words, font=font, fill=_WATERMARK)
    picture.paste(layer, mask=layer)


def _tile(picture: Image.Image, words: str) -> None:
    font = ImageFont.truetype(str(sans_path()), max(12, picture.width // 55))
    _left, _top, right, bottom = font.getbbox(words)
    mark = Image.new("L", (int(right) + 8, int(bottom) + 8), 0)
    ImageDraw.Draw(mark).text((4, 4), words, font=font, fill=_FAINT)
    mark = mark.rotate(24, expand=True)
    grey = Image.new("RGB", mark.size, _WATERMARK[:3])
    for top in range(0, picture.height, mark.height * 3 // 2):
        for left in range(0, picture.width, mark.width):
            picture.paste(grey, (left, top), mask=mark)


def search(body: bytes, find: str) -> tuple[Hits, ...]:
    """The pages of a PDF on which a text stands. Stops after :data:`SEARCHED_PAGES` pages or :data:`SECONDS`."""
    end, found = time.monotonic() + SECONDS, []
    with _pdf(body) as document:
        for number in range(1, min(len(document), SEARCHED_PAGES) + 1):
            if time.monotonic() > end:
                break
            searcher, count = _opened(document, number).get_textpage().search(find), 0
            while count < MAX_HITS and searcher.get_next():
                count += 1
            if count:
                found.append(Hits(number, count))
    return tuple(found)


def sheet(body: bytes, number: int) -> Sheet:
    """The first :data:`SHEET_ROWS` rows of a sheet (from 1). Raises :class:`UndrawableError`."""
    book = _workbook(body)
    names = tuple(book.sheet_names)
    if not 1 <= number <= len(names):
        raise UndrawableError(f"no sheet {number}")
    try:
        table = book.get_sheet_by_index(number - 1)
        rows = [
            tuple(_text(value) for value in row[:SHEET_COLUMNS])
            for _index, row in zip(range(SHEET_ROWS), table.iter_rows(), strict=False)
        ]
    except CalamineError as error:
        raise UndrawableError(str(error)) from error
    last = table.end[0] if table.end else -1
    return Sheet(names, tuple(rows), last + 1)


def _workbook(body: bytes) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(BytesIO(body))
    except (CalamineError, ValueError) as error:
        raise UndrawableError(str(error)) from error


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)
