"""The authority's extract (CSV): records of certificates and names, kept as keyed digests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import batched
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from filings.intake.lines import BOM, Readable, split_lines
from filings.models import AuthorityRecord
from filings.services.crypto import authority_keys
from filings.validators.text import narrow
from pilot.actors import Actor
from pilot.database import copy_rows
from pilot.errors import Refused
from pilot.services import audit

COLUMNS: Final = ("cert_type", "cert_no", "name", "valid_from", "valid_to")
BATCH: Final = 20_000
_INCOMING: Final = {"identity": "bytea", "name": "bytea", "valid_from": "date", "valid_to": "date"}
type Record = tuple[bytes, bytes, date | None, date | None]


@dataclass(slots=True)
class Extract:
    """What became of an extract: lines read, records new to the portal, lines that are no record."""

    rows: int = 0
    loaded: int = 0
    bad_lines: list[int] = field(default_factory=list)


def load_authority(*, source: Readable, actor: Actor) -> Extract:
    """Take in an extract; loading it again changes nothing. Batches commit as they go.

    Raises :class:`Refused` when the file is empty, not UTF-8 or without the header
    ``cert_type,cert_no,name,valid_from,valid_to``. Lines are numbered from 1, the header not counted.
    """
    lines = split_lines(source)
    if _text((next(lines, b"") or b"").removeprefix(BOM)) != list(COLUMNS):
        raise Refused(_("不是权威库数据文件：首行应为 %(header)s") % {"header": ",".join(COLUMNS)})
    extract = Extract()
    for batch in batched(_records(lines, extract), BATCH):
        extract.loaded += _store(batch)
    audit.record(
        action="authority.load",
        actor=actor,
        detail={"rows": extract.rows, "loaded": extract.loaded, "bad_lines": len(extract.bad_lines)},
    )
    return extract


def _records(lines: Iterable[bytes | None], extract: Extract) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if line is not None and not line.strip():
            continue
        extract.rows += 1
        record = _record(line)
        if record is None:
            extract.bad_lines.append(number)
        else:
            yield record


def _text(line: bytes) -> list[str] | None:
    try:
        return [cell.strip() for cell in next(csv.reader(io.StringIO(line.decode())), [])]
    except (UnicodeDecodeError, csv.Error):
        return None


def _record(line: bytes | None) -> Record | None:
    """The keyed record of a line; None when it is none."""
    cells = _text(line) if line is not None else None
    if cells is None or len(cells) != len(COLUMNS) or not all(cells[:3]) or not cells[0].isdecimal():
        return None
    try:
        first, last = (date.fromisoformat(cell) if cell else None for cell in cells[3:])
    except ValueError:
        return None
    if first and last and last < first:
        return None
    return *authority_keys(int(cells[0]), narrow(cells[1]).upper(), cells[2]), first, last


@transaction.atomic
def _store(records: Iterable[Record]) -> int:
    """Write records that are not there yet; returns how many that were."""
    table = AuthorityRecord._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS incoming "
            "(identity bytea, name bytea, valid_from date, valid_to date) ON COMMIT DROP; TRUNCATE incoming"
        )
        copy_rows("incoming", _INCOMING, records)
        # Ordered, so that two loads of overlapping extracts never wait for each other in a circle.
        cursor.execute(
            f"INSERT INTO {table} (identity, name, valid_from, valid_to) "  # noqa: S608 (no user text)
            "SELECT DISTINCT * FROM incoming ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING"
        )
        return int(cursor.rowcount)
