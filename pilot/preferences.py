"""How pages look to a reader: what this browser was told (cookies), else what the account keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

# Each choice is the cookie "ui-<name>" and, while it is on, the class "<name>-<value>" of the page. A cookie with any
# other value says that it was switched off here.
CHOICES: Final[Mapping[str, str]] = {
    "menu": "folded",
    "density": "compact",
    "text": "large",
    "contrast": "more",
}
BROWSER_ONLY: Final = frozenset({"menu"})  # whether there is room for it differs from machine to machine


def of_account(classes: Sequence[str]) -> list[str]:
    """Those of the classes that are choices an account keeps; anything else is dropped."""
    known = [f"{name}-{value}" for name, value in CHOICES.items() if name not in BROWSER_ONLY]
    return [name for name in known if name in classes]


def of_request(request: Any) -> list[str]:
    """The class names of a page.

    The browser comes first: its cookie holds at once, while the account learns of a switch a moment later.
    """
    if request is None:
        return []
    kept = request.user.display if getattr(request, "actor", None) else ()
    return [
        f"{name}-{value}"
        for name, value in CHOICES.items()
        if request.COOKIES.get(f"ui-{name}", value if f"{name}-{value}" in kept else "") == value
    ]
