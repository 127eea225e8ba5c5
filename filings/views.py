"""Pages of the run phase that are no machine: stored forms, published bulletins. Units are in ``unit_views``."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from filings.enums import BulletinState
from filings.models import Bulletin, VerificationForm
from filings.pages import bulletins, form_page
from filings.selectors import forms as form_selector
from filings.services import reading
from pilot.enums import Province
from pilot.ui import Column, Empty, Link, ListPage, PlainPage, Row, Section

PAGE_SIZES = (10, 20, 50, 100)
DEFAULT_SIZE = 20
ANY = ("", gettext_lazy("全部"))


def home() -> Link:
    """The way to the first page."""
    return Link(_("首页"), reverse("home"))


def page_of(request: HttpRequest, rows: Any) -> Any:
    """The page of a list that the address asks for, of the size it asks for."""
    size = request.GET.get("size", "")
    chosen = int(size) if size.isdigit() and int(size) in PAGE_SIZES else DEFAULT_SIZE
    return Paginator(rows, chosen).get_page(request.GET.get("page"))


# --- stored forms ---------------------------------------------------------------------------------
class FormFilter(forms.Form):
    """The filter bar of the stored forms: only what lies in clear."""

    form_no = forms.CharField(label=gettext_lazy("核验单编号"), required=False, max_length=160)
    province = forms.TypedChoiceField(
        label=gettext_lazy("主体所在省"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[ANY, *Province.choices],
    )
    unit = forms.CharField(label=gettext_lazy("试点单位编号"), required=False, max_length=32)
    since = forms.DateField(label=gettext_lazy("计入日期从"), required=False)
    until = forms.DateField(label=gettext_lazy("计入日期到"), required=False)
    late = forms.ChoiceField(
        label=gettext_lazy("迟报"),
        required=False,
        choices=[ANY, ("no", gettext_lazy("否")), ("yes", gettext_lazy("是"))],
    )


@require_safe
def form_list(request: Any) -> HttpResponse:
    """The stored forms this actor may know of."""
    form = FormFilter(request.GET or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    page = page_of(request, form_selector.listed(request.actor, wanted))
    keys = [row.pk for row in page.object_list]
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
    )
    return render(request, "pages/list.html", {"page": listing})


@require_safe
def form_detail(request: Any, pk: int) -> HttpResponse:
    """A stored form, masked; opening it is on record."""
    visible = VerificationForm.objects.visible_to(request.actor).select_related("key", "unit__organisation")
    form = get_object_or_404(visible, pk=pk)
    record = reading.read_form(actor=request.actor, form=form)
    page = form_page.detail(form, record, request.actor)
    page.crumbs = [home(), Link(_("核验单"), reverse("verification-form_list"))]
    return render(request, "pages/detail.html", {"page": page})


# --- published bulletins --------------------------------------------------------------------------
@require_safe
def published_bulletin(request: Any, pk: int | None = None) -> HttpResponse:
    """Published bulletins, readable by anyone: all of them, or one with its table."""
    rows = Bulletin.unscoped.filter(state=BulletinState.PUBLISHED).select_related("corrects")
    if pk is None:
        page = PlainPage(_("试点运行情况通报"), sections=[_published(rows.order_by("-sequence"))])
        return render(request, "pages/plain.html", {"page": page})
    bulletin = rows.filter(pk=pk).first()
    if bulletin is None:
        raise Http404
    facts = Section(_("基本信息"), facts=bulletins.facts(bulletin, None))
    page = PlainPage(
        f"{bulletin} {bulletin.number}",
        crumbs=[Link(_("试点运行情况通报"), reverse("published_bulletin"))],
        sections=[facts, *bulletins.sections(bulletin, None)],
    )
    return render(request, "pages/plain.html", {"page": page})


def _published(rows: Any) -> Section:
    return Section(
        _("已发布的通报"),
        columns=[Column("number", _("期号")), Column("period", _("月份")), Column("at", _("发布时间"))],
        rows=[
            Row(reverse("published_bulletin", args=[b.pk]), [b.number, b.period, b.state_since]) for b in rows
        ],
        empty=_("尚未发布通报"),
    )
