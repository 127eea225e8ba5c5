"""``manage.py restore DIR``: put a backup back, after checking all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pilot import console
from pilot.services import backups, restoring


class Command(BaseCommand):
    """Exit 1 when the backup, its keys or the portal are not fit for it; the reason is on stderr."""

    help = "Check a backup and put it into this portal, which has to be empty and stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="a folder that `backup` made")
        parser.add_argument("--check", action="store_true", help="only check the backup; change nothing")
        parser.add_argument("--force", action="store_true", help="replace what the portal holds")
        parser.add_argument("--reason", default="", help="why; goes on record")
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        source = options["directory"].absolute()
        try:
            if options["check"]:
                manifest, seal = restoring.check(source)
                result = {
                    "made_at": manifest["made_at"],
                    "manifest_sha256": seal,
                    "files": len(manifest["files"]),
                }
            else:
                result = restoring.restore(
                    source=source, actor=console.operator(), force=options["force"], reason=options["reason"]
                )
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        for name, value in result.items():
            self.stdout.write(f"{name}: {value}")
