"""The body of an API request: one form, an array of at most 1,000, or as many lines of NDJSON."""

from __future__ import annotations

import io
from typing import Final

import msgspec

from filings.intake.decode import Row
from filings.intake.lines import BOM, MAX_LINE
from filings.intake.ndjson import TOO_LONG, JsonRow, read_ndjson
from filings.intake.records import FileRefused, RawRow

MAX_ROWS: Final = 1_000

# A list would be laid out to its end before its length is judged: eight megabytes of zeros would become three hundred.
_ITEMS: Final = msgspec.json.Decoder(
    msgspec.defstruct(
        "Items",
        [(f"item_{number}", msgspec.Raw, msgspec.UNSET) for number in range(1, MAX_ROWS + 1)],
        array_like=True,
        forbid_unknown_fields=True,
    )
)


def read_json(body: bytes) -> list[Row]:
    """The rows of a JSON object or array, each with the bytes it was sent as; none is parsed yet.

    Raises ``FileRefused`` for anything else, for an empty array, and for more than 1,000 forms.
    """
    text = body.removeprefix(BOM).strip()
    if not text:
        raise FileRefused("file.empty")
    if text.startswith(b"{"):
        return [_row(1, text)]
    if not text.startswith(b"["):
        raise FileRefused("file.wrong_type")
    try:
        items = msgspec.structs.astuple(_ITEMS.decode(text))
    except msgspec.ValidationError:
        raise FileRefused("file.too_many_rows", limit=MAX_ROWS) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FileRefused("file.wrong_type") from None
    rows = [_row(number, item) for number, item in enumerate(items, start=1) if item is not msgspec.UNSET]
    if not rows:
        raise FileRefused("file.empty")
    return rows


def _row(number: int, item: bytes | msgspec.Raw) -> Row:
    """An item of the array is bounded as a line is."""
    if len(memoryview(item)) > MAX_LINE:
        return RawRow(number, None, b"", TOO_LONG)
    return JsonRow(number, bytes(item))


def read_lines(body: bytes) -> list[Row]:
    """The rows of NDJSON; raises ``FileRefused`` as :func:`read_json` does."""
    rows: list[Row] = []
    for row in read_ndjson(io.BytesIO(body)):
        if len(rows) == MAX_ROWS:
            raise FileRefused("file.too_many_rows", limit=MAX_ROWS)
        rows.append(row)
    return rows
