"""The description of the API for people: how to begin, what is asked, every code, examples that run; and the client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from filings.rules import ERRORS, FILE_FAULTS
from pilot.ui import Column, Link, PlainPage, Row, Section
from pilot.views.api import all_problems

CLIENT = Path(__file__).with_name("client.py")


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """接口说明."""
    page = PlainPage(
        title=_("接口说明"),
        crumbs=[Link(_("首页"), reverse("home"))],
        sections=[
            all_problems(),
            _codes(_("单行的错误代码"), ERRORS),
            _codes(_("整个文件的错误代码"), FILE_FAULTS),
        ],
        toolbar=[
            Link("OpenAPI 3.1", reverse("api_schema"), "braces"),
            Link(_("在线查看"), reverse("api_explorer"), "compass"),
        ],
    )
    return render(request, "pages/plain.html", {"page": page})


def _codes(title: str, codes: Mapping[str, tuple[str, str]]) -> Section:
    english = (get_language() or "").startswith("en")
    rows = [Row("", [code, words[1] if english else words[0]]) for code, words in codes.items()]
    return Section(title, columns=[Column("code", _("代码")), Column("meaning", _("含义"))], rows=rows)


@require_safe
def api_client(request: HttpRequest) -> FileResponse:
    """The client for pilot units: one file, standard library only."""
    return FileResponse(
        CLIENT.open("rb"), as_attachment=True, filename="pilot_client.py", content_type="text/x-python"
    )
