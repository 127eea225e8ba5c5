"""Chinese first: pages follow the reader's own choice, never the browser's header; the API follows the header."""

from __future__ import annotations

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware


class ChineseFirstMiddleware(LocaleMiddleware):
    """Django's locale middleware, deaf to ``Accept-Language`` outside the API.

    Officials' browsers are often installed in English; the portal's language is Chinese until somebody switches it.
    """

    def process_request(self, request: HttpRequest) -> None:
        if not request.path.startswith("/api/"):
            request.META.pop("HTTP_ACCEPT_LANGUAGE", None)
        super().process_request(request)
