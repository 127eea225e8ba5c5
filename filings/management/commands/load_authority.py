"""``manage.py load_authority``: take in the authority's extract and compare what it settles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.services import authority, comparison
from pilot.actors import Actor
from pilot.errors import PilotError

SHOWN_LINES = 20


class Command(BaseCommand):
    """Exit 0: loaded, bad lines named; 1: no extract at all, the reason on stderr; 2: wrong usage."""

    help = "Load an authority extract (CSV) and compare the forms it settles."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as source:
                extract = authority.load_authority(source=source, actor=Actor.system("load_authority"))
        except PilotError as refusal:
            raise CommandError(str(refusal.message)) from refusal
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        compared = comparison.compare_pending() + comparison.compare_again()
        if options["json"]:
            result = {
                "rows": extract.rows,
                "loaded": extract.loaded,
                "bad_lines": extract.bad_lines,
                "compared": compared,
            }
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(f"共 {extract.rows} 行，新增 {extract.loaded} 条，比对 {compared} 份")
        if extract.bad_lines:
            shown = "、".join(map(str, extract.bad_lines[:SHOWN_LINES]))
            self.stderr.write(f"{len(extract.bad_lines)} 行不是有效记录：第 {shown} 行")
