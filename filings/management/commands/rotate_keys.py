"""``manage.py rotate_keys``: wrap everything anew under the newest master key, and tell which old keys may go."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.services import rotation
from pilot.actors import Actor
from pilot.errors import PilotError


class Command(BaseCommand):
    """Exit 1, and nothing changed, when a master key that is still needed was removed too early."""

    help = "Wrap data keys and secrets anew under the newest master key; no form is rewritten."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = rotation.rotate_keys(actor=Actor.system("rotate_keys"))
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        for name, facts in result.items():
            for fact, value in facts.items():
                self.stdout.write(f"{name}.{fact}: {value}")
