"""``manage.py backup DIR``: the whole portal as a folder, while it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pilot import console
from pilot.services import backups


class Command(BaseCommand):
    """Exit 1, and nothing left behind, when the backup cannot be made whole."""

    help = "Back up database and files into a new folder, with a signed list of all of it; never the keys."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="a folder that is new or empty")
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = backups.make(target=options["directory"].absolute(), actor=console.operator())
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        for name, value in result.items():
            self.stdout.write(f"{name}: {value}")
        self.stdout.write("密钥不在备份中，请另行保存 / the keys are not in it: keep them elsewhere")
