"""``manage.py gallery``: pictures of every page and role of a running demonstration, for ``docs/gallery``."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from pilot.demo import gallery


class Command(BaseCommand):
    help = "Take pictures of every page of a running demonstration (manage.py demo), as every role."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default=settings.PILOT_SITE, help="where the demonstration is served")
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / "docs" / "gallery")
        parser.add_argument(
            "--width", type=int, action="append", choices=list(gallery.WIDTHS), help="default: 1366"
        )
        parser.add_argument(
            "--role", action="append", choices=list(gallery.PEOPLE), help="default: all of them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        widths = tuple(options["width"] or [gallery.FIRST])
        taken = gallery.take(
            options["url"],
            folder=options["folder"],
            widths=widths,
            roles=tuple(options["role"] or gallery.PEOPLE),
            say=self.stderr.write,
        )
        for fault in sorted(set(taken.faults)):
            self.stdout.write(fault)
        self.stdout.write(f"{len(taken.taken)} pages, {len(set(taken.faults))} faults")
