"""``manage.py test [pytest arguments]``: the test suite, with a ``PILOT_VAR`` of its own."""

import os
import sys
from collections.abc import Sequence

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "运行测试，参数原样交给 pytest / the test suite; arguments go to pytest"
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Become pytest, with everything after ``test`` as it stands."""
        # tests/conftest.py chooses the settings after it has made the PILOT_VAR that they read.
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        os.chdir(settings.BASE_DIR)
        os.execve(sys.executable, [sys.executable, "-m", "pytest", *pytest_arguments(argv[2:])], environment)  # noqa: S606


def pytest_arguments(given: Sequence[str]) -> list[str]:
    """``given``, with two processes and ``-m "not slow"`` before it unless it chooses processes or markers.

    A process that is done takes over from the other: with tests of minutes beside tests of milliseconds, one would
    otherwise often work alone at the end.
    """
    defaults: list[str] = []
    if not any(word.startswith(("-n", "--numprocesses", "--pdb")) for word in given):
        defaults += ["-n", "2", "--dist", "worksteal"]
    if not any(word.startswith("-m") for word in given):
        defaults += ["-m", "not slow"]
    return [*defaults, *given]
