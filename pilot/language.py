"""Chinese first: pages follow the reader's own choice, never the browser's header; the API follows the header."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


def on_record() -> translation.override:
    """Words made inside are the portal's own: for what is stored or sent, whatever language the actor reads."""
    return translation.override(settings.LANGUAGE_CODE)


class ChineseFirstMiddleware(LocaleMiddleware):
    """Django's locale middleware, deaf to ``Accept-Language`` outside the API.

    Officials' browsers are often installed in English; the portal's language is Chinese until somebody switches it.
    """

    def process_request(self, request: HttpRequest) -> None:
        if not request.path.startswith("/api/"):
            request.META.pop("HTTP_ACCEPT_LANGUAGE", None)
        super().process_request(request)
