#!/usr/bin/env python3
"""Run one command of the portal; on a bare machine make it runnable first (``pilot/bootstrap.py``)."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def _bootstrap() -> None:
    # Loaded by path: the package `pilot` imports Celery, which a bare machine does not have yet.
    spec = importlib.util.spec_from_file_location("pilot_bootstrap", ROOT / "pilot" / "bootstrap.py")
    if spec is None or spec.loader is None:
        sys.exit("pilot/bootstrap.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ensure(ROOT, sys.argv)


def main() -> None:
    if os.environ.get("PILOT_BOOTSTRAP") != "0":
        _bootstrap()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilot.settings")
    from pilot import console, embedded, keyring

    try:
        embedded.hold_for_command(sys.argv)
        console.run(sys.argv)
    except (embedded.EmbeddedError, keyring.SecretError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
