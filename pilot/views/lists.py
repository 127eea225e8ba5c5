"""What can be done with a list: take it away as a spreadsheet, act on many of its rows, keep its filter."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pilot import clock, policy
from pilot.errors import PilotError, Refused
from pilot.forms import whole_number
from pilot.models import Export, SavedView
from pilot.registry import Batch, MachinePages, all_pages
from pilot.services import batches, exports, saved_views
from pilot.ui import BatchPage, Checksum, Column, ExportPage, Fact, Link, Row, Tag
from pilot.views import listing
from pilot.views.filters import CaseFilter
from pilot.views.shell import file_response

MOST = 1_000  # cases of one batch
SHOWN = 10  # of them on the page that asks once more
RESULT = "batch-result"


def _pages(request: Any, machine: str) -> MachinePages:
    """The machine's pages, or 404 for whoever may not open its list."""
    pages = next((pages for pages in all_pages() if pages.slug == machine), None)
    if pages is None or not policy.may_open(f"{machine}_list", request.actor.role):
        raise Http404
    return pages


def _query(request: Any, pages: MachinePages) -> str:
    """Filter and order in the address. What the list does not know is an error here, not nothing: a batch or an
    export of more than was asked for would be worse than none."""
    form = CaseFilter(request.GET, pages=pages, actor=request.actor)
    if form.is_bound and not form.is_valid():
        raise Http404
    return listing.list_query(pages, request.actor, request.GET)


def _list(pages: MachinePages, query: str) -> str:
    return f"{reverse(f'{pages.slug}_list')}?{query or 'view=all'}"


# --- spreadsheets ---------------------------------------------------------------------------------
@require_POST
def list_export(request: Any, machine: str) -> HttpResponse:
    """The list as a spreadsheet: a short one at once, a long one as a job that reports on its own page (C08)."""
    columns = request.POST.get("columns", "")[:1000]
    if own := exports.own_list(machine):
        query = urlencode(own.asked(request.GET))
        table = _own_table(request, own, machine, query, columns)
    else:
        pages = _pages(request, machine)
        query = _query(request, pages)
        table = listing.table_of(pages, request.actor, query, columns)
    asked: dict[str, Any] = {
        "actor": request.actor, "machine": machine, "table": table, "query": query,
        "reason": request.POST.get("reason", ""),
    }  # fmt: skip
    try:
        return _exported(**asked, columns=columns)
    except PilotError as refusal:
        messages.error(request, str(refusal.message))
        return redirect(own.address(query) if own else _list(pages, query))


def _own_table(request: Any, own: exports.OwnList, machine: str, query: str, columns: str) -> exports.Table:
    """A list that is no machine's, as :func:`_query` has it: what it does not know is an error."""
    try:
        return own.read(machine, request.actor, query, columns)
    except Refused as refusal:
        raise Http404 from refusal


def _exported(*, table: exports.Table, columns: str, **asked: Any) -> HttpResponse:
    """The file of a short list, or the way to the page of the job; ``asked`` is as for :func:`exports.request`."""
    if table.total <= exports.AT_ONCE:
        content = exports.write_at_once(table=table, **asked)
        return file_response(content, exports.CONTENT_TYPE, exports.file_name(table.title))
    export = exports.request(table=table, columns=columns, language=get_language() or "", **asked)
    return redirect("export_detail", export.pk)


def _export(request: Any, pk: int) -> Export:
    export: Export | None = (
        Export.objects.visible_to(request.actor).filter(pk=pk).first() if request.actor else None
    )
    if export is None:
        raise Http404
    return export


@require_safe
def export_detail(request: Any, pk: int) -> HttpResponse:
    """How far a spreadsheet is; it can be left, a notice tells when it is done."""
    export = _export(request, pk)
    way = _way_to(request, export)
    waiting = export.finished_at is None and not export.failed
    asked_at = export.requested_at + clock.offset()  # shown by the clock in the page's head
    state = (
        Tag(_("正在生成"), "info")
        if waiting
        else Tag(_("未完成"), "danger")
        if export.failed
        else Tag(_("已完成"), "success")
    )
    page = ExportPage(
        title=_("导出：%(what)s") % {"what": way[-1].label},
        facts=[
            Fact(_("状态"), state),
            Fact(_("文件"), export.name),
            Fact(
                _("进度"),
                _("已写入 %(a)s / %(b)s 条") % {"a": f"{export.written:,}", "b": f"{export.total:,}"},
            ),
            Fact(_("申请时间"), asked_at),
            Fact(_("保留至"), asked_at + exports.KEPT),
            Fact("SHA-256", Checksum(export.sha256)),
        ],
        back=way[-1].url,
        waiting=waiting,
        file_url=reverse("export_file", args=[pk]) if export.finished_at else "",
        failed=export.get_failed_display(),
        crumbs=way,
    )
    return render(request, "pages/export.html", {"page": page})


def _way_to(request: HttpRequest, export: Export) -> list[Link]:
    """The way from the first page to the list an export was taken from, as it was asked for."""
    if own := exports.own_list(export.machine):
        home, last = Link(_("首页"), reverse("home")), Link(str(own.label), own.address(export.query))
    else:
        pages = _pages(request, export.machine)
        home, last = listing.crumbs(pages)
        last = replace(last, url=_list(pages, export.query))
    return [home, last]


@require_safe
def export_file(request: Any, pk: int) -> HttpResponse:
    """The finished spreadsheet, for whoever asked for it."""
    export = _export(request, pk)
    if export.finished_at is None:
        raise Http404
    return file_response(exports.read(export=export, actor=request.actor), exports.CONTENT_TYPE, export.name)


