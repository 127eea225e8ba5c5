"""``manage.py reconcile_national``: a unit's forms of a month against the national system's answers."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.selectors import national
from filings.services.national import reference_of
from pilot.actors import Actor
from pilot.errors import PilotError
from pilot.selectors import register


class Command(BaseCommand):
    """Prints counts and both lists; exit 1 for an unknown unit or a month that is none."""

    help = "Forms without national receipt and receipts without form, for a unit and month."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--unit", required=True, metavar="CODE", help="code of the pilot unit")
        parser.add_argument("--month", required=True, help="2019-06")
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        month = national.month_of(options["month"])
        if month.name != options["month"]:
            raise CommandError("月份应写作 2019-06 的形式")
        try:
            unit = register.by_code(options["unit"])
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        scope = national.Scope(Actor.system("reconcile_national"), unit, month)
        forms = list(national.without_receipt(scope).values_list("form_no", flat=True))
        receipts = [
            {
                "file": one.file.name,
                "row": one.row,
                "operation": one.operation,
                "reference": reference_of(one),
                "at": one.at.isoformat(),
            }
            for one in national.without_form(scope)
        ]
        counts = national.counts(scope)
        if options["json"]:
            result = {
                "unit": unit.code,
                "month": month.name,
                "counts": counts,
                "forms_without_receipt": forms,
                "receipts_without_form": receipts,
            }
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        self.stdout.write(
            "  ".join([unit.code, month.name, *(f"{key}: {value}" for key, value in counts.items())])
        )
        for form_no in forms:
            self.stdout.write(f"无回执  {form_no}")
        for one in receipts:
            self.stdout.write(f"无核验单  {one['reference']}  {one['file']} 第 {one['row']} 条")
