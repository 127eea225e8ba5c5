"""``manage.py destroy_month``: destroy the content of a unit's month after its retention period."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.services import retention
from pilot.actors import Actor
from pilot.errors import PilotError
from pilot.selectors import register


class Command(BaseCommand):
    """Exit 0: destroyed (or listed); 1: refused, every reason on stderr. It cannot be undone."""

    help = "Destroy the content of a pilot unit's month for good: forms, pictures, refused rows, free text."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--unit", required=True, metavar="CODE", help="code of the pilot unit")
        parser.add_argument("--month", required=True, metavar="2019-06", help="month of receipt")
        parser.add_argument("--reason", default="", help="why; goes on record")
        parser.add_argument("--force", action="store_true", help="before the retention period is over")
        parser.add_argument("--list", action="store_true", help="only tell what would go and what forbids it")
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            unit = register.by_code(options["unit"])
            month = retention.UnitMonth.of(unit, options["month"])
            result = _listing(month, options["force"]) if options["list"] else _destroy(month, options)
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        self.stdout.write(f"{result['unit']}  {result['month']}  {result.get('destroyed_at', '')}")
        for kind, number in result["swept"].items():
            self.stdout.write(f"{kind}: {number}")
        for reason in result.get("obstacles", ()):
            self.stdout.write(f"! {reason}")


def _listing(month: retention.UnitMonth, force: bool) -> dict[str, Any]:
    return {
        "unit": month.unit.code,
        "month": month.name,
        "swept": retention.inventory(month),
        "obstacles": retention.obstacles(month, force=force),
    }


def _destroy(month: retention.UnitMonth, options: dict[str, Any]) -> dict[str, Any]:
    done = retention.destroy_month(
        actor=Actor.system("destroy_month"), month=month, reason=options["reason"], force=options["force"]
    )
    retention.scrub()
    return done
