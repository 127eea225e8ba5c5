"""``manage.py rotate_keys``: follow new keys, tell which old ones may go; make and forget those the portal keeps."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from filings.services import rotation
from pilot import keyring
from pilot.actors import Actor
from pilot.errors import PilotError

NAMES = [name for name, secret in keyring.MADE.items() if secret.rotates]


class Command(BaseCommand):
    """Exit 1, and nothing changed, when a key that is still needed was or would be removed too early."""

    help = "Wrap data keys and secrets anew under the newest master key; no form is rewritten."

    def add_arguments(self, parser: CommandParser) -> None:
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--new", choices=NAMES, help="make a new version of this key first; then restart")
        act.add_argument(
            "--drop", metavar="NAME:VERSION", help="forget an old version that is needed no more"
        )
        parser.add_argument("--json", action="store_true", help="print JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self._act(options, Actor.system("rotate_keys"))
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        except keyring.SecretError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        for name, facts in result.items():
            for fact, value in facts.items():
                self.stdout.write(f"{name}.{fact}: {value}")

    def _act(self, options: dict[str, Any], actor: Actor) -> dict[str, Any]:
        if name := options["new"]:
            version = rotation.add_version(actor=actor, name=name)
            self.stderr.write("重启门户后再运行 rotate_keys / restart the portal, then run rotate_keys")
            return {name: {"added": version}}
        if options["drop"]:
            name, _colon, number = options["drop"].partition(":")
            if name not in NAMES or not number.isdecimal():
                raise CommandError(f"--drop {'|'.join(NAMES)}:VERSION", returncode=2)
            rotation.drop_version(actor=actor, name=name, version=int(number))
            return {name: {"dropped": int(number)}}
        return rotation.rotate_keys(actor=actor)
