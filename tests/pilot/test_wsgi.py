"""A process that serves sets aside what is loaded before its first request or task."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

PROBE = """
import gc
import pilot.wsgi
from django.template import engines
(cached,) = engines["django"].engine.template_loaders
print(len(cached.get_template_cache), gc.get_freeze_count() > len(gc.get_objects()))
"""


def test_templates_are_loaded_and_set_aside_before_the_first_request(settings: Any) -> None:
    (folder,) = settings.TEMPLATES[0]["DIRS"]
    answer = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == [str(len(list(Path(folder).rglob("*.html")))), "True"]


WORKER = """
import gc
from celery.signals import worker_process_init
import pilot.celery
worker_process_init.send(sender=None)
print(gc.get_freeze_count() > len(gc.get_objects()), gc.get_threshold())
"""


def test_a_worker_sets_aside_what_is_loaded_before_its_first_task(settings: Any) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", WORKER], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "True (50000, 20, 100)"
