"""``manage.py bench NAME``: measure on a portal made for it; never on the data of this ``PILOT_VAR``."""

# ruff: noqa: S603  (it starts itself)

import json
import subprocess
import sys
from argparse import SUPPRESS
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pilot import benchmarks, embedded
from pilot.benchmarks import portal


class Command(BaseCommand):
    help = "性能测试，使用专门建立、用后即删的门户 / benchmarks, on a portal made for them and removed afterwards"
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
        for name in benchmarks.NAMES:
            module = benchmarks.load(name)
            one = names.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
            one.add_argument("--json", action="store_true")
            one.add_argument("--inside", action="store_true", help=SUPPRESS)
            module.add_arguments(one)

    def handle(self, *args: Any, **options: Any) -> None:
        found = self._inside(options) if options["inside"] else self._outside()
        if options["json"] or options["inside"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        for line in benchmarks.lines(found):
            self.stdout.write(line)

    def _outside(self) -> Any:
        """The same command again in a process that stands on a new ``PILOT_VAR`` from its first line on."""
        words = [word for word in sys.argv[1:] if word != "--json"]
        with portal.fresh_var() as environment:
            done = subprocess.run(
                [sys.executable, str(portal.MANAGE), *words, "--inside"],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
        if done.returncode:
            raise CommandError("测试没有完成 / the benchmark did not finish")
        return json.loads(done.stdout.splitlines()[-1])

    def _inside(self, options: dict[str, Any]) -> Any:
        held = embedded.hold_configured(settings.VAR)
        call_command("migrate", interactive=False, verbosity=0)
        try:
            report = benchmarks.load(options["name"]).run(options)
        finally:
            held.release()
        return report.as_json()
