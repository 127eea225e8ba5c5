"""``manage.py install_programme [CODE]``: enter a programme from its data file."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pilot.actors import Actor
from pilot.errors import PilotError
from pilot.services import programmes


class Command(BaseCommand):
    help = "Install a programme (windows, conditions, rules, calendar, bureaus) from its data file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", nargs="?", default="2019-87")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            programme = programmes.install(code=options["code"], actor=Actor.system("install_programme"))
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(f"{programme.number} {programme.title}")
