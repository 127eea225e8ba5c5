"""The description of the API for people: how to begin, what is asked, every code, examples that run; and the client."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from filings.api.bodies import LARGEST_FILE
from filings.intake.request_body import MAX_ROWS
from filings.rules import ERRORS, FILE_FAULTS, JOB_FAULTS, general
from filings.services import rejects
from pilot.downloads import as_download
from pilot.services import api_keys, idempotency, webhooks
from pilot.ui import Column, Link, PlainPage, Row, Section
from pilot.views.api import all_problems

CLIENT: Final = Path(__file__).with_name("client.py")
EXAMPLES: Final = Path(__file__).with_name("api") / "examples"
LANGUAGES: Final = (("curl", "{}.sh"), ("Python", "{}.py"), ("Java", "{}.java"))


class Example(NamedTuple):
    """A program that runs as it stands."""

    language: str
    name: str
    text: str

    @property
    def anchor(self) -> str:
        """Where on the page its text is."""
        return "example-" + self.name.replace(".", "-")


@cache
def examples(topic: str) -> tuple[Example, ...]:
    """The same errand in every language; Java names its files in capitals."""
    found = []
    for language, pattern in LANGUAGES:
        name = pattern.format(topic.capitalize() if language == "Java" else topic)
        found.append(Example(language, name, (EXAMPLES / name).read_text(encoding="utf-8")))
    return tuple(found)


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """接口说明."""
    page = PlainPage(
        title=_("接口说明"),
        crumbs=[Link(_("首页"), reverse("home"))],
        toolbar=[
            Link("OpenAPI 3.1", reverse("api_schema"), "braces"),
            Link(_("在线查看"), reverse("api_explorer"), "compass"),
            Link(_("下载客户端"), reverse("api_client"), "download"),
        ],
    )
    context = {
        "page": page,
        # nosemgrep: address-of-the-host-header  (shown to the asker only; ALLOWED_HOSTS holds)
        "base": request.build_absolute_uri("/").rstrip("/"),
        "forms": examples("forms"),
        "uploads": examples("upload"),
        "form": Example("JSON", "form.json", (EXAMPLES / "form.json").read_text(encoding="utf-8")),
        "limits": _limits(),
        "events": _events(),
        "codes": [
            all_problems(),
            _codes(_("单行的错误代码"), ERRORS),
            _codes(_("整个文件的错误代码"), FILE_FAULTS),
            _codes(_("处理中断的错误代码"), JOB_FAULTS),
        ],
    }
    return render(request, "pages/api_docs.html", context)


def _limits() -> dict[str, int]:
    """The figures the text names, from where they are kept."""
    return {
        "rate": settings.PILOT_API_RATE,
        "rows": MAX_ROWS,
        "body_mb": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024**2,
        "file_gb": LARGEST_FILE // 1024**3,
        "keys": api_keys.MOST_ACTIVE,
        "key_days": api_keys.LONGEST_LIFE.days,
        "header": idempotency.LONGEST_KEY,
        "kept_hours": int(idempotency.KEPT_FOR.total_seconds()) // 3600,
        "rejects_days": rejects.KEPT_FOR.days,
    }


def _events() -> Section:
    """What an address of the unit can be told of."""
    rows = [Row("", [name, str(label)]) for name, label in webhooks.events()]
    return Section(_("事件"), columns=[Column("event", _("代码")), Column("meaning", _("含义"))], rows=rows)


def _codes(title: str, codes: Iterable[str]) -> Section:
    language = get_language() or ""
    rows = [Row("", [code, general(code, language)]) for code in codes]
    return Section(title, columns=[Column("code", _("代码")), Column("meaning", _("含义"))], rows=rows)


@require_safe
def api_client(request: HttpRequest) -> FileResponse:
    """The client for pilot units: one file, standard library only."""
    response = FileResponse(CLIENT.open("rb"), content_type="text/x-python")
    return as_download(response, "pilot_client.py")
