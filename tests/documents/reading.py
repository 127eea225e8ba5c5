"""What a PDF says and where it says it, read back with pypdf and pdfium."""

from dataclasses import dataclass
from io import BytesIO
from math import hypot
from typing import Any

import pypdfium2
from pypdf import PageObject, PdfReader

MM_PER_POINT = 25.4 / 72
_EMPTY = 0.1  # points: what a blank prints


@dataclass(frozen=True)
class Line:
    """One run of text: left end and baseline in mm from the page's upper left corner, size in points, face."""

    text: str
    x: float
    y: float
    size: float
    face: str = ""


@dataclass(frozen=True)
class Box:
    """A drawn rectangle in mm from the page's upper left corner."""

    x: float
    y: float
    width: float
    height: float


def pages(pdf: bytes) -> list[PageObject]:
    return list(PdfReader(BytesIO(pdf)).pages)


def text_of(pdf: bytes) -> str:
    """The text of all pages, a form feed between two."""
    return "\n\f\n".join(page.extract_text() for page in pages(pdf)) + "\n"


def squeezed(text: str) -> str:
    """``text`` without any white space: where lines break does not matter."""
    return "".join(text.split())


def lines_of(page: PageObject) -> list[Line]:
    """The runs of text of ``page`` in the order drawn."""
    found: list[Line] = []

    def visit(text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        if text.strip():
            x, y = _millimetres(page, cm, tm[4], tm[5])
            face = str(font["/BaseFont"]).rpartition("+")[2]
            # The scale of the text's matrix, which a turned page number has not on its diagonal.
            found.append(Line(text.strip(), x, y, round(size * hypot(cm[0], cm[1]), 2), face))

    page.extract_text(visitor_text=visit)
    return found


def boxes_of(page: PageObject) -> set[Box]:
    """The rectangles drawn on ``page``, tenths of a millimetre."""
    found: set[Box] = set()

    def visit(operator: bytes, operands: list[Any], cm: list[float], _tm: list[float]) -> None:
        if operator == b"re":
            x, y, width, height = map(float, operands)
            left, top = _millimetres(page, cm, x, y)
            scale = cm[0] * MM_PER_POINT
            found.add(
                Box(
                    round(left, 1),
                    round(top, 1),
                    round(width * scale, 1),
                    round(height * scale, 1),
                )
            )

    page.extract_text(visitor_operand_before=visit)
    return found


def ink_of(document: bytes) -> list[list[Box]]:
    """Page by page the place of every printed character, without the empty ones."""
    with pypdfium2.PdfDocument(document) as pdf:
        return [[_box(page, char) for char in _printed(page)] for page in pdf]


def _printed(page: pypdfium2.PdfPage) -> list[tuple[float, float, float, float]]:
    text = page.get_textpage()
    places = [text.get_charbox(place) for place in range(text.count_chars())]
    return [(a, b, c, d) for a, b, c, d in places if min(c - a, d - b) > _EMPTY]


def _box(page: pypdfium2.PdfPage, place: tuple[float, float, float, float]) -> Box:
    left, low, right, high = (number * MM_PER_POINT for number in place)
    return Box(left, page.get_height() * MM_PER_POINT - high, right - left, high - low)


def fonts_of(pdf: bytes) -> dict[str, bool]:
    """Name of each font without its subset prefix → whether it is embedded, subset and searchable."""
    found: dict[str, bool] = {}
    for page in pages(pdf):
        for reference in page["/Resources"]["/Font"].values():
            font = reference.get_object()
            prefix, _, name = str(font["/BaseFont"]).removeprefix("/").partition("+")
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            embedded = bool({"/FontFile2", "/FontFile3"} & set(descriptor))
            found[name] = embedded and len(prefix) == 6 and "/ToUnicode" in font
    return found


def _millimetres(page: PageObject, cm: list[float], x: float, y: float) -> tuple[float, float]:
    across = cm[0] * x + cm[2] * y + cm[4]
    up = cm[1] * x + cm[3] * y + cm[5]
    return across * MM_PER_POINT, (float(page.mediabox.height) - up) * MM_PER_POINT
