"""``manage.py stop``: stop whatever runs on this ``PILOT_VAR``."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from pilot import embedded, supervisor


class Command(BaseCommand):
    help = "停止本 PILOT_VAR 上运行的一切 / stop whatever runs on this PILOT_VAR"
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            where = supervisor.stop(settings.VAR)
            servers = embedded.stop_servers(settings.VAR)
        except (supervisor.ServeError, embedded.EmbeddedError) as error:
            raise CommandError(str(error)) from error
        if where:
            self.stdout.write(f"已停止门户 {where} / stopped the portal at {where}")
        if servers:
            self.stdout.write("已停止嵌入式服务器 / stopped the embedded servers")
        if not where and not servers:
            self.stdout.write(f"{settings.VAR}：没有在运行的服务 / nothing runs here")
