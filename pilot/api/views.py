"""What every API view shares: the door, problems instead of error pages, idempotent writes."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from pilot import clock, problems
from pilot.actors import Actor
from pilot.api import door
from pilot.enums import ApiMode
from pilot.errors import PilotError
from pilot.models import ApiKey, PilotUnit
from pilot.services import idempotency
from pilot.services.idempotency import Answer

logger = logging.getLogger(__name__)
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"

_CODES: Final[Mapping[type[Exception], str]] = {
    exceptions.NotAuthenticated: "auth.key",
    exceptions.AuthenticationFailed: "auth.key",
    exceptions.PermissionDenied: "auth.scope",
    exceptions.NotFound: "not.found",
    exceptions.MethodNotAllowed: "method",
    exceptions.UnsupportedMediaType: "media.type",
    exceptions.Throttled: "rate.limit",
    exceptions.ParseError: "request.unreadable",
    exceptions.ValidationError: "request.parameters",
    Http404: "not.found",
    RequestDataTooBig: "too.large",
}


def as_problem(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """REST framework's exception handler: every refusal is a problem document in words; None: a fault of ours."""
    request = context["request"]._request
    if isinstance(error, PilotError):
        return problems.answer(request, error.code, status=error.status, detail=str(error.message))
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), problems.of_system(error))
    if not code:
        return None
    if code in {"not.ready", "storage.full"}:
        logger.error("%s: a request failed", code, exc_info=error)
    if isinstance(error, exceptions.ValidationError):
        return problems.answer(request, code, errors=_errors(error))
    told = isinstance(error, APIException) and code in {"auth.key", "auth.scope", "request.unreadable"}
    response = problems.answer(request, code, detail=str(getattr(error, "detail", "")) if told else "")
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait))
    if isinstance(error, exceptions.MethodNotAllowed):
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def _said(known: bool) -> str:
    return _("该参数只能出现一次") if known else _("没有该参数")


def _errors(error: exceptions.ValidationError) -> list[dict[str, str]]:
    """Each faulty parameter with its words."""
    detail: Any = error.detail
    return [{"parameter": str(name), "message": " ".join(map(str, words))} for name, words in detail.items()]


class KeyView(APIView):
    """A view that only a key opens. Every answer says how many calls are left."""

    authentication_classes = [door.KeyAuthentication]
    permission_classes = [door.KeyLimit, door.HasScope]
    throttle_classes: list[Any] = []
    renderer_classes = [JSONRenderer]
    content_negotiation_class = door.OneFormat
    parser_classes: list[Any] = []
    accepts: Mapping[str, frozenset[str]] = {}
    """Method → the query parameters it knows; ``dryrun=true`` by a slip of the pen must not store anything."""
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]  # what there is, the schema tells

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Authenticate, then stamp the arrival in business time."""
        super().initial(request, *args, **kwargs)
        request._request.arrived_at = clock.business(request._request.arrived)
        known = self.accepts.get("GET" if request.method == "HEAD" else request.method, frozenset())
        given = request.query_params.lists()
        if wrong := {
            name: [_said(name in known)] for name, values in given if name not in known or len(values) > 1
        }:
            raise exceptions.ValidationError(wrong)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the limit's headers to whatever is answered."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in door.limit_headers(request._request).items():
            response[name] = value
        return response

    @property
    def actor(self) -> Actor:
        """Who acts."""
        request: Any = self.request._request
        return cast(Actor, request.actor)

    @property
    def key(self) -> ApiKey:
        """The key that opened the view."""
        key: Any = self.request.auth
        return cast(ApiKey, key)

    @property
    def unit(self) -> PilotUnit:
        """The pilot unit whose key this is."""
        return self.key.unit

    def is_trial(self) -> bool:
        """Whether nothing may be stored: ``?dry_run=true``, or a test key."""
        asked = self.request.query_params.get("dry_run", "false")
        if asked not in {"true", "false"}:
            raise exceptions.ValidationError({"dry_run": [_("应为 true 或 false")]})
        return asked == "true" or self.key.mode == ApiMode.TEST

    def media_type(self, *allowed: str) -> str:
        """The content type of the request without parameters; UnsupportedMediaType for any but ``allowed``."""
        stated = str(self.request.content_type or "").partition(";")[0].strip().lower()
        if stated not in allowed:
            raise exceptions.UnsupportedMediaType(stated)
        return stated

    def whole_body(self) -> bytes:
        """The body in memory (up to 8 MB); ParseError when the connection broke before all of it was there.

        Half of it may well be readable, and its answer would then belong to another request than the one retried.
        """
        request: Any = self.request._request
        body: bytes = request.body
        if len(body) < int(request.META.get("CONTENT_LENGTH") or 0):
            raise exceptions.ParseError(_("请求内容不完整，连接可能已中断，请重新发送"))
        return body

    @property
    def is_dry_run(self) -> bool:
        """Whether the request asked for a trial; it then needs no ``Idempotency-Key``."""
        return bool(self.request.query_params.get("dry_run") == "true")

    def judge_key(self) -> None:
        """Raise KeyUnusable for a write without a usable ``Idempotency-Key``; a dry run may lack one."""
        headers = self.request.headers
        if not self.is_dry_run or "Idempotency-Key" in headers:
            idempotency.judge(headers.get("Idempotency-Key", ""))

    def answer_once(self, *, content_digest: str, act: Callable[[], Answer]) -> HttpResponse:
        """Answer a write under its ``Idempotency-Key``; a dry run needs none and keeps nothing.

        Raises AuthenticationFailed where the key was revoked while the content arrived.
        """
        header = self.request.headers.get("Idempotency-Key", "")
        if self.is_dry_run:
            self.judge_key()
            return plain(act())
        path = str(self.request.path)
        query = self.request.META.get("QUERY_STRING", "")
        endpoint = getattr(self.request._request.resolver_match, "url_name", "")
        whole = hashlib.sha256(f"{path}?{query}\n{content_digest}".encode()).hexdigest()
        try:
            answer = idempotency.once(
                key=self.key, endpoint=endpoint, header=header, request_digest=whole, act=act
            )
        except idempotency.CallerGone:
            raise exceptions.AuthenticationFailed(door.no_good_key()) from None
        return plain(answer)


def as_json(status: int, content: Any, *, location: str = "") -> Answer:
    """An answer in JSON, encoded once and kept as it was sent."""
    return Answer(status, msgspec.json.encode(content), JSON, location)


def plain(answer: Answer) -> HttpResponse:
    """An answer as HTTP; a replay says so."""
    response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)
    if answer.location:
        response["Location"] = answer.location
    if answer.replayed:
        response["Idempotent-Replayed"] = "true"
    return response
