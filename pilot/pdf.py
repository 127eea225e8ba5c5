"""Official documents as PDF: one template and one context in, one file out; no models, no network.

The part that talks to WeasyPrint is ``pilot.pdf_engine``. It is loaded with the first document, so that a machine
without pango still runs everything else.
"""

import atexit
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from pilot import disk

if TYPE_CHECKING:
    from pilot.pdf_engine import Engine

APT_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")
# Official documents are Chinese, whatever language the person who prints them works in.
LANGUAGE = "zh-hans"

# What people type or paste may hold what the engine breaks off at: blanks before the end of a line, and ends of lines
# that only Unicode knows. Other control characters nobody sees.
_LINE_END = re.compile("[ \t]*(?:\r\n?|[\n\x0b\x0c\x85\u2028\u2029])")
_UNPRINTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")

# A pango font map may be used by one thread at a time.
_lock = Lock()


class PdfEngineMissing(RuntimeError):
    """The system libraries that set the text are not installed; the message names the packages."""


def cn_date(day: date) -> str:
    """A date as running text has it, without leading zeros: 2019年5月16日 (GB/T 9704-2012, 7.3.5)."""
    return f"{day.year}年{day.month}月{day.day}日"


def render_pdf(template: str, context: Mapping[str, Any], *, title: str) -> bytes:
    """Set ``template`` (a path such as ``documents/receipt.html``) with ``context`` and return the PDF.

    ``title`` is both the heading, as ``document_title``, and the title in the file's metadata. The same input gives
    the same bytes: the file holds no random identifier and no date of its own making.

    Raises PdfEngineMissing where pango is absent, ``pilot.pdf_engine.ResourceRefused`` if the document refers to
    anything outside itself.
    """
    html = _html(template, context, title)
    with _lock:
        return _engine().write(html)


def render_kept(template: str, context: Mapping[str, Any], *, title: str) -> bytes:
    """The same PDF, kept on disk under the digest of what it says: for what is set once and fetched by anybody.

    Raises as :func:`render_pdf`.
    """
    html = _html(template, context, title)
    return _set_once(disk.PAPERS, html, lambda: _engine().write(html))


def render_form(template: str, context: Mapping[str, Any], *, title: str) -> bytes:
    """The fillable PDF (AcroForm) of ``template``, kept on disk under the digest of what it says.

    Setting one takes a second or two; asked for again, it costs one reading. So it must be nobody's: values of a
    person or an office are put in afterwards (``pilot.pdf_forms.filled``). Raises as :func:`render_pdf`.
    """
    html = _html(template, context, title)
    return _set_once(disk.FORMS, html, lambda: _engine().write_form(html))


def _html(template: str, context: Mapping[str, Any], title: str) -> str:
    with translation.override(LANGUAGE):
        html = render_to_string(template, {**context, "document_title": title})
    return _UNPRINTED.sub("", _LINE_END.sub("\n", html))


def _set_once(folder: str, html: str, write: Callable[[], bytes]) -> bytes:
    path = settings.VAR / folder / f"{hashlib.sha256(html.encode()).hexdigest()}.pdf"
    if not disk.is_kept(path):  # who finds it there does not wait for what others have set
        with _lock:  # of many who ask for a new one at once, one sets it
            if not disk.is_kept(path):
                disk.keep_whole(path, write())
    content: bytes = path.read_bytes()
    return content


@cache
def _engine() -> "Engine":
    try:
        from pilot.pdf_engine import Engine
    except OSError as error:  # the loader's own message names one library only
        raise PdfEngineMissing(
            f"PDF documents need the system packages {', '.join(APT_PACKAGES)}: "
            f"apt-get install -y --no-install-recommends {' '.join(APT_PACKAGES)} ({error})"
        ) from error
    return Engine()


# The fonts lie in a temporary folder, which WeasyPrint removes only while the interpreter is whole.
atexit.register(_engine.cache_clear)
