"""``manage.py gallery``: pictures of every page and role of the demonstration, for ``docs/gallery``."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from pilot.benchmarks import portal
from pilot.demo import gallery

FORMS = 50  # per unit: enough for lists with pages


class Command(BaseCommand):
    help = "Take pictures of every page of the demonstration, as every role and at every stage of the pilot."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", help="where a demonstration is served; else one is made, stage by stage")
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / "docs" / "gallery")
        parser.add_argument(
            "--width", type=int, action="append", choices=list(gallery.WIDTHS), help="default: 1366"
        )
        parser.add_argument(
            "--role", action="append", choices=list(gallery.PEOPLE), help="default: all of them"
        )
        parser.add_argument(
            "--stage", action="append", choices=list(gallery.STAGES), help="default: all of them"
        )
        parser.add_argument("--whole", action="store_true", help="pages to their end, not the first screen")

    def handle(self, *args: Any, **options: Any) -> None:
        pictures = gallery.Gallery(
            options["folder"],
            tuple(options["width"] or [gallery.FIRST]),
            tuple(options["role"] or gallery.PEOPLE),
            options["whole"],
        )
        if options["url"]:
            gallery.take(pictures, options["url"], say=self.stderr.write)
        else:
            for stage in options["stage"] or gallery.STAGES:
                call_command("demo", stage=stage, forms=FORMS, no_serve=True, stdout=self.stderr)
                with portal.web_alone(settings.VAR) as url:
                    gallery.take(pictures, url, stage=stage, say=self.stderr.write)
        for fault in sorted(set(pictures.faults)):
            self.stdout.write(fault)
        names = {name for _role, name in pictures.taken}
        self.stdout.write(f"{len(names)} pages, {len(set(pictures.faults))} faults")
