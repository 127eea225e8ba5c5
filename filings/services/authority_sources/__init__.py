"""Where people are looked up: the local extract, or a service asked by HTTPS (``PILOT_AUTHORITY_SOURCE``)."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from filings.services.authority_sources import http
from filings.services.authority_sources.base import (
    NO_RECORD,
    UNAVAILABLE,
    Answer,
    AuthoritySource,
    Query,
    Verdict,
)
from filings.services.authority_sources.circuit import Circuit
from filings.services.authority_sources.extract import ExtractSource
from pilot import outward
from pilot.errors import NotReady, Refused

__all__ = [
    "NO_RECORD",
    "UNAVAILABLE",
    "Answer",
    "AuthoritySource",
    "Query",
    "Verdict",
    "configured",
]


def configured() -> AuthoritySource:
    """The source that this portal is set up for; raises :class:`NotReady` in words for settings that cannot work."""
    if ExtractSource.name == settings.PILOT_AUTHORITY_SOURCE:
        return ExtractSource()
    if http.NAME != settings.PILOT_AUTHORITY_SOURCE:
        raise NotReady(_("PILOT_AUTHORITY_SOURCE 应为 extract 或 http"))
    key = settings.PILOT_AUTHORITY_KEY
    if not (key and key.isascii() and key.isprintable()):
        raise NotReady(_("PILOT_AUTHORITY_KEY 须为可打印的 ASCII 字符，不能为空"))
    try:
        goal = outward.target(settings.PILOT_AUTHORITY_URL, inside=settings.PILOT_AUTHORITY_PRIVATE)
    except Refused as refusal:
        raise NotReady(
            _("PILOT_AUTHORITY_URL 不能使用：%(reason)s") % {"reason": refusal.message}
        ) from refusal
    return http.HttpSource(
        goal=goal,
        key=key,
        batch=settings.PILOT_AUTHORITY_BATCH,
        seconds=settings.PILOT_AUTHORITY_SECONDS,
        circuit=Circuit(http.NAME),
    )
