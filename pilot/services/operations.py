"""What whoever runs the portal has to know at once: the timetable stands still, or tasks were given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from pilot import clock
from pilot.services import outbox

SILENT_AFTER: Final = timedelta(minutes=3)
STARTED: Final = clock.security_now()


def _pulse() -> Path:
    return Path(settings.VAR) / "run" / "pulse"


def beat() -> None:
    """The timetable sent this, and a worker runs it: both are alive."""
    _pulse().parent.mkdir(parents=True, exist_ok=True)
    _pulse().touch()


def is_silent() -> bool:
    """Whether no pulse came for three minutes (of one that never came: since this process started)."""
    try:
        last = datetime.fromtimestamp(_pulse().stat().st_mtime, UTC)
    except FileNotFoundError:
        last = STARTED
    return clock.security_now() - last > SILENT_AFTER


def alarms() -> list[str]:
    """Names of what is wrong: ``timetable``, ``tasks``."""
    return ["timetable"] * is_silent() + ["tasks"] * outbox.given_up().exists()


def in_words() -> list[str]:
    """What is wrong, for the system administrator; nothing when all is well."""
    found = []
    if is_silent():
        found.append(_("定时任务已超过 3 分钟没有运行，请检查后台进程"))
    if count := outbox.given_up().count():
        found.append(_("%(n)s 项后台任务连续失败 3 次，已停止重试，请运维人员处理") % {"n": count})
    return found
