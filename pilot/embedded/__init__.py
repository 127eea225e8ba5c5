"""PostgreSQL and the Celery broker from installed wheels, run under ``PILOT_VAR``: no system server needed.

A process *holds* the servers it needs through a shared lock; a keeper process runs each server exactly while
somebody holds it, so that the last holder's end, even by a crash, stops it. No Django in here.
"""

from pilot.embedded.account import environment
from pilot.embedded.errors import EmbeddedError
from pilot.embedded.holding import Held, hold, hold_configured, hold_for_command, stop_servers, var_folder
from pilot.embedded.layout import Layout, broker_url, postgres_settings
from pilot.embedded.postgres import installed
from pilot.embedded.processes import FileLock, die_with_parent, wait_until

__all__ = [
    "EmbeddedError",
    "FileLock",
    "Held",
    "Layout",
    "broker_url",
    "die_with_parent",
    "environment",
    "hold",
    "hold_configured",
    "hold_for_command",
    "installed",
    "postgres_settings",
    "stop_servers",
    "var_folder",
    "wait_until",
]
