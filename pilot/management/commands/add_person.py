"""``manage.py add_person``: give a person of the ministry, a bureau or an agency a login (first set-up)."""

from __future__ import annotations

import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from pilot import clock, keyring
from pilot.actors import Actor
from pilot.enums import ROLES_OF_KIND, OrganisationKind, Role
from pilot.errors import PilotError
from pilot.models import Organisation
from pilot.services import people


class Command(BaseCommand):
    help = "Add a person with a role. The password is asked for, or read from PILOT_NEW_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("name")
        parser.add_argument("role", choices=[str(role) for role in Role if role != Role.SYSTEM])
        parser.add_argument("--province", type=int, help="two-digit code of the bureau's province, e.g. 44")
        parser.add_argument("--organisation", help="name of the agency or provider")
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = self._organisation(options)
        password = keyring.configured("PILOT_NEW_PASSWORD") or getpass.getpass("密码 / password: ")
        try:
            validate_password(password)
            people.add_person(
                actor=Actor.system("add_person"),
                username=options["username"],
                name=options["name"],
                password=password,
                organisation=organisation,
                role=options["role"],
                valid_from=clock.now(),
                email=options["email"],
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except PilotError as error:
            raise CommandError(str(error.message)) from error
        except IntegrityError as error:
            raise CommandError(f"登录名 {options['username']} 已存在 / this login exists") from error
        self.stdout.write(f"{options['name']} · {organisation} · {Role(options['role']).label}")

    def _organisation(self, options: dict[str, Any]) -> Organisation:
        """The organisation the role belongs to: the ministry, a bureau by province, or one by name."""
        kind = next(kind for kind, roles in ROLES_OF_KIND.items() if Role(options["role"]) in roles)
        rows = Organisation.objects.filter(kind=kind)
        if kind == OrganisationKind.BUREAU:
            rows = rows.filter(province=options["province"])
        elif kind != OrganisationKind.MINISTRY:
            rows = rows.filter(name=options["organisation"])
        organisation = rows.first()
        if organisation is None and kind == OrganisationKind.AGENCY and options["organisation"]:
            return people.add_organisation(
                actor=Actor.system("add_person"), kind=kind, name=options["organisation"]
            )
        if organisation is None:
            raise CommandError("没有这个单位，请先安装试点项目或检查参数 / no such organisation")
        return organisation
