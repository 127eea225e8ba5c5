"""How a filled-in field looks (appearance streams, ISO 32000-1, 12.7.3.3), drawn with the face the form embeds.

Readers draw what they find; those without a Chinese font of their own cannot make it up.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name, Pdf

from pilot.pdf_font import font_path

INK: Final = "0 0.125 0.357"
LARGEST: Final = 10.5  # points
SMALLEST: Final = 6.0
LEADING: Final = 1.3
_PAD: Final = 2.5
_ASCENT, _DESCENT = 0.88, 0.12
_GETA: Final = "〓"  # what printers set where they lack a character


def text_face(pdf: Pdf, field: Any, text: str, *, font: str, lines: bool) -> Any:
    """The face of a text field: one line made small enough, or several lines broken at the edge."""
    width, height = size_of(field)
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if lines else [text]
    size, rows = _fitted(rows, width - 2 * _PAD, height - 2 * _PAD if lines else height, lines=lines)
    top = height - _PAD - size * _ASCENT if lines else (height - size * (_ASCENT - _DESCENT)) / 2
    shown = " T* ".join(f"<{_glyphs(row)}> Tj" for row in rows)
    drawing = (
        f"/Tx BMC q 1 1 {width - 2:.2f} {height - 2:.2f} re W n BT {INK} rg {font} {size:.2f} Tf "
        f"{size * LEADING:.2f} TL {_PAD} {top:.2f} Td {shown} ET Q EMC"
    )
    return _face(pdf, width, height, drawing, pdf.Root.AcroForm.DR)


def tick_face(pdf: Pdf, field: Any) -> Any:
    """A tick over the whole box."""
    width, height = size_of(field)
    points = ((0.16, 0.52), (0.42, 0.2), (0.86, 0.84))
    (x, y), *rest = ((width * px, height * py) for px, py in points)
    strokes = " ".join(f"{px:.2f} {py:.2f} l" for px, py in rest)
    drawing = f"q {INK} RG {width * 0.16:.2f} w 1 J 1 j {x:.2f} {y:.2f} m {strokes} S Q"
    return _face(pdf, width, height, drawing, Dictionary())


def empty_face(pdf: Pdf, field: Any) -> Any:
    """Nothing over what the page shows."""
    return _face(pdf, *size_of(field), "", Dictionary())


def size_of(field: Any) -> tuple[float, float]:
    """Width and height of a field in points."""
    left, low, right, high = map(float, field.Rect)
    return abs(right - left), abs(high - low)


def _face(pdf: Pdf, width: float, height: float, drawing: str, resources: Any) -> Any:
    return pdf.make_stream(
        drawing.encode("ascii"),
        Dictionary(
            Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, width, height]), Resources=resources
        ),
    )


def _fitted(rows: list[str], width: float, height: float, *, lines: bool) -> tuple[float, list[str]]:
    """The largest size at which the text fits, and its lines at that size."""
    size = LARGEST
    while True:
        broken = [part for row in rows for part in _broken(row, width / size)] if lines else rows
        fits = len(broken) * size * LEADING <= height if lines else _length(rows[0]) * size <= width
        if fits or size <= SMALLEST:
            return size, broken
        size = max(SMALLEST, size - 0.5)


def _broken(row: str, width: float) -> list[str]:
    """``row`` cut where it is wider than ``width`` (in ems); Chinese breaks anywhere."""
    parts, start, length = [], 0, 0.0
    for index, char in enumerate(row):
        advance = _length(char)
        if length + advance > width and index > start:
            parts.append(row[start:index])
            start, length = index, 0.0
        length += advance
    return [*parts, row[start:]]


def _length(text: str) -> float:
    """Length in ems."""
    letters = _letters()
    return sum(letters.get(char, letters[_GETA])[1] for char in text)


def _glyphs(text: str) -> str:
    letters = _letters()
    return "".join(f"{letters.get(char, letters[_GETA])[0]:04x}" for char in text)


@cache
def _letters() -> dict[str, tuple[int, float]]:
    """Character → glyph number and advance in ems, of the face that forms embed whole."""
    font = TTFont(font_path())
    units = font["head"].unitsPerEm
    metrics = font["hmtx"].metrics
    return {
        chr(code): (font.getGlyphID(name), metrics[name][0] / units)
        for code, name in font.getBestCmap().items()
    }
