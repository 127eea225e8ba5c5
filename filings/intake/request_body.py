"""The body of an API request: one form, an array of at most 1,000, or as many lines of NDJSON."""

from __future__ import annotations

import io
from typing import Final

import msgspec

from filings.intake.decode import Row
from filings.intake.lines import BOM
from filings.intake.ndjson import JsonRow, read_ndjson
from filings.intake.records import FileRefused

MAX_ROWS: Final = 1_000
_MOST_COMMAS: Final = 1_000 * MAX_ROWS
"""In an array: forms have a hundred each. Without this bound eight megabytes of zeros would become five hundred."""
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def read_json(body: bytes) -> list[Row]:
    """The rows of a JSON object or array, each with the bytes it was sent as.

    Raises ``FileRefused`` for anything else, for an empty array, and for more than 1,000 forms.
    """
    text = body.removeprefix(BOM).strip()
    if not text:
        raise FileRefused("file.empty")
    if text.startswith(b"{"):
        items = [text]
    else:
        if text.count(b",") > _MOST_COMMAS:
            raise FileRefused("file.too_many_rows", limit=MAX_ROWS)
        try:
            items = [bytes(item) for item in _ITEMS.decode(text)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise FileRefused("file.wrong_type") from None
    if not items:
        raise FileRefused("file.empty")
    if len(items) > MAX_ROWS:
        raise FileRefused("file.too_many_rows", limit=MAX_ROWS)
    return [JsonRow(number, item) for number, item in enumerate(items, start=1)]


def read_lines(body: bytes) -> list[Row]:
    """The rows of NDJSON; raises ``FileRefused`` as :func:`read_json` does."""
    rows: list[Row] = []
    for row in read_ndjson(io.BytesIO(body)):
        if len(rows) == MAX_ROWS:
            raise FileRefused("file.too_many_rows", limit=MAX_ROWS)
        rows.append(row)
    return rows
