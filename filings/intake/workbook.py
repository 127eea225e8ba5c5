"""Read one untrusted workbook in a process of its own: ``python -m filings.intake.workbook < file``.

The answer is lines of JSON on standard output: the cells of the header, then those of every row that is not empty, all
as text. Where the file is refused, the one line is the code of its fault.

A workbook is laid out as a full rectangle, every cell with a copy of its text, whatever few bytes say so; and the
parser aborts its process where memory ends. So this one gives itself little memory and time before it reads a byte,
and ends without an answer when that is not enough. No Django here: it starts in 0.1 s.
"""

from __future__ import annotations

import datetime as dt
import io
import resource
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec
import python_calamine

MAX_ROWS: Final = 50_000
MAX_COLUMNS: Final = 400
MAX_DATA: Final = 450 * 1024**2
"""50,000 forms, as many as fit, need 400 MB."""
MAX_CPU: Final = 20
"""Seconds. 50,000 forms need three."""

Cells = list[str]


def lines(file: BinaryIO) -> Iterator[Cells | str]:
    """The header and the rows of the first sheet, or the code of a fault; raises ``MemoryError``."""
    try:
        sheet = python_calamine.load_workbook(io.BytesIO(file.read())).get_sheet_by_index(0)
    except MemoryError:
        raise
    except BaseException:  # where the parser fails an assertion of its own, it raises what is no Exception
        yield "file.wrong_type"
        return
    if sheet.total_height > MAX_ROWS:  # both count from 0; the header is row 0
        yield "file.too_many_rows"
        return
    if sheet.total_width >= MAX_COLUMNS:
        yield "file.too_large"
        return
    rows = sheet.iter_rows()
    header = next(rows, None)
    if header is None:
        yield "file.no_header"
        return
    yield [cell_text(cell) for cell in header]
    for row in rows:
        cells = [cell_text(cell) for cell in row]
        if any(map(str.strip, cells)):
            yield cells


def cell_text(cell: object) -> str:
    """Return a cell as the text it shows: whole numbers without a decimal point, times in ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA, MAX_DATA))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU, MAX_CPU))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file


def main() -> int:
    """Exit status 0 with an answer; 1 without one, as the file is more than a file may be, or nobody reads on."""
    _confine()
    try:
        for line in lines(sys.stdin.buffer):
            sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()
    except (MemoryError, BrokenPipeError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
