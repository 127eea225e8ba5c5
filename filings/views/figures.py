"""What stands behind a figure: the forms that a unit's count of a period counts."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from filings.pages import figure_forms
from filings.periods import Period
from filings.selectors import members
from filings.selectors.units import counted_for, sees_whole
from filings.views.common import home
from pilot import clock
from pilot.enums import Province
from pilot.forms import whole_number
from pilot.selectors import register
from pilot.ui import Link, PlainPage, Section
from pilot.views.paging import page_of


@require_safe
def figure(request: Any, code: str, period: str, count: str) -> HttpResponse:
    """The forms (or rows, or uploads) that one count of a unit and period counts, as far as this actor counts them."""
    unit = get_object_or_404(register.units(request.actor, at=clock.now()), code=code)
    try:
        span = Period.parse(period)
        label = str(figure_forms.LABELS[count])
    except (ValueError, KeyError):
        raise Http404 from None
    toolbar: list[Link] = []
    if count in {"refused", "duplicates"}:
        if not sees_whole(request.actor, unit):
            raise Http404
        section = _at_the_door(request, unit, span, count, label, toolbar)
    else:
        section = _counted(request, unit, span, count, label, toolbar)
    page = PlainPage(
        title=f"{unit.organisation.name} · {figure_forms.period_words(span)} · {label}",
        crumbs=[home(), Link(unit.organisation.name, reverse("pilot-unit_detail", args=[code]))],
        sections=[section],
        toolbar=toolbar,
    )
    return render(request, "pages/plain.html", {"page": page})


def _counted(request: Any, unit: Any, span: Period, count: str, label: str, toolbar: list[Link]) -> Section:
    province = _province(request, unit)
    found = members.of_figure(
        unit=unit.pk,
        period=span,
        count=count,
        province=province,
        after=_place(request.GET.get("after", "")),
    )
    if found.following is not None:
        day, pk = found.following
        part = f"&province={province}" if province else ""
        toolbar.append(Link(_("下一页"), f"{request.path}?after={day}:{pk}{part}", "arrow-right"))
    total = counted_for(request.actor, unit, span, count, province)
    title = _("%(label)s：共 %(total)s 份") % {"label": label, "total": f"{total:,}"}
    if count not in members.ERRORS:
        return figure_forms.counted(title, found.forms)
    keys = [form.pk for form in found.forms]
    findings = members.explanations(keys, identity="m1" in count)
    return figure_forms.errors(title, found.forms, findings, request.actor)


def _province(request: Any, unit: Any) -> int | None:
    """Of which province's subjects: one's own for a bureau that sees a part, else the one asked for, else of all."""
    if not sees_whole(request.actor, unit):
        return int(request.actor.province)
    asked = request.GET.get("province", "")
    if not asked:
        return None
    number = whole_number(asked)
    if number is None or number not in Province:
        raise Http404
    return number


def _at_the_door(
    request: HttpRequest, unit: Any, span: Period, count: str, label: str, toolbar: list[Link]
) -> Section:
    rows = {"refused": members.refused, "duplicates": members.duplicated}[count](unit.pk, span)
    page = page_of(rows, request.GET)
    if page.has_next():
        toolbar.append(Link(_("下一页"), f"{request.path}?page={page.next_page_number()}", "arrow-right"))
    show: Any = figure_forms.refusals if count == "refused" else figure_forms.duplicates
    return show(label, page.object_list)


def _place(text: str) -> members.Place | None:
    """Where a page begins, as the link of the one before says it; anything else begins at the first."""
    day, _colon, pk = text.partition(":")
    try:
        return date.fromisoformat(day), int(pk)
    except ValueError:
        return None
