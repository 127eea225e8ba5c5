"""``manage.py verify_audit [--heads FILE]``: recompute the audit chain and compare it with heads kept elsewhere."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pilot.services import audit


class Command(BaseCommand):
    help = "Verify the audit log's hash chain; exit 1 when it is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--heads", type=Path, help="file of kept heads, one 'seq digest' per line")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        heads = self._heads(options["heads"]) or [None]
        for head in heads:
            result = audit.verify(head=head)
            if not result["ok"]:
                break
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self.stdout.write(
                f"entries {result['entries']}, unsealed {result['unsealed']}, head {result['head']['digest'][:16]}"
            )
        if not result["ok"]:
            raise CommandError(result["fault"])

    def _heads(self, path: Path | None) -> list[tuple[int, str] | None]:
        if path is None:
            return []
        try:
            lines = [line.split() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
            return [(int(seq), digest) for seq, digest in lines]
        except (OSError, ValueError) as error:
            raise CommandError(f"{path.name}: {error}") from error
