"""What a filled-in form holds, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from applications.rules.prefill import Found


@dataclass(frozen=True, slots=True)
class Unread:
    """A field that cannot be read: what stands there, and why it cannot, in words."""

    text: str
    reason: str


@dataclass(slots=True)
class FormFile:
    """``values`` by field key; ``marker`` says which form and edition the file was made from, if it still does."""

    marker: str = ""
    values: dict[str, Found | Unread] = field(default_factory=dict)

    def add(self, key: str, value: Found | Unread) -> None:
        """Keep a value. A field that stands in two places must say the same in both, or nothing in one."""
        present = self.values.get(key)
        if present is None or is_empty(present):
            self.values[key] = value
        elif not is_empty(value) and value != present:
            self.values[key] = Unread(f"{text_of(present)} / {text_of(value)}", _("文件中有两处，内容不一致"))


def is_empty(value: Any) -> bool:
    """Whether nothing stands there."""
    return value is None or value == frozenset() or (isinstance(value, str) and not value.strip())


def text_of(value: Any) -> str:
    """What stands in a file, as it can be shown."""
    if isinstance(value, Unread):
        return value.text
    shown = "、".join(sorted(value)) if isinstance(value, frozenset) else str(value)
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in shown)[:200]


type Labels = Mapping[str, str]
"""Bare label → field key."""
