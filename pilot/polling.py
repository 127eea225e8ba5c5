"""Requests a page makes by itself while it waits: they show how far a job is and do not keep a session alive.

A page says so by ``X-Poll`` (``hx-headers``). Whoever leaves such a page open is signed out like everybody who is idle.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers


def is_poll(request: HttpRequest) -> bool:
    """Whether no person asked. A client that says so wrongly only shortens its own session."""
    return "X-Poll" in request.headers


def go_to(address: str) -> HttpResponse:
    """The answer to a poll that has ended: the page as a whole goes there."""
    response = HttpResponse(status=204)
    response["HX-Redirect"] = address
    return response


class SessionMiddleware(DjangoSessionMiddleware):
    """As Django's, but a poll neither extends a session nor renews its cookie."""

    def process_response(self, request: Any, response: HttpResponse) -> HttpResponse:
        if is_poll(request) and not request.session.modified:
            patch_vary_headers(response, ("Cookie",))
            return response
        return super().process_response(request, response)
