"""``manage.py draw_sample``: the draw that anybody can repeat. It calculates; transitions make an inspection."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.accuracy import sampling
from filings.selectors import counting
from filings.services import figures
from pilot.errors import PilotError
from pilot.selectors import register


class Command(BaseCommand):
    """Prints frame, digest and drawn form numbers; exit 1 for an unknown unit or period, or a negative size."""

    help = "Draw a sample of a unit's verification forms of one period from a seed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--unit", required=True, metavar="CODE", help="code of the pilot unit")
        parser.add_argument("--period", required=True, help="2019-06, 2019-06-18 or to-date")
        parser.add_argument("--size", required=True, type=int, help="how many forms to draw")
        parser.add_argument("--seed", required=True, help="the seed, as it was revealed")
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            unit = register.by_code(options["unit"])
            period = figures.read_period(options["period"])
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        frame = list(counting.frame(unit=unit.pk, period=period))
        try:
            drawn = sampling.draw(frame, options["seed"], options["size"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        result = {
            "frame_size": len(frame),
            "frame_digest": sampling.frame_digest(frame),
            "seed": options["seed"],
            "size": len(drawn),
            "form_nos": list(drawn),
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        self.stdout.write(f"{result['frame_size']}  {result['frame_digest']}")
        self.stdout.write("\n".join(drawn))
