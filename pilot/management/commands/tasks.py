"""``manage.py tasks [--again]``: the background tasks that were given up after three tries."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.timezone import localtime

from pilot.services import outbox


class Command(BaseCommand):
    help = (
        "列出连续失败、已停止重试的后台任务 / list the tasks that were given up; --again has them tried again"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--again", action="store_true", help="重新执行 / try them again")

    def handle(self, *args: Any, **options: Any) -> None:
        for row in outbox.given_up():
            when = f"{localtime(row.cancelled_at):%Y-%m-%d %H:%M:%S}"
            self.stdout.write(f"{row.pk}  {when}  {row.target}  {row.payload}  {row.last_error}")
        if options["again"]:
            count = outbox.try_again()
            self.stdout.write(f"{count} 项将重新执行 / tried again: {count}")
