"""``manage.py verify_audit [--heads FILE]``: recompute the audit log and compare it with heads kept elsewhere."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pilot.services import audit_checks
from pilot.services.audit_checks import KeptHead


class Command(BaseCommand):
    help = "Verify the audit log's hash chain, tree and heads; exit 1 when something is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--heads",
            type=Path,
            help="file of kept heads: JSON or text as the portal hands out, or 'seq digest'",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        result = audit_checks.verify(kept=_heads(options["heads"]) if options["heads"] else ())
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self.stdout.write(
                f"entries {result['entries']}, unsealed {result['unsealed']}, heads {result['heads']}, "
                f"last {result['head']['digest'][:16]}"
            )
        if not result["ok"]:
            raise CommandError(result["fault"])


def _heads(path: Path) -> list[KeptHead]:
    """The heads of a file, in any form in which the portal gave them away."""
    try:
        text = path.read_text(encoding="utf-8")
        if text.lstrip().startswith("{"):
            return [KeptHead(int(h["size"]), h["digest"], h["root"]) for h in json.loads(text)["heads"]]
        rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return [
            KeptHead(int(row[0]), row[1]) if len(row) == 2 else KeptHead(int(row[0]), row[2], row[1])
            for row in rows
        ]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CommandError(f"{path.name}: {error!r}") from error
