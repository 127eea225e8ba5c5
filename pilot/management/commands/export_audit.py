"""``manage.py export_audit FILE --reason WORDS [--since DAY] [--until DAY]``: the audit log as NDJSON, .gz packed."""

import json
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pilot.console import operator
from pilot.rules import SHANGHAI
from pilot.services import audit_exports


class Command(BaseCommand):
    """Prints how many entries were written; the export is on record with whoever runs it and why."""

    help = "Write the audit log to a file that docs/verify_audit.py verifies."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--reason", required=True)
        parser.add_argument("--since", type=_day, help="first day, YYYY-MM-DD")
        parser.add_argument("--until", type=_day, help="last day, YYYY-MM-DD")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        until = options["until"]
        found = audit_exports.begin(
            actor=operator(),
            reason=options["reason"],
            since=options["since"],
            until=until + timedelta(days=1) if until else None,
        )
        parts = audit_exports.lines(found)
        path: Path = options["file"]
        try:
            with path.open("xb") as file:
                file.writelines(audit_exports.gzipped(parts) if path.suffix == ".gz" else parts)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        result = {"first": found.first, "rows": found.rows}
        self.stdout.write(
            json.dumps(result) if options["json"] else f"{found.rows} entries from {found.first}"
        )


def _day(text: str) -> datetime:
    """The beginning of a day of Asia/Shanghai. Raises ValueError for what is none."""
    return datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(), SHANGHAI)  # noqa: DTZ007
