"""The catalogue of criteria: for everybody who assesses or concludes to read, for the ministry's officers to revise."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from assessment.pages import catalogue
from assessment.pages.catalogue_form import CatalogueForm
from assessment.services import criteria as service
from pilot.errors import Refused, StateChanged
from pilot.forms import refuse, whole_number
from pilot.selectors import programmes
from pilot.ui import ActPage, Link


@require_safe
def criteria(request: Any) -> HttpResponse:
    """The catalogue in force, or an earlier one with ``?version=``."""
    version = whole_number(request.GET.get("version", ""))
    page = catalogue.page(programmes.current(), request.actor, version=version)
    if page is None:
        raise Http404
    return render(request, "pages/plain.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def criteria_edit(request: Any) -> HttpResponse:
    """A new edition: what is typed becomes the catalogue of the assessments that begin from then on."""
    programme = programmes.current()
    version, current = service.in_force(programme)
    data = request.POST if request.method == "POST" else None
    form = CatalogueForm(data, criteria=current, initial={"seen": version})
    if request.method == "POST" and form.is_valid():
        try:
            edition = service.issue(
                actor=request.actor,
                programme=programme,
                seen=form.cleaned_data["seen"],
                criteria=form.chosen(),
                reason=form.cleaned_data["reason"],
            )
        except (Refused, StateChanged) as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("已发布第 %(n)s 版，用于以后分派的评估") % {"n": edition.version})
            return redirect("criteria")
    back = reverse("criteria")
    page = ActPage(
        title=_("修订评估指标"),
        subject=_("现行第 %(n)s 版") % {"n": version},
        effect=_("保存后成为新的版本，用于以后分派的评估；进行中和已结束的评估不变"),
        back=back,
        form=form,
        crumbs=[Link(_("首页"), reverse("home")), Link(_("评估指标"), back)],
    )
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "assessment/criteria_edit.html", {"page": page}, status=status)
