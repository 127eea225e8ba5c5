"""Browser windows on a running portal; a page that complains on the console fails the test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

ROOT = Path(__file__).parents[2]
DESKTOP = {"width": 1366, "height": 768}


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What pages wrote to the console or what broke in them; empty at the end of every test."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def window(browser: Browser, live_server: Any, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Open a browser window of its own (own cookies) on the portal. The browser itself speaks English."""
    opened = []

    def listen(message: ConsoleMessage) -> None:
        # A page that is itself an error (404, 422) is told on the console; that is no fault of the page.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            complaints.append(f"{message.location['url']}: {message.text}")

    def open_window(**options: Any) -> Page:
        chosen = {"viewport": DESKTOP, "locale": "en-US", "timezone_id": "Asia/Shanghai", **options}
        context = browser.new_context(base_url=live_server.url, **chosen)
        opened.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        return page

    yield open_window
    for context in opened:
        context.close()


@pytest.fixture
def sign_in(window: Callable[..., Page]) -> Callable[..., Any]:
    """A person signed in through the login page, with a window of his or her own."""
    from tests.browser.visitor import Visitor

    return lambda actor, **options: Visitor(window(**options)).sign_in(actor)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """A running Celery worker on the test's database, on a queue of its own."""
    from django.db import connection

    from pilot.celery import app

    database = connection.settings_dict["NAME"]
    queue = f"browser-{database}"
    app.conf.task_routes = {"*": {"queue": queue}}
    app.amqp.flush_routes()
    app.amqp.__dict__.pop("router", None)  # made once from the routes as they were
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), database, queue]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    yield
    process.terminate()
    process.wait(timeout=30)
    app.conf.task_routes = None
    app.amqp.flush_routes()
    app.amqp.__dict__.pop("router", None)
