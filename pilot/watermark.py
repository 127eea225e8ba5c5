"""The reader's name and the time on what is shown, printed or handed out: light, tiled, and in the way of nobody.

It says who took a copy away. Stored papers stay as they are: the mark is laid over a copy on its way out.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final

from django.utils.html import escape
from django.utils.timezone import localtime
from pikepdf import Page, Pdf, PdfError
from pikepdf import Rectangle as Box

from pilot import clock
from pilot.actors import Actor
from pilot.pdf import render_pdf

MM: Final = 72 / 25.4  # points
TILE: Final = (380, 200)  # pixels of one tile on the screen
ACROSS, DOWN = 95, 60  # mm between two marks on paper
MOST_SIZES: Final = 20  # of pages in one file; a sheet of marks is set for each


class UnmarkableError(ValueError):
    """The file is no PDF that can be opened, or one whose pages no sheet fits."""


def words(actor: Actor) -> str:
    """Who reads, for which office, and when (business time)."""
    return f"{actor.organisation_name} {actor.name} {localtime(clock.now()):%Y-%m-%d %H:%M}"


def svg(text: str) -> str:
    """A picture that fills whatever it is laid over with the text, drawn without any style of its own."""
    width, height = TILE
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="100%"><defs>'
        f'<pattern id="mark" width="{width}" height="{height}" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(-24)"><text x="8" y="{height // 2}" font-size="14" font-family="sans-serif" '
        f'fill="#1f2937" fill-opacity="0.1">{escape(text)}</text></pattern></defs>'
        '<rect width="100%" height="100%" fill="url(#mark)"/></svg>'
    )


def on_pdf(content: bytes, *, text: str, digest: str) -> bytes:
    """A copy of a PDF with the text tiled over every page and a line at its foot that names the original's digest.

    Raises :class:`UnmarkableError`.
    """
    sheets: dict[tuple[int, int], Pdf] = {}
    out = BytesIO()
    try:
        with Pdf.open(BytesIO(content)) as pdf:
            for page in pdf.pages:
                size = _size(page)
                if size not in sheets:
                    if len(sheets) == MOST_SIZES:
                        raise UnmarkableError(f"more than {MOST_SIZES} sizes of pages")
                    sheets[size] = Pdf.open(BytesIO(_sheet(size, text, digest)))
                page.add_overlay(sheets[size].pages[0], Box(*map(float, page.trimbox)))
            pdf.save(out, deterministic_id=True)
    except (PdfError, ValueError, TypeError) as error:  # the latter two of a box that is none
        raise UnmarkableError(str(error)) from error
    return out.getvalue()


def _size(page: Page) -> tuple[int, int]:
    """Width and height as it is read, in whole points."""
    left, bottom, right, top = map(float, page.trimbox)
    across, up = round(right - left), round(top - bottom)
    return (up, across) if page.rotation % 180 else (across, up)


def _sheet(size: tuple[int, int], text: str, digest: str) -> bytes:
    """A transparent page of this size with nothing but the marks."""
    width, height = size[0] / MM, size[1] / MM
    marks = [
        {"left": 6 + column * ACROSS, "top": 45 + row * DOWN}
        for row in range(max(1, int(height // DOWN)))
        for column in range(max(1, round(width / ACROSS)))
    ]
    context = {
        "width": f"{width:.3f}",
        "height": f"{height:.3f}",
        "marks": marks,
        "text": text,
        "digest": digest,
    }
    return render_pdf("documents/watermark.html", context, title="阅览件")
