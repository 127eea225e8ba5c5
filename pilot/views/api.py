"""Around the API: its description for programs and people, what the codes of refusals mean, errors before any view."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView

from pilot import problems
from pilot.middleware import refusal, trouble
from pilot.ui import Column, Fact, Link, PlainPage, Row, Section

schema = SpectacularAPIView.as_view(api_version="v1")


@require_safe
def explorer(request: HttpRequest) -> HttpResponse:
    """The description as pages to click through; everything it needs lies in the portal."""
    crumbs = [Link(_("首页"), reverse("home")), Link(_("接口说明"), reverse("api_docs"))]
    return render(
        request, "pages/api_explorer.html", {"page": PlainPage(title=_("接口在线查看"), crumbs=crumbs)}
    )


@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """What a code means, in words; without a match 404."""
    meaning = problems.PROBLEMS.get(code)
    if meaning is None:
        raise Http404
    facts = [
        Fact(_("代码"), code),
        Fact(_("HTTP 状态"), int(meaning.status)),
        Fact(_("怎么办"), _what_to_do(meaning.status)),
    ]
    page = PlainPage(
        title=problems.title(code),
        crumbs=[Link(_("首页"), reverse("home")), Link(_("接口说明"), reverse("api_docs"))],
        sections=[Section(_("说明"), facts=facts), all_problems()],
    )
    return render(request, "pages/plain.html", {"page": page})


def _what_to_do(status: HTTPStatus) -> str:
    if status in problems.AGAIN_LATER:
        return _("等待 Retry-After 所示秒数后原样重发")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _("核对密钥及其权限、到期日和 IP 名单")
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return _("核对网址和方法")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _("稍后原样重发；仍不成功的，联系平台并提供 instance 的值")
    return _("按答复中 detail 和 errors 所述改正后重发")


def all_problems() -> Section:
    """Every code of a request that fails as a whole, by the status it is answered with."""
    english = (get_language() or "").startswith("en")
    rows = [
        Row(reverse("api_problem", args=[code]), [code, int(m.status), m.en if english else m.zh])
        for code, m in sorted(problems.PROBLEMS.items(), key=lambda item: item[1].status)
    ]
    columns = [
        Column("code", _("代码")),
        Column("status", _("HTTP 状态"), "end"),
        Column("meaning", _("含义")),
    ]
    return Section(_("整个请求被拒绝时的代码"), columns=columns, rows=rows)


# --- errors that come before or around every view ---------------------------------------------------
def bad_request(request: Any, exception: Exception) -> HttpResponse:
    """400, or 413 for what is too large: problem document below ``/api/``, else the page."""
    if isinstance(exception, RequestDataTooBig):
        return _for_programs(request, "too.large") or _page(request, 413)
    return _for_programs(request, "request.unreadable") or _page(request, 400)


@requires_csrf_token
def page_not_found(request: Any, exception: Exception) -> HttpResponse:
    """404, likewise."""
    return _for_programs(request, "not.found") or refusal(request, "404.html", status=404)


def csrf_failure(request: Any, reason: str = "") -> HttpResponse:
    """What is answered to a form that does not carry the token of its page; ``reason`` is for the log only."""
    return refusal(request, "403_csrf.html", status=403)


def server_error(request: Any) -> HttpResponse:
    """500, likewise. What failed before or around the view for want of room or of a database is told as that."""
    if answer := trouble(request, sys.exception()):
        return answer
    return _for_programs(request, "server") or _page(request, 500)


def _page(request: Any, status: int) -> HttpResponse:
    """The page of a failure, made without asking the database for what stands around other pages."""
    return HttpResponse(render_to_string(f"{status}.html", {"request": request}), status=status)


def _for_programs(request: Any, code: str) -> HttpResponse | None:
    return problems.answer(request, code) if request.path.startswith("/api/v1/") else None
