"""``manage.py accuracy``: the figures of one unit over one period."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.services import comparison, figures
from pilot.errors import PilotError
from pilot.selectors import register


class Command(BaseCommand):
    """Prints the figures after comparing what is still pending; exit 1 for an unknown unit or period."""

    help = "Accuracy of one pilot unit over a month, a day or to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--unit", required=True, metavar="CODE", help="code of the pilot unit")
        parser.add_argument("--period", required=True, help="2019-06, 2019-06-18 or to-date")
        parser.add_argument("--recount", action="store_true", help="count from the forms and keep the result")
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            unit = register.by_code(options["unit"])
            period = figures.read_period(options["period"]).name
            comparison.compare_everything(unit=unit)
            if options["recount"]:
                figures.compute_results(unit=unit, period=period)
            result = figures.figures(unit=unit, period=period, recount=options["recount"])
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(json.dumps(result, ensure_ascii=False) if options["json"] else _table(result))


def _table(result: dict[str, Any]) -> str:
    lines = [f"{result['unit']}  {result['period']}  {result['as_of']}  {result['rule_version']}"]
    for key in ("m1", "m2"):
        figure = result[key]
        lines.append(
            f"{key.upper()}  {figure['shown']}  {figure['errors']} / {figure['n']}  met: {figure['met']}"
        )
    rest = ("pending", "undeterminable", "refused", "duplicates", "late")
    lines.append("  ".join(f"{key}: {result[key]}" for key in rest))
    return "\n".join(lines)
