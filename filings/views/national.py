"""Pages of the national system's answers to one unit: reconciliation by month, files, and the import."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from filings.forms.national import LISTS, ImportForm, ReconciliationFilter
from filings.models import NationalFile
from filings.pages import national as pages
from filings.selectors import national as selector
from filings.services import national
from filings.services.national import Imported
from filings.views.units import crumbs_of, unit_or_404
from pilot import policy
from pilot.errors import PilotError
from pilot.ui import ActPage, Empty, Link, ListPage, PlainPage, Section
from pilot.views.paging import page_of

SHOWN_FILES = 10


def _asked(request: Any, code: str) -> tuple[selector.Scope, ReconciliationFilter, str]:
    """Unit, month and list that the address asks for."""
    month, show = selector.month_of(request.GET.get("month", "")), request.GET.get("show", "")
    show = show if show in selector.LISTS else LISTS[0][0]
    default = {"month": selector.month_of("").name, "show": LISTS[0][0]}
    form = ReconciliationFilter({"month": month.name, "show": show}, initial=default)
    return selector.Scope(request.actor, unit_or_404(request, code), month), form, show


def _crumbs(unit: Any) -> list[Link]:
    return [*crumbs_of(unit), Link(_("与全国系统核对"), reverse("national", args=[unit.code]))]


@require_safe
def reconciliation(request: Any, code: str) -> HttpResponse:
    """What of a unit's month the national system has, and what only one of the two knows of."""
    scope, form, show = _asked(request, code)
    page = page_of(selector.LISTS[show](scope), request.GET)
    listing = ListPage(
        title=_("与全国系统核对：%(unit)s") % {"unit": scope.unit.organisation.name},
        intro=pages.intro(scope.month.name, selector.counts(scope)),
        columns=pages.columns(show),
        rows=[pages.row(show, one) for one in page.object_list],
        total=page.paginator.count,
        empty=Empty(_("本月此清单为空"), str(dict(LISTS)[show])),
        crumbs=crumbs_of(scope.unit),
        filter_form=form,
        filtered=bool(request.GET),
        page=page,
        toolbar=_toolbar(scope),
        export_url=pages.export_url(scope, show) if page.paginator.count else "",
    )
    return render(request, "pages/list.html", {"page": listing})


def _toolbar(scope: selector.Scope) -> list[Link]:
    links = []
    if policy.may_open("national_import", scope.actor.role):
        links.append(Link(_("导入反馈文件"), reverse("national_import", args=[scope.unit.code]), "upload"))
    files = NationalFile.objects.visible_to(scope.actor).filter(unit=scope.unit)
    last = files.order_by("-pk").select_related("unit").first()
    return [*links, Link(_("最近导入的文件"), pages.file_link(last).url, "history")] if last else links


@require_safe
def file_detail(request: Any, code: str, pk: int) -> HttpResponse:
    """An imported file and what became of its records; beside it the other files of the unit."""
    unit = unit_or_404(request, code)
    files = NationalFile.objects.visible_to(request.actor).filter(unit=unit)
    file = get_object_or_404(files.select_related("unit__organisation", "imported_by"), pk=pk)
    page = PlainPage(
        _("全国系统反馈文件"),
        crumbs=_crumbs(unit),
        sections=[
            Section(_("基本信息"), facts=pages.file_facts(file)),
            *pages.file_result(file),
            *pages.other_files(files.exclude(pk=pk).select_related("unit").order_by("-pk")[:SHOWN_FILES]),
        ],
    )
    return render(request, "pages/plain.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: Any, code: str) -> HttpResponse:
    """An official imports a file of answers, or tries what would become of it."""
    unit = unit_or_404(request, code)
    form = ImportForm(request.POST or None, request.FILES or None, actor=request.actor)
    page = ActPage(
        title=_("导入反馈文件"),
        subject=f"{unit.code} {unit.organisation.name}",
        effect=_(
            "回执和审核意见对应到核验单；主体核查注明错误原因的，转为差错并通知试点单位；重复导入不产生变化"
        ),
        back=reverse("national", args=[code]),
        form=form,
        crumbs=_crumbs(unit),
        multipart=True,
        submit_label=_("提交文件"),
    )
    if request.method == "POST" and form.is_valid():
        try:
            imported = _take(request, unit, form)
        except PilotError as refusal:
            form.add_error("file", str(refusal.message))
        else:
            if imported.file is not None:
                messages.success(request, _("已办理：%(act)s") % {"act": page.title})
                return redirect(pages.file_link(imported.file).url)
            title = _("试算结果，未保存") if form.cleaned_data["dry_run"] else _("此文件已导入过，没有变化")
            counts = asdict(imported.counts)
            page.sections = list(
                pages.result_sections(counts, imported.refused, imported.ignored, title=title)
            )
    return render(request, "pages/act.html", {"page": page}, status=422 if form.errors else 200)


def _take(request: Any, unit: Any, form: Any) -> Imported:
    file = form.cleaned_data["file"]
    return national.import_national(
        actor=request.actor, unit=unit, source=file, name=file.name, dry_run=form.cleaned_data["dry_run"]
    )
