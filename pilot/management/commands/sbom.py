"""``manage.py sbom``: the software bill of materials, CycloneDX JSON."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pilot import clock, sbom


class Command(BaseCommand):
    """Prints a summary, or with ``--json`` the list; ``--output`` writes the list to a file."""

    help = "List every package the portal is made of, with versions, hashes, licences and dependencies."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, metavar="FILE", help="write the list into this file")
        parser.add_argument("--json", action="store_true", help="print the list itself, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        made_at = clock.security_now().replace(microsecond=0).isoformat()
        found = sbom.document(sbom.Inventory(), made_at=made_at)
        text = json.dumps(found, ensure_ascii=False, indent=1)
        if options["output"]:
            try:
                options["output"].write_text(f"{text}\n", encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{options['output']}: {error.strerror}") from error
        if options["json"]:
            self.stdout.write(text)
            return
        scopes = Counter(component["scope"] for component in found["components"])
        self.stdout.write(f"{found['bomFormat']} {found['specVersion']} {found['serialNumber']}")
        self.stdout.write(f"运行所需 / needed: {scopes['required']}")
        self.stdout.write(f"仅用于测试和检查 / for tests and checks only: {scopes['excluded']}")
