"""``manage.py serve``: web, worker and beat of one machine, until Ctrl-C or SIGTERM."""

import contextlib
import os
import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from pilot import embedded, supervisor


class Command(BaseCommand):
    help = "在本机运行门户：网站、后台任务与定时任务 / web, worker and beat on this machine"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PILOT_PORT", "8000")))
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        layout = embedded.Layout.of(settings.VAR)
        claim = supervisor.Claim(layout)
        try:
            layout.prepare()
            claim.take()
            with supervisor.listen(options["host"], options["port"]) as listener:
                where = supervisor.address(listener)
                claim.describe(where)
                self._run(layout, where, listener)
        except (supervisor.ServeError, embedded.EmbeddedError) as error:
            raise CommandError(str(error)) from error
        finally:
            claim.release()

    def _run(self, layout: embedded.Layout, where: str, listener: socket.socket) -> None:
        held = embedded.hold_configured(layout.var)
        self._say("正在准备数据库……", "preparing the database")
        call_command("migrate", interactive=False, verbosity=0)
        connections.close_all()  # the children have connections of their own
        family = supervisor.Supervisor(
            supervisor.programs(layout, listener=listener, held=held), held=held, say=self._say
        )
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(signum) is not signal.SIG_IGN:  # under nohup a hang-up is to be ignored
                signal.signal(signum, lambda *_: family.asked_to_stop.set())
        family.run(where=where)
        held.release()

    def _say(self, chinese: str, english: str) -> None:
        # Where this goes may be a full disk: the portal goes on, and can be stopped.
        with contextlib.suppress(OSError):
            self.stdout.write(f"{chinese} / {english}")
            self.stdout.flush()
