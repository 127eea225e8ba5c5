"""A Celery worker of its own process: ``python worker.py DATABASE QUEUE``.

It works on the test's database, and takes only what the test's process sends to its queue.
"""

from __future__ import annotations

import os
import sys


def main(database: str, queue: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    from pilot.celery import app

    app.conf.task_routes = {"*": {"queue": queue}}  # what it sends itself comes back to it
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    app.worker_main(["worker", "--pool", "solo", "--queues", queue, *quiet])


if __name__ == "__main__":
    main(*sys.argv[1:])
