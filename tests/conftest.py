"""The session's own ``PILOT_VAR`` with its servers, made before Django reads its settings; the browser.

``PILOT_TEST_VAR`` names a folder to keep between runs (with ``--reuse-db`` that saves the migrations).
"""

import atexit
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilot import embedded

BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
# Under xdist the controller prepares everything; its workers inherit the environment.
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ


def _fontconfig(folder: Path) -> Path:
    """A fontconfig file that knows the installed Chinese fonts and no others: the same glyphs everywhere."""
    wheel = importlib.util.find_spec("pylopdf_fonts_zh_cn")
    assert wheel is not None
    assert wheel.origin is not None
    file, fonts, cache = folder / "fonts.conf", Path(wheel.origin).parent, folder / "fontcache"
    file.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>",
        encoding="utf-8",
    )
    return file


def _prepare() -> None:
    from django.conf import settings

    if settings.configured:
        raise pytest.UsageError(
            "unset DJANGO_SETTINGS_MODULE: the tests choose their PILOT_VAR before the settings load"
        )
    kept = os.environ.get("PILOT_TEST_VAR")
    var = Path(kept or tempfile.mkdtemp(prefix="pilot-test-")).resolve()
    var.mkdir(parents=True, exist_ok=True)
    var.chmod(0o711)  # as root the server may run as `nobody`, who has to pass
    os.environ |= {
        "PILOT_VAR": str(var),
        "PILOT_TEST_NO_FSYNC": "1",
        "FONTCONFIG_FILE": str(_fontconfig(var)),
        # Playwright's synchronous API runs an event loop in the test's thread, where Django refuses queries.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    }
    if not kept:
        atexit.register(_remove, var, os.getpid())
    embedded.hold(
        var, postgres=not os.environ.get("DATABASE_URL"), broker=not os.environ.get("CELERY_BROKER_URL")
    )


def _remove(var: Path, owner: int) -> None:
    if os.getpid() == owner:  # a child forked by a test runs the same exit handlers
        embedded.stop_servers(var)
        shutil.rmtree(var, ignore_errors=True)


if not IS_WORKER:
    _prepare()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the settings only now that all they read is in the environment (so not in pyproject.toml)."""
    import django
    from django.conf import settings

    os.environ["DJANGO_SETTINGS_MODULE"] = "pilot.settings"
    assert settings.DATABASES  # reads them; pytest-django sets Django up where it finds them read
    django.setup()
    config.pluginmanager.import_plugin("tests.factories.fixtures")  # names models, so only now


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that are given longest: begun last, one would go on alone when all others are done."""

    def given(item: pytest.Item) -> float:
        marker = item.get_closest_marker("timeout")
        return marker.args[0] if marker else 0.0

    items.sort(key=given, reverse=True)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium, which asks nothing of the network on its own."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    return browser_type_launch_args | {
        "executable_path": program,
        "args": [
            "--no-sandbox",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--disable-quic",
        ],
    }


@pytest.fixture(autouse=True)
def _chinese_first() -> Iterator[None]:
    """Every test begins in the portal's language: a page asked for in English leaves its thread in English.

    Left at the end as well, for what the next module builds before its first test.
    """
    from django.utils import translation

    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _no_console_log() -> None:
    """The console handler writes to the error stream of the moment it was made; pytest closes that one.

    Removed before every test, since one that runs a command sets logging up anew.
    """
    import logging

    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if type(handler) is logging.StreamHandler]:
        root.removeHandler(handler)
