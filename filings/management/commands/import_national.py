"""``manage.py import_national``: take in what the national system answered to a unit's uploads."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.services import national
from pilot.actors import Actor
from pilot.errors import PilotError
from pilot.selectors import register


class Command(BaseCommand):
    """Exit 0: taken in, refused records named; 1: refused as a whole, the reason on stderr; 2: wrong usage."""

    help = "Import a file of national answers (V3.0 DownloadData: BAJG and HCJG) for a unit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--unit", metavar="CODE", required=True)
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would become of it, keep nothing"
        )
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as source:
                imported = national.import_national(
                    actor=Actor.system("import_national"),
                    unit=register.by_code(options["unit"]),
                    source=source,
                    name=options["file"].name,
                    dry_run=options["dry_run"],
                )
        except PilotError as refusal:
            raise CommandError(str(refusal.message)) from refusal
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        refused = [{"row": one.row, "message": national.why(one)} for one in imported.refused]
        if options["json"]:
            result = {**asdict(imported.counts), "refused_rows": refused, "ignored": imported.ignored}
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        counts = imported.counts
        self.stdout.write(
            f"共 {counts.rows} 条：上报结果 {counts.receipts}（对应核验单 {counts.matched}，"
            f"无对应 {counts.formless}），审核意见 {counts.reviews}，核查 {counts.checks}"
            f"（转为差错 {counts.findings}），重复 {counts.duplicates}，拒收 {counts.refused}"
            + ("（试算，未保存）" if options["dry_run"] else "")
        )
        for one in refused:
            self.stderr.write(f"  第 {one['row']} 条：{one['message']}")
