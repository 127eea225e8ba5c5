"""``manage.py register``: the pilot units."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from pilot import clock
from pilot.actors import Actor
from pilot.selectors import register


class Command(BaseCommand):
    """Prints code, national id, name, province and present status of every unit."""

    help = "List the pilot units: code, name, province, status."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        rows: Any = register.units(Actor.system("register"), at=clock.now())  # with their status as of now
        units = [
            {
                "code": unit.code,
                "national_id": unit.national_id,
                "name": unit.organisation.name,
                "province": unit.get_province_display(),
                "status": unit.status,
            }
            for unit in rows
        ]
        if options["json"]:
            self.stdout.write(json.dumps(units, ensure_ascii=False))
            return
        for unit in units:
            self.stdout.write("  ".join(str(value) for value in unit.values()))
