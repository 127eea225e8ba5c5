"""What a browser calls itself, in two words for people. Pure; nothing is decided by it."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from pilot.ui import Folded

# The first mark that occurs names it: many browsers also name those they are made from.
BROWSERS: Final = (
    ("MicroMessenger", "WeChat"),
    ("QQBrowser", "QQBrowser"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Version", "Safari"),
)
SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def in_words(user_agent: str) -> str:
    """``Chrome 120 · Windows``; what cannot be told is left out, and without any of it the browser is unknown."""
    browser = next(
        (
            f"{name} {found[1]}"
            for mark, name in BROWSERS
            if (found := re.search(rf"{mark}/(\d+)", user_agent))
        ),
        "",
    )
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return " · ".join(filter(None, [browser, system])) or _("未识别的浏览器")


def folded(user_agent: str) -> Folded | None:
    """The two words with all that the browser said behind them."""
    return Folded(in_words(user_agent), user_agent) if user_agent else None
