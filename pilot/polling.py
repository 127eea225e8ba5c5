"""How long a session lives: it ends when nobody has asked for anything for ``SESSION_COOKIE_AGE``.

Requests a page makes by itself while it waits show how far a job is and do not keep a session alive. A page says so by
``X-Poll`` (``hx-headers``). Whoever leaves such a page open is signed out like everybody who is idle.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from pilot import clock

RENEWED: Final = "renewed"  # key in the session: when it was prolonged last, in seconds of Unix time
STEP: Final = 10  # seconds; to write on every request would cost more than many a page


def is_poll(request: HttpRequest) -> bool:
    """Whether no person asked. A client that says so wrongly only shortens its own session."""
    return "X-Poll" in request.headers


def go_to(address: str) -> HttpResponse:
    """The answer to a poll that has ended: the page as a whole goes there."""
    response = HttpResponse(status=204)
    response["HX-Redirect"] = address
    return response


class SessionMiddleware(DjangoSessionMiddleware):
    """As Django's, but what a person asks for prolongs the session and its cookie, at most every ``STEP`` seconds.

    So a session may end by as much earlier, never later. A poll prolongs nothing.
    """

    def process_response(self, request: Any, response: HttpResponse) -> HttpResponse:
        session = request.session
        if is_poll(request):
            if not session.modified:
                patch_vary_headers(response, ("Cookie",))
                return response
        elif session.accessed and not session.is_empty():
            now = clock.security_now().timestamp()
            if session.modified or now - session.get(RENEWED, 0.0) >= STEP:
                session[RENEWED] = now
        return super().process_response(request, response)
