"""Pages of the stored forms: the list and one form, masked."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from filings.forms.verification import FormFilter
from filings.models import VerificationForm
from filings.pages import form_page, list_exports
from filings.selectors import forms as form_selector
from filings.services import reading
from filings.views.common import home
from pilot.ui import Empty, Link, ListPage
from pilot.views import disclosure
from pilot.views.paging import page_of


@require_safe
def form_list(request: Any) -> HttpResponse:
    """The stored forms this actor may know of."""
    form = FormFilter(request.GET or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    total = form_selector.number(request.actor, wanted)
    page = page_of(form_selector.listed(request.actor, wanted), request.GET, total=total)
    keys = [row.pk for row in page.object_list]
    # nosemgrep: unscoped-in-a-view  (the keys come from a scoped list)
    rows = form_selector.with_outcome(page.object_list.model.unscoped.filter(pk__in=keys))
    listing = ListPage(
        title=_("核验单"),
        columns=form_page.columns(),
        rows=[form_page.row(row) for row in rows.defer("ciphertext").order_by("-received_at", "-id")],
        total=page.paginator.count,
        empty=Empty(_("没有核验单"), _("试点单位上报并通过校验的核验单会列在这里")),
        crumbs=[home()],
        filter_form=form,
        filtered=any(value not in (None, "") for value in wanted.values()),
        page=page,
        export_url=list_exports.export_url(list_exports.FORMS, form) if total else "",
    )
    return render(request, "pages/list.html", {"page": listing})


@require_http_methods(["GET", "HEAD", "POST"])
def form_detail(request: Any, pk: int) -> HttpResponse:
    """A stored form, masked; opening it is on record, and so is a post that shows it in full."""
    visible = VerificationForm.objects.visible_to(request.actor).select_related("key", "unit__organisation")
    form = get_object_or_404(visible, pk=pk)
    asked = disclosure.asked(request, form)
    record = reading.opened(form) if asked.group else reading.read_form(actor=request.actor, form=form)
    page = form_page.detail(form, record, request.actor)
    page.crumbs = [home(), Link(_("核验单"), reverse("verification-form_list"))]
    return disclosure.answer(request, "pages/detail.html", page, asked)
