"""The pages around the cases: first page, guide before login, documents, probes, identity switch."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pilot import clock, due, policy, watermark
from pilot.context import Waiting, to_do
from pilot.downloads import SANDBOX, as_download
from pilot.errors import Refused
from pilot.forms import whole_number
from pilot.machines import MACHINES
from pilot.middleware import MEMBERSHIP_KEY, client_address, refusal
from pilot.models import Document
from pilot.registry import MachinePages, all_pages, contributors, guide_contributors
from pilot.rules import last_moment
from pilot.selectors import guide as guide_selector
from pilot.selectors import people, programmes
from pilot.services import audit, documents, operations
from pilot.services import people as people_service
from pilot.ui import Dashboard, MenuItem


@require_safe
def home(request: Any) -> HttpResponse:
    """To the actor's own first page."""
    if request.actor is None:
        words = _("您的账号目前没有有效的身份，请联系本单位管理员")
        return refusal(request, "403.html", status=403, reason=words)
    if policy.may_open("dashboard", request.actor.role):
        return redirect("dashboard")
    if policy.may_open("audit_list", request.actor.role):
        return redirect("audit_list")
    first = next(p.slug for p in all_pages() if policy.may_open(f"{p.slug}_list", request.actor.role))
    return redirect(f"{first}_list")


@require_safe
def dashboard(request: Any) -> HttpResponse:
    """Figures first, what waits for me, then the units and provinces; every number opens the rows it counts (O02)."""
    actor = request.actor
    board = Dashboard(title=_("工作台"), as_of=clock.now())
    found = to_do(request)
    board.todo = [
        _to_do(pages, what)
        for pages in all_pages()
        if (what := found.get(pages.slug)) is not None and what.number
    ]
    for contribute in contributors():
        contribute(board, actor)
    return render(request, "pages/dashboard.html", {"page": board})


def _to_do(pages: MachinePages, what: Waiting) -> MenuItem:
    """The way to what waits, how much it is, and by when the most urgent of it."""
    return MenuItem(
        str(pages.label),
        f"{reverse(f'{pages.slug}_list')}?waiting=me",
        pages.icon,
        what.number,
        due=last_moment(what.due) if what.due else None,
        due_mark=due.mark(what.due) if what.due else None,
    )


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    """办事指南 before login: who, conditions, materials, windows with their three faces, flow, contact."""
    programme = programmes.current()
    page = guide_selector.page(programme, at=clock.now())
    for contribute in guide_contributors():
        contribute(page, programme)
    return render(request, "pages/guide.html", {"page": page})


@require_POST
def switch_membership(request: Any) -> HttpResponse:
    """Act in another of one's roles."""
    chosen = (
        people.memberships(request.user)
        .filter(pk=whole_number(request.POST.get("membership", "")) or 0)
        .first()
    )
    if chosen is None:
        raise Http404
    request.session[MEMBERSHIP_KEY] = chosen.pk
    actor = chosen.as_actor(address=client_address(request))
    audit.record(action="account.role", actor=actor, object_type="membership", object_id=str(chosen.pk))
    messages.success(request, _("当前身份：%(who)s") % {"who": chosen})
    return redirect("home")


@require_POST
def display_keep(request: Any) -> HttpResponse:
    """Keep the display choices that are on with the reader's account; a script sends them after each change."""
    people_service.keep_display(actor=request.actor, classes=request.POST.getlist("on"))
    return HttpResponse(status=204)


def _open_document(request: Any, pk: int) -> Document:
    """A document of a case this actor may open, else 404."""
    row = get_object_or_404(Document, pk=pk)
    model = MACHINES[row.machine]
    role = request.actor.role
    if not policy.may_open(f"{row.machine}_detail", role) or not (
        model.objects.visible_to(request.actor).filter(pk=row.object_id).exists()
    ):
        raise Http404
    return row


@require_safe
def document(request: Any, pk: int) -> HttpResponse:
    """The original of a document, unmarked, its digest as recorded; never same-origin active content (S11)."""
    row = _open_document(request, pk)
    audit.record(action="document.read", actor=request.actor, subject=row)
    name = f"{row.title}.{documents.suffix_of(row.content_type)}"
    return file_response(documents.content_of(row), row.content_type, name)


@require_safe
def document_copy(request: Any, pk: int) -> HttpResponse:
    """The same PDF to read or print, with the reader's name on every page; the stored paper stays as it is."""
    row = _open_document(request, pk)
    if row.content_type != documents.PDF:
        raise Http404
    text = watermark.words(request.actor)
    try:
        content = watermark.on_pdf(documents.content_of(row), text=text, digest=row.sha256)
    except watermark.UnmarkableError as error:
        raise Refused(_("该文件无法加水印，请下载原件")) from error
    audit.record(action="document.copy", actor=request.actor, subject=row)
    return file_response(content, documents.PDF, _("%(title)s（阅览件）.pdf") % {"title": row.title})


@require_safe
def watermark_picture(request: Any) -> HttpResponse:
    """The reader's name and the time as a picture to lay over what is shown or printed."""
    response = HttpResponse(watermark.svg(watermark.words(request.actor)), content_type="image/svg+xml")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    return response


def file_response(content: bytes, content_type: str, name: str) -> HttpResponse:
    """A download with a fixed type, its own sandbox and a safe name."""
    return as_download(HttpResponse(content, content_type=content_type), name)


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and the files folder can be written; else 503 naming what is missing.

    ``alarms`` names what somebody has to look into though pages are answered.
    """
    missing, alarms = [], list[str]()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")  # nosemgrep: sql-in-a-view  (whether it answers at all)
        alarms = operations.alarms()
    except Exception:
        missing.append("database")
    try:
        settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
        (settings.MEDIA_ROOT / ".ready").touch()
    except OSError:
        missing.append("files")
    return JsonResponse(
        {
            "status": "missing" if missing else "alarm" if alarms else "ok",
            "missing": missing,
            "alarms": alarms,
        },
        status=503 if missing else 200,
    )
