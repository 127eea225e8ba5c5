"""The portal's door: who acts, whether that role may open the URL, and how refusals look."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import DataError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from pilot import clock, passwords, policy, polling, problems
from pilot.downloads import SANDBOX
from pilot.errors import NotPermitted, PilotError, Refused
from pilot.models import AuditEntry
from pilot.selectors import people
from pilot.services import audit

MEMBERSHIP_KEY = "membership"
PROXY_STAMP = re.compile(r"t=(\d{1,11})\.(\d{3})")  # seconds since 1970, milliseconds
OLDEST_STAMP = timedelta(seconds=60)
PAGES = (
    403,
    408,
    409,
    410,
    413,
    422,
    503,
    507,
)  # statuses with words of their own; the others are told as 400


class ArrivalMiddleware:
    """Stamps ``request.arrived`` (real time) before anything else is done: what counts in time is the arrival.

    It asks nobody, so that files and probes are answered while the database is away.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.arrived = arrival(request, now=clock.security_now())
        return self.get_response(request)


def arrival(request: HttpRequest, *, now: datetime) -> datetime:
    """When a request arrived: ``now``, or the stamp of the proxy named in ``PILOT_ARRIVAL_HEADER``.

    The stamp (``t=1555343999.999``) is believed up to a minute back and never ahead, else ``now`` stands.
    """
    header = settings.PILOT_ARRIVAL_HEADER
    stamp = PROXY_STAMP.fullmatch(request.headers.get(header, "")) if header else None
    if stamp is None:
        return now
    seconds, milliseconds = map(int, stamp.groups())
    stamped = datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)
    return stamped if timedelta() <= now - stamped <= OLDEST_STAMP else now


class PortalMiddleware:
    """Sets ``request.actor``, ``request.memberships``, ``request.arrived_at`` (business time) and
    ``request.request_id``, enforces the policy, and turns refusals into answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        with clock.steady():  # a page with many dates asks once how far business time is shifted
            return self._respond(request)

    def _respond(self, request: Any) -> HttpResponse:
        request.request_id = uuid.uuid4().hex
        request.actor, request.memberships = None, []
        if request.user.is_authenticated:
            request.arrived_at = clock.business(request.arrived)
            request.memberships = list(people.memberships(request.user))
            request.actor = people.chosen(
                request.memberships,
                membership_id=request.session.get(MEMBERSHIP_KEY),
                address=client_address(request),
            )
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id
        response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        # nosemgrep: file-past-the-door  (asks what others wrote)
        if response.get("Content-Disposition", "").startswith("attachment"):
            response["Content-Security-Policy"] = SANDBOX  # also of what is not our own view
        # What everyone may read says itself how long it keeps; everything else is never kept.
        if not request.path.startswith(settings.STATIC_URL) and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.url_name or ""
        if name in policy.api():
            return None  # opened by a key, which the API's own door asks for
        role = request.actor.role if request.actor else None
        if not policy.may_open(name, role):
            if not request.user.is_authenticated:
                return _to_login(request)
            self._record_denial(request, name)
            return problem(request, NotPermitted(""))
        if role and not policy.is_public(name):
            if self._needs_second_factor(request, name):
                return redirect("mfa_index")
            if self._needs_new_password(request, name):
                messages.warning(request, _("密码已使用超过 90 天，请先更换"))
                return redirect("account_change_password")
            return self._ask_again(request, name, kwargs)
        return None

    def process_exception(self, request: Any, error: Exception) -> HttpResponse | None:
        if isinstance(error, PilotError):
            return problem(request, error)
        if isinstance(error, DataError) and _holds_nul(request):
            return problem(request, Refused(_("所填内容不能含有空字符（NUL）")))
        return trouble(request, error)

    def _needs_second_factor(self, request: Any, name: str) -> bool:
        """Officials work with two factors; only the demonstration switches that off (and says so)."""
        if not request.actor.is_official or name.startswith(("mfa_", "account_")):
            return False
        return not clock.is_demo() and not is_mfa_enabled(request.user)

    def _needs_new_password(self, request: Any, name: str) -> bool:
        """A password that is too old opens nothing but the page on which it is changed."""
        return not name.startswith(("mfa_", "account_")) and passwords.has_expired(
            settings.PILOT_PASSWORD_POLICY, set_at=request.user.password_set_at, now=clock.security_now()
        )

    def _ask_again(self, request: Any, name: str, kwargs: Any) -> HttpResponse | None:
        """Before an act that is signed: to the page that asks again who it is, or on, marked as asked."""
        machine = kwargs.get("slug") if name.endswith("_act") else kwargs.get("machine")
        if f"{machine}.{kwargs.get('name')}" not in policy.signed():
            return None
        if did_recently_reauthenticate(request):
            request.actor = replace(request.actor, confirmed=True)
            return None
        if clock.is_demo():
            return None  # with the second factor; the form asks for the password
        ways = get_adapter().get_reauthentication_methods(request.user)
        return redirect_to_login(request.get_full_path(), login_url=ways[0]["url"])

    def _record_denial(self, request: Any, name: str) -> None:
        if request.actor is None:
            return
        with transaction.atomic():
            audit.record(
                action="page.denied",
                actor=request.actor,
                outcome=AuditEntry.Outcome.DENIED,
                object_type="url",
                object_id=name[:64],
            )


def _to_login(request: HttpRequest) -> HttpResponse:
    if not polling.is_poll(request):
        return redirect_to_login(request.get_full_path())
    try:
        page = urlsplit(request.headers.get("HX-Current-URL", "")).path
    except ValueError:  # no address at all
        page = ""
    return polling.go_to(redirect_to_login(page or "/").url)


def _holds_nul(request: HttpRequest) -> bool:
    """Whether there is a NUL among the words of a request, which no text of the database holds.

    Forms tell it beside the field; this is for whatever is read without one.
    """
    return any(
        "\0" in word
        for sent in (request.GET, request.POST)
        for _name, words in sent.lists()
        for word in words
    )


def client_address(request: HttpRequest) -> str | None:
    """The address of the peer. Headers a client can write are not believed."""
    return request.META.get("REMOTE_ADDR") or None


def problem(request: HttpRequest, error: PilotError) -> HttpResponse:
    """The page (or RFC 9457 document) that tells of a refusal in words."""
    return _answer(request, HTTPStatus(error.status), error.code, str(error.message))


def trouble(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """What is answered when the database is away, the disk is full or the request's content did not come.

    None for anything else: a fault of the portal's own.
    """
    code = problems.of_system(error)
    return _answer(request, problems.PROBLEMS[code].status, code, "") if code else None


def refusal(request: Any, template: str, *, status: int, reason: str = "") -> HttpResponse:
    """A page of refusal with all that stands around a page, but the numbers in the menu: a third of its time."""
    request.waiting_counts = {}
    return render(request, template, {"reason": reason}, status=status)


def _answer(request: Any, status: HTTPStatus, code: str, reason: str) -> HttpResponse:
    if request.path.startswith("/api/") or request.headers.get("Accept", "").startswith("application/json"):
        return problems.answer(request, code, detail=reason, status=status)
    template = f"{status.value}.html" if status in PAGES else "400.html"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        # What stands around other pages is asked of the database, which would be waited for once more.
        content = render_to_string(template, {"reason": reason, "request": request})
        response = HttpResponse(content, status=status)
    else:
        response = refusal(request, template, status=status, reason=reason)
    if status in problems.AGAIN_LATER:
        response["Retry-After"] = str(problems.RETRY_SECONDS)
    return response