# --- saved views ----------------------------------------------------------------------------------
class ViewForm(forms.Form):
    """The name of a view, whether colleagues see it, whether the list opens with it."""

    name = forms.CharField(max_length=40)
    shared = forms.BooleanField(required=False)
    is_default = forms.BooleanField(required=False)


@require_POST
def list_views(request: Any, machine: str) -> HttpResponse:
    """Keep the filter of the address under a name (C06)."""
    pages = _pages(request, machine)
    query = _query(request, pages)
    form = ViewForm(request.POST)
    form.is_valid()
    chosen = {"name": "", **form.cleaned_data}
    try:
        view = saved_views.save(actor=request.actor, machine=machine, query=query, **chosen)
    except PilotError as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("已保存视图：%(name)s") % {"name": view.name})
    return redirect(_list(pages, query))


@require_POST
def list_view(request: Any, machine: str, pk: int) -> HttpResponse:
    """Forget a view, or let the list open with it; somebody else's can only be used."""
    pages = _pages(request, machine)
    view: SavedView | None = (
        SavedView.objects.visible_to(request.actor).filter(machine=machine, pk=pk).first()
    )
    if view is None:
        raise Http404
    query = view.query
    try:
        if request.POST.get("do") == "delete":
            saved_views.delete(view=view, actor=request.actor)
            messages.success(request, _("已删除视图：%(name)s") % {"name": view.name})
        else:
            on = request.POST.get("do") == "default"
            saved_views.set_default(view=view, actor=request.actor, on=on)
            messages.success(
                request,
                _("打开列表时默认使用：%(name)s") % {"name": view.name} if on else _("已取消默认视图"),
            )
    except PilotError as refusal:
        messages.error(request, str(refusal.message))
    return redirect(_list(pages, query))


# --- batches --------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def list_batch(request: Any, machine: str, name: str) -> HttpResponse:
    """Do something to several cases (C07): what will happen to which, then, confirmed, each on its own.

    GET shows what came of the last one, so that reloading the result repeats nothing.
    """
    pages = _pages(request, machine)
    batch = next((b for b in listing.open_batches(pages, request.actor) if b.name == name), None)
    if batch is None:
        raise Http404
    query = _query(request, pages)
    if request.method != "POST":
        return _result(request, pages, batch, query)
    cases, missing = _chosen(request, pages, batch, query)
    count = cases.count()
    if obstacle := _obstacle(count):
        messages.error(request, obstacle)
        return redirect(_list(pages, query))
    if "confirmed" not in request.POST:
        return _preview(request, pages, batch, query, cases)
    outcome = batches.run(
        name=f"{machine}.{name}", cases=cases, missing=missing, actor=request.actor, service=batch.service
    )
    words = _("%(act)s：成功 %(a)s，失败 %(b)s") % {
        "act": batch.label,
        "a": outcome.done,
        "b": len(outcome.failures),
    }
    if not outcome.failures:
        messages.success(request, words)
        return redirect(_list(pages, query))
    request.session[RESULT] = {
        "of": [machine, name, request.actor.membership_id],
        "words": words,
        "failures": [asdict(failure) for failure in outcome.failures],
    }
    return redirect(f"{request.path}?{query}")


def _chosen(request: Any, pages: MachinePages, batch: Batch, query: str) -> tuple[QuerySet[Any], int]:
    """The chosen cases in the order of the list, and how many of those named are not there for this actor.

    ``all`` stands for whatever answers the filter right now and fits the batch; a confirmation names the cases that
    were shown.
    """
    if request.POST.get("all") and "confirmed" not in request.POST:
        return batch.fitting(listing.rows_for(pages, request.actor, QueryDict(query))), 0
    given = {whole_number(pk) for value in request.POST.getlist("pick") for pk in value.split(",")}
    named = given - {None}
    rows = listing.rows_for(pages, request.actor, {}).filter(pk__in=named)
    return rows, len(named) - rows.count()


def _obstacle(count: int) -> str:
    if not count:
        return _("请先选择要办理的事项")
    if count > MOST:
        return _("一次最多办理 %(most)s 项，已选择 %(count)s 项，请缩小范围") % {
            "most": f"{MOST:,}",
            "count": f"{count:,}",
        }
    return ""


def _preview(
    request: Any, pages: MachinePages, batch: Batch, query: str, cases: QuerySet[Any]
) -> HttpResponse:
    rows = list(cases)
    columns = listing.columns_of(pages, request.actor)
    page = BatchPage(
        title=_("批量办理：%(act)s") % {"act": batch.label},
        effect=str(batch.effect or batch.label),
        back=_list(pages, query),
        count=len(rows),
        columns=[c.column for c in columns],
        rows=[listing.row_of(pages, case, columns) for case in rows[:SHOWN]],
        picked=",".join(str(case.pk) for case in rows),
        crumbs=listing.crumbs(pages),
    )
    return render(request, "pages/batch.html", {"page": page})


def _result(request: Any, pages: MachinePages, batch: Batch, query: str) -> HttpResponse:
    kept = request.session.get(RESULT)
    if not kept or kept["of"] != [pages.slug, batch.name, request.actor.membership_id]:
        return redirect(_list(pages, query))
    page = BatchPage(
        title=kept["words"],
        effect="",
        back=_list(pages, query),
        count=len(kept["failures"]),
        columns=[Column("case", _("未办理的事项")), Column("reason", _("原因"))],
        rows=[
            Row(
                reverse(f"{pages.slug}_detail", args=[one["pk"]]) if one["pk"] else "",
                [one["case"], one["reason"]],
            )
            for one in kept["failures"]
        ],
        crumbs=listing.crumbs(pages),
    )
    return render(request, "pages/batch_result.html", {"page": page})
