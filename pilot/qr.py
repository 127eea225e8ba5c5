"""QR codes as inline SVG, for papers and pages. Drawn here, so nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString

QUIET_ZONE = 4
"""Modules left white on every side (ISO/IEC 18004)."""


def svg(text: str, *, title: str) -> SafeString:
    """``text`` as a QR code that a phone reads from paper (error correction M), with ``title`` for screen readers."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(text)
    rows = code.get_matrix()
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}" role="img" shape-rendering="crispEdges">'
        '<title>{1}</title><path d="{2}"/></svg>',
        len(rows),
        title,
        "".join(_bars(rows)),
    )


def _bars(rows: Sequence[Sequence[bool]]) -> Iterator[str]:
    """Each run of dark modules as one rectangle: no seams where they touch."""
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                yield f"M{x} {y}h{length}v1h-{length}z"
            x += length
