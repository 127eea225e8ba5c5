"""Markup out of text: what is no markup by itself is escaped.

``format_html`` and its like as Django has them, without their detours: a page is made of some thousand parts.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape

from django.utils.safestring import SafeString


def escaped(text: object) -> SafeString:
    """The text, in which nothing is markup; what is markup by itself stays as it is."""
    text = str(text)
    return text if isinstance(text, SafeString) else _marked(escape(text))


def format_html(form: str, *parts: object) -> SafeString:
    """A fixed text with the escaped parts in its braces."""
    return _marked(form.format(*map(escaped, parts)))


def format_html_join(between: str, form: str, rows: Iterable[Sequence[object]]) -> SafeString:
    """``form`` once for the parts of each row, with a fixed text between."""
    return _marked(between.join([form.format(*map(escaped, parts)) for parts in rows]))


def element(name: str, *children: str, **attributes: str | float) -> SafeString:
    """An SVG element; text is escaped, `class_` and `text_anchor` stand for `class` and `text-anchor`."""
    written = "".join([f' {_attribute(key)}="{value_of(value)}"' for key, value in attributes.items()])
    return _marked(f"<{name}{written}>{''.join(map(escaped, children))}</{name}>")


def value_of(value: str | float) -> str:
    """An attribute's text, escaped; numbers with at most one decimal."""
    return escaped(value) if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


@cache
def _attribute(key: str) -> str:
    """The name of an attribute, of those that stand in the code."""
    return key.rstrip("_").replace("_", "-")


def _marked(text: str) -> SafeString:
    """Text in which everything is escaped that has to be: made by this module alone."""
    # nosemgrep: markup-made-of-data
    return SafeString(text)  # nosec B703
