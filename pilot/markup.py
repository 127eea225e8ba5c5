"""``format_html`` and its like as Django has them, without the detours: a page is made of some thousand parts."""

from collections.abc import Iterable, Sequence
from html import escape

from django.utils.safestring import SafeString


def escaped(text: object) -> SafeString:
    """The text, in which nothing is markup; what is markup by itself stays as it is."""
    text = str(text)
    # nosemgrep: markup-made-of-data
    return text if isinstance(text, SafeString) else SafeString(escape(text))  # nosec B703 # escaped


def format_html(form: str, *parts: object) -> SafeString:
    """A fixed text with the escaped parts in its braces."""
    # nosemgrep: markup-made-of-data
    return SafeString(form.format(*map(escaped, parts)))  # nosec B703 # all escaped


def format_html_join(between: str, form: str, rows: Iterable[Sequence[object]]) -> SafeString:
    """``form`` once for the parts of each row, with a fixed text between."""
    # nosemgrep: markup-made-of-data
    return SafeString(between.join([form.format(*map(escaped, parts)) for parts in rows]))  # nosec B703 # all escaped
