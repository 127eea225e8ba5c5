"""Refusals as RFC 9457 documents (``application/problem+json``): one shape for pages asked by programs and for the API.

``type`` is a stable address that explains the code; ``instance`` is the id of the request, as in ``X-Request-Id``.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from django.http import HttpResponse, JsonResponse, UnreadablePostError
from django.utils.translation import get_language
from psycopg.errors import DiskFull

from pilot.database import AWAY

CONTENT_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
AGAIN_LATER: Final = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.INSUFFICIENT_STORAGE,
)
NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # disk, quota, or limit of the process


class Meaning(NamedTuple):
    """What a code says, in both languages, and the status it comes with."""

    status: HTTPStatus
    zh: str
    en: str


PROBLEMS: Final[dict[str, Meaning]] = {
    "refused": Meaning(HTTPStatus.BAD_REQUEST, "请求被拒绝", "The request was refused"),
    "request.unreadable": Meaning(HTTPStatus.BAD_REQUEST, "请求无法读取", "The request cannot be read"),
    "request.parameters": Meaning(HTTPStatus.BAD_REQUEST, "请求参数不正确", "A parameter is not valid"),
    "idempotency.key": Meaning(
        HTTPStatus.BAD_REQUEST,
        "缺少 Idempotency-Key 或其格式不正确",
        "The Idempotency-Key is missing or malformed",
    ),
    "auth.key": Meaning(
        HTTPStatus.UNAUTHORIZED,
        "密钥缺失、无效、已停用、已到期，或不得从该地址使用",
        "The key is missing, unknown, revoked, expired, or not usable from this address",
    ),
    "permission": Meaning(HTTPStatus.FORBIDDEN, "无权办理", "Not permitted"),
    "auth.scope": Meaning(HTTPStatus.FORBIDDEN, "密钥没有所需的权限", "The key lacks the scope"),
    "not.found": Meaning(HTTPStatus.NOT_FOUND, "不存在", "There is no such thing"),
    "method": Meaning(HTTPStatus.METHOD_NOT_ALLOWED, "不支持该方法", "The method is not supported here"),
    "state.changed": Meaning(HTTPStatus.CONFLICT, "状态已改变", "The state has changed meanwhile"),
    "request.slow": Meaning(
        HTTPStatus.REQUEST_TIMEOUT,
        "请求内容没有及时到达或中途断开",
        "The content of the request did not come in time, or broke off",
    ),
    "idempotency.in_flight": Meaning(
        HTTPStatus.CONFLICT,
        "同一 Idempotency-Key 的请求正在处理",
        "A request with this Idempotency-Key is being answered",
    ),
    "content.destroyed": Meaning(
        HTTPStatus.GONE,
        "保存期满，内容已销毁",
        "The retention period is over and the content was destroyed",
    ),
    "too.large": Meaning(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "请求内容过大", "The content of the request is too large"
    ),
    "media.type": Meaning(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "不支持该内容类型", "The content type is not supported"
    ),
    "condition": Meaning(HTTPStatus.UNPROCESSABLE_ENTITY, "条件不满足", "A condition is not met"),
    "idempotency.reused": Meaning(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "该 Idempotency-Key 已用于内容不同的请求",
        "The Idempotency-Key was used for a request with another content",
    ),
    "file.refused": Meaning(
        HTTPStatus.UNPROCESSABLE_ENTITY, "内容整体不能接收", "The content cannot be taken as a whole"
    ),
    "rate.limit": Meaning(HTTPStatus.TOO_MANY_REQUESTS, "调用过于频繁", "Too many calls"),
    "server": Meaning(HTTPStatus.INTERNAL_SERVER_ERROR, "系统内部错误", "An error inside the portal"),
    "not.ready": Meaning(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "系统暂时不可用，请稍后重试",
        "The portal is not ready, try again later",
    ),
    "storage.full": Meaning(
        HTTPStatus.INSUFFICIENT_STORAGE,
        "存储空间不足，没有保存任何内容，请稍后重试",
        "There is no room left: nothing was stored, try again later",
    ),
}
"""Every code of a request that fails as a whole; faults of single rows are codes of the form contract."""


def title(code: str) -> str:
    """The words of a code in the reader's language."""
    meaning = PROBLEMS[code]
    return meaning.en if (get_language() or "").startswith("en") else meaning.zh


def answer(
    request: Any,
    code: str,
    *,
    detail: str = "",
    status: int | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> HttpResponse:
    """The document for one refusal; ``errors`` name places in the request by JSON pointer, parameter or header."""
    whole = "file.refused" if code.startswith("file.") else "refused"
    known = code if code in PROBLEMS else whole
    status = status or PROBLEMS[known].status
    body: dict[str, Any] = {
        "type": f"/api/problems/{known}/",
        "title": title(known),
        "status": int(status),
        "code": code,
        "detail": detail or title(known),
        "instance": getattr(request, "request_id", ""),
    }
    if errors:
        body["errors"] = list(errors)
    response = JsonResponse(
        body, status=int(status), content_type=CONTENT_TYPE, json_dumps_params={"ensure_ascii": False}
    )
    if status in AGAIN_LATER:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def of_system(error: BaseException | None) -> str:
    """The code of what is no fault of the portal's program, nor a refusal of its own; empty for anything else."""
    if isinstance(error, AWAY):
        return "storage.full" if isinstance(error.__cause__, DiskFull) else "not.ready"
    if isinstance(error, UnreadablePostError):
        return "request.slow"
    return "storage.full" if isinstance(error, OSError) and error.errno in NO_ROOM else ""
