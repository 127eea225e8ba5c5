"""XLSX: the first sheet of a workbook, all cells as text, under dotted column names.

What is cheap to judge, the archive's list of files, is judged here; the workbook is read in a process of its own
(``filings.intake.workbook``).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

import msgspec

from filings.intake.columns import Layout, TableRow
from filings.intake.lines import CHUNK, split_lines
from filings.intake.ndjson import TOO_LONG
from filings.intake.records import FileRefused, RawRow
from filings.intake.unpack import MAX_RATIO, RATIO_FREE, open_zip, stream_size
from filings.intake.workbook import MAX_ROWS, Cells

MAX_PACKED: Final = 100 * 1024**2
"""50,000 forms have 30 MB."""
MAX_WORKBOOK: Final = 400 * 1024**2
MAX_ENTRIES: Final = 200

Lines = Generator[bytes | None]

_COMMAND: Final = (sys.executable, "-m", "filings.intake.workbook")
_ROOT: Final = Path(__file__).parents[2]
_MAGIC: Final = b"PK\x03\x04"
_OTHERS: Final = frozenset({"content.xml", "xl/workbook.bin"})
"""Parts of ODS and XLSB, which the parser would take as well."""
_CELLS: Final = msgspec.json.Decoder(Cells)
_HEADER: Final = msgspec.json.Decoder(Cells | str)


def read_xlsx(stream: BinaryIO) -> Iterator[RawRow | TableRow]:
    """Read the first sheet of a workbook, all cells as text; wholly empty rows are no rows.

    Raises ``FileRefused`` at once for an empty or damaged file, one that unpacks or is laid out to too much, more than
    50,000 rows, or no header; later only where what is left is too much, or nothing. ``stream`` must be seekable.
    """
    lines, layout = _open(stream)
    return _xlsx_rows(lines, layout)


def xlsx_columns(stream: BinaryIO) -> list[str]:
    """Return the column names of a workbook; raises ``FileRefused`` as :func:`read_xlsx` does."""
    lines, layout = _open(stream)
    lines.close()
    return layout.names


def _open(stream: BinaryIO) -> tuple[Lines, Layout]:
    refuse_oversized_workbook(stream)
    lines = _lines(stream)
    try:
        return lines, Layout(_header(next(lines, None)))
    except FileRefused:
        lines.close()
        raise


def _header(line: bytes | None) -> Cells:
    if line is None:
        raise FileRefused("file.too_large")
    header = _decoded(line, _HEADER)
    if isinstance(header, str):
        raise FileRefused(header, limit=MAX_ROWS)
    return header


def _lines(stream: BinaryIO) -> Lines:
    """What the reading process says, line by line; it ends when nobody listens any more.

    Raises ``FileRefused`` when it ends of itself before it has said everything.
    """
    with subprocess.Popen(  # noqa: S603  (a fixed command; the file comes over standard input)
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env={"LANG": "C.UTF-8"},
    ) as reader:
        try:
            # It says nothing before it has the whole file, so neither waits for the other.
            with suppress(BrokenPipeError), cast(IO[bytes], reader.stdin) as file:
                shutil.copyfileobj(stream, file, CHUNK)
            yield from split_lines(cast(IO[bytes], reader.stdout))
            if reader.wait() != 0:
                raise FileRefused("file.too_large")
        finally:
            reader.kill()


def _decoded[T](line: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(line)
    except msgspec.DecodeError as error:  # the process was stopped within the line
        raise FileRefused("file.too_large") from error


def _xlsx_rows(lines: Lines, layout: Layout) -> Iterator[RawRow | TableRow]:
    number = 0
    with closing(lines):
        for number, line in enumerate(lines, start=1):
            if line is None:
                yield RawRow(number, None, b"", TOO_LONG)
            else:
                cells = _decoded(line, _CELLS)
                yield TableRow(number, line, cells, layout)
    if number == 0:
        raise FileRefused("file.empty")


def refuse_oversized_workbook(stream: BinaryIO) -> None:
    """Judge a workbook before it is opened; raises ``FileRefused``, else leaves ``stream`` at its start."""
    size = stream_size(stream)
    if size == 0:
        raise FileRefused("file.empty")
    if stream.read(len(_MAGIC)) != _MAGIC:
        raise FileRefused("file.wrong_type")
    try:
        entries = open_zip(stream).infolist()
    except zipfile.BadZipFile as error:
        raise FileRefused("file.damaged") from error
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or names & _OTHERS:
        raise FileRefused("file.wrong_type")
    unpacked = sum(entry.file_size for entry in entries)
    most = min(MAX_WORKBOOK, max(RATIO_FREE, size * MAX_RATIO))
    if size > MAX_PACKED or unpacked > most or len(entries) > MAX_ENTRIES:
        raise FileRefused("file.too_large")
    stream.seek(0)
