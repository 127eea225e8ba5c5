"""Who may call: a key in ``Authorization: Bearer``, the policy's scope per URL and method, so many calls a minute."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, PermissionDenied, Throttled
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission

from pilot import policy
from pilot.middleware import client_address
from pilot.models import ApiKey, AuditEntry
from pilot.services import api_keys, audit

SCHEME = "Bearer"


def no_good_key() -> str:
    """What whoever calls without a good key is told: not which fault it has."""
    return _("密钥缺失、无效、已停用、已到期，或不得从该地址使用")


class OneFormat(BaseContentNegotiation):
    """Every address answers in the one format of its description, whatever ``Accept`` or a parameter ``format`` say."""

    def select_parser(self, request: Any, parsers: Any) -> None:
        """None: views read the body themselves."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> tuple[Any, str]:
        """The first."""
        return renderers[0], renderers[0].media_type


class KeyAuthentication(BaseAuthentication):
    """Sets ``request.auth`` to the key and ``request.actor`` to whoever it acts for; 401 for anything else."""

    def authenticate(self, request: Any) -> tuple[Any, ApiKey]:
        """The key of the request. Raises AuthenticationFailed without telling why a key is not good."""
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        key = None
        if scheme.lower() == SCHEME.lower():
            key = api_keys.find(secret.strip(), address=client_address(request))
        if key is None:
            raise AuthenticationFailed(no_good_key())
        request._request.actor = api_keys.actor_of(key, address=client_address(request))
        return None, key

    def authenticate_header(self, request: Any) -> str:
        return f'{SCHEME} realm="pilot"'


class HasScope(BasePermission):
    """The policy names for every API URL and method the scope a key must hold; what it does not name is closed."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Whether the key may call. A refusal is on record."""
        if request.method not in view.allowed_methods:
            raise MethodNotAllowed(request.method)
        scope = policy.scope_of(request._request.resolver_match.url_name, request.method)
        if scope in request.auth.scopes:
            return True
        audit.record(
            action="api.denied",
            actor=request._request.actor,
            outcome=AuditEntry.Outcome.DENIED,
            object_type="url",
            object_id=str(request._request.resolver_match.url_name)[:64],
            detail={"scope": scope},
        )
        raise PermissionDenied(_("密钥没有权限“%(scope)s”") % {"scope": scope})


class KeyLimit(BasePermission):
    """So many calls a minute and key (setting ``PILOT_API_RATE``); the answer's headers say how many are left.

    Asked before the scope, for what is refused counts too: else a key could fill the record with refusals.
    """

    def has_permission(self, request: Any, view: Any) -> bool:
        """Count the call. Raises Throttled when the minute's calls are used up."""
        usage = request._request.api_usage = api_keys.count_call(request.auth)
        if usage.calls > settings.PILOT_API_RATE:
            raise Throttled(wait=usage.reset)
        return True


def limit_headers(request: Any) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit`` (IETF draft), once the call was counted."""
    usage = getattr(request, "api_usage", None)
    if usage is None:
        return {}
    rate = settings.PILOT_API_RATE
    window = int(api_keys.WINDOW.total_seconds())
    return {
        "RateLimit-Policy": f'"key";q={rate};w={window}',
        "RateLimit": f'"key";r={max(0, rate - usage.calls)};t={usage.reset}',
    }
