"""One provider after the other uploads its files and hands in, each in a process of its own that may be killed.

``python killed_writer.py DATABASE MEDIA VAR KILLS SEED``: every process but the first is killed with ``kill -9`` at a
random moment of what the first one needed. Prints how many were killed and how many came to their end as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

PIECES = 2  # of every file


def main(database: str, media: str, var: str, kills: str, seed: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    settings.MEDIA_ROOT, settings.VAR = Path(media), Path(var)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    import django

    django.setup()
    sys.stdout.write(json.dumps(run(int(kills), Random(int(seed)))))  # noqa: S311


def run(kills: int, dice: Random) -> dict[str, Any]:
    """The first one whole, to see how long it takes; then the others until so many were killed."""
    from django.db import connection

    from pilot.enums import Role
    from tests.factories import world

    reviewer = world.bureau(Role.BUREAU_REVIEWER)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    ended = {"killed": 0, "whole": 0}
    span = 0.0
    while ended["killed"] < kills:
        provider = world.provider()
        connection.close()  # what is forked has to have a connection of its own
        began = time.monotonic()
        child = os.fork()
        if not child:
            write(provider, reviewer)
            os._exit(0)
        if span:
            signal.sigtimedwait([signal.SIGCHLD], dice.uniform(0, span))
            os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        signal.sigtimedwait([signal.SIGCHLD], 0)
        if os.WIFSIGNALED(status):
            ended["killed"] += 1
            continue
        if status:
            raise RuntimeError(f"a writer failed: {status}")
        ended["whole"] += 1
        span = span or time.monotonic() - began
    return ended


def write(provider: Any, reviewer: Any) -> None:
    """What a provider does from the first file to the receipt, and the bureau's letter of acceptance."""
    from applications.documents import make_receipt
    from applications.models import ApplicationVersion
    from applications.rules.completeness import REQUIRED_FILES
    from applications.services import uploads
    from applications.services.drafts import save_draft, start_application
    from pilot.workflow import fire
    from tests.applications import builders

    case = start_application(actor=provider)
    save_draft(case=case, actor=provider, revision=0, **builders.content_of(provider))
    for kind in REQUIRED_FILES:
        body = builders.pdf(f"{kind} {case.pk}")
        upload = uploads.begin(case=case, actor=provider, kind=kind, name=f"{kind}.pdf", size=len(body))
        step = -(-len(body) // PIECES)
        for offset in range(0, len(body), step):
            piece = body[offset : offset + step]
            upload = uploads.append(upload=upload, actor=provider, offset=offset, chunk=piece)
        uploads.finish(upload=upload, actor=provider)
    case = fire(case, "submit", actor=provider, declaration=True)
    make_receipt(version_id=ApplicationVersion.unscoped.get(application=case).pk)
    fire(case, "accept", actor=reviewer)


if __name__ == "__main__":
    main(*sys.argv[1:])
