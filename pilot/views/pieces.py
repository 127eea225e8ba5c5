"""How uploads in pieces talk to the page's script: where to go on, in a header and as JSON."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from pilot.errors import Refused
from pilot.middleware import problem
from pilot.pieces import WrongOffset

OFFSET: Final = "Upload-Offset"


def standing(*, received: int, size: int, url: str, finish: str, status: int = 200) -> HttpResponse:
    """How much of an upload has come, where its pieces go, and the address that finishes it."""
    answer = JsonResponse({"received": received, "size": size, "url": url, "finish": finish}, status=status)
    answer[OFFSET] = str(received)
    return answer


def wrong_offset(request: Any, wrong: WrongOffset) -> HttpResponse:
    """The refusal of a piece that does not follow, with the place to go on from."""
    answer = problem(request, wrong)
    answer[OFFSET] = str(wrong.received)
    return answer


def offset_of(request: Any) -> int:
    """At which byte the piece in this request begins; raises :class:`Refused` where that is not said."""
    return number(request.headers.get(OFFSET, ""))


def number(text: str) -> int:
    """A size or place in bytes; raises :class:`Refused` for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise Refused(_("缺少文件大小或位置"))
    return int(text)
