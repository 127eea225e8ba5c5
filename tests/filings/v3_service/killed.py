"""A web process for the crash tests: ``python killed.py DATABASE WHERE ENVELOPE`` takes one call and kills itself.

``before`` the acceptance commits, or ``after``: then nobody gets the answer.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any


def main(database: str, where: str, envelope: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from django.test import Client

    from filings.soap import views

    def die(*_args: Any, **_kwargs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    if where == "before":
        from filings.services import v3_calls

        v3_calls.record = die
    else:
        views.Answer.as_xml = die
    Client().generic(
        "POST", "/ISPWebService/upDownLoad", Path(envelope).read_bytes(), "text/xml; charset=utf-8"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
