"""Pages of the pilot units: the register, a unit, and what officials do to its entry."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from filings.forms.units import DayForm, LicenceForm, ScopeForm
from filings.pages import list_exports, unit_page, unit_scope
from filings.pages import register as register_page
from filings.selectors.units import unit_views
from filings.views.common import home
from pilot import clock
from pilot.errors import PilotError, StateChanged
from pilot.forms import refuse, whole_number
from pilot.rules import SHANGHAI, local_day
from pilot.selectors import register
from pilot.services import licences
from pilot.services import register as services
from pilot.ui import ActPage, Empty, Fact, Link, ListPage
from pilot.views.paging import page_of


def crumbs_of(unit: Any = None) -> list[Link]:
    """The way to the register, or to one of its units."""
    crumbs = [home(), Link(_("试点单位名录"), reverse("pilot-unit_list"))]
    return [*crumbs, Link(unit.organisation.name, _url(unit))] if unit else crumbs


def _url(unit: Any) -> str:
    return reverse("pilot-unit_detail", args=[unit.code])


def unit_or_404(request: Any, code: str) -> Any:
    """The unit with its status as of now, or 404 when it does not exist for this actor."""
    units = register.units(request.actor, at=clock.now()).select_related("programme")
    return get_object_or_404(units, code=code)


@require_safe
def unit_list(request: Any) -> HttpResponse:
    """The register of pilot units with scope, licence and figures to date."""
    form, sort = register_page.filter_form(request.GET), request.GET.get("sort", "")
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    units = register.units(request.actor, at=clock.now())
    page = page_of(register_page.rows_for(units, wanted, sort), request.GET)
    listing = ListPage(
        title=_("试点单位名录"),
        columns=register_page.columns(),
        rows=register_page.lines(request.actor, list(page), days=form.days),
        total=page.paginator.count,
        empty=Empty(_("没有试点单位"), _("名单公布后，试点单位会列在这里")),
        crumbs=[home()],
        filter_form=form,
        filtered=any(wanted.values()),
        page=page,
        export_url=list_exports.export_url(list_exports.REGISTER, form, sort) if page.paginator.count else "",
    )
    return render(request, "pages/list.html", {"page": listing})


@require_safe
def unit_detail(request: Any, code: str) -> HttpResponse:
    """A unit: its figures by month with their trend, its status over time, its scope, what is open about it."""
    (view,) = unit_views(request.actor, of=[unit_or_404(request, code)])
    form = DayForm(request.GET or None)
    day = form.cleaned_data["on"] if form.is_bound and form.is_valid() else None
    at = datetime.combine(day, time.min, SHANGHAI) if day else clock.now()
    page = unit_page.detail(view, request.actor, at=at, form=form)
    page.crumbs = crumbs_of()
    return render(request, "filings/unit.html", {"page": page})


# --- switches ---------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def unit_switch(request: Any, code: str) -> HttpResponse:
    """Open or close part of a unit's scope: the form, then what it would do, then, confirmed, it is done."""
    unit = unit_or_404(request, code)
    form = ScopeForm(
        request.POST if request.method == "POST" else None,
        actor=request.actor,
        initial={"effective_from": local_day(clock.now())},
    )
    step = request.POST.get("step")
    if request.method != "POST" or step == "edit" or not form.is_valid():
        return _switch_form(request, unit, form)
    if step != "confirm":
        return _switch_preview(request, unit, form)
    try:
        seen = whole_number(request.POST.get("seen", ""))
        services.set_scope(
            actor=request.actor,
            unit=unit,
            **form.cleaned_data,
            seen=-1 if seen is None else seen,
        )
    except StateChanged as changed:
        messages.error(request, str(changed.message))
        return _switch_preview(request, unit, form)
    except PilotError as refusal:
        refuse(form, refusal)
        return _switch_form(request, unit, form)
    messages.success(request, _("已办理：%(act)s") % {"act": _("调整开通范围")})
    return redirect(_url(unit))


def _switch_page(unit: Any, form: Any) -> unit_scope.SwitchPage:
    return unit_scope.SwitchPage(
        title=_("调整开通范围"),
        number=f"{unit.code} {unit.organisation.name}",
        back=_url(unit),
        crumbs=crumbs_of(unit),
        form=form,
        facts=[Fact(_("试点单位"), f"{unit.code} {unit.organisation.name}")],
    )


def _switch_form(request: HttpRequest, unit: Any, form: Any) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    page = _switch_page(unit, form)
    page.opened = unit_scope.opened(register.scope_of(unit), at=clock.now())
    return render(request, "filings/unit_switch.html", {"page": page}, status=status)


def _switch_preview(request: HttpRequest, unit: Any, form: Any) -> HttpResponse:
    """What the switch would do; where it is not possible, the form with the reason."""
    chosen = form.cleaned_data
    try:
        plan = services.plan_switch(
            unit=unit, **{name: value for name, value in chosen.items() if name != "reason"}
        )
    except PilotError as refusal:
        refuse(form, refusal)
        return _switch_form(request, unit, form)
    page = _switch_page(unit, form)
    page.title = _("确认开通") if plan.opened else _("确认关闭")
    page.facts = [*page.facts, unit_scope.effect_fact(plan), Fact(_("理由"), chosen["reason"])]
    page.preview, page.notes = unit_scope.preview(plan), unit_scope.notes(plan)
    page.danger = not plan.opened
    page.carried = [
        *[(name, value) for name in form.fields for value in request.POST.getlist(name)],
        ("seen", str(plan.seen)),
    ]
    return render(request, "pages/confirm.html", {"page": page})


# --- the licence ------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def unit_licence(request: Any, code: str) -> HttpResponse:
    """The bureau of the unit's home province records until when the renewed licence holds."""
    unit = unit_or_404(request, code)
    if unit.province != request.actor.province:
        raise Http404
    form = LicenceForm(request.POST if request.method == "POST" else None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            licences.renew_licence(actor=request.actor, unit=unit, **form.cleaned_data)
        except PilotError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("已办理：%(act)s") % {"act": _("登记延续后的许可证")})
            return redirect(_url(unit))
    last = unit.licence_expires_on.isoformat() if unit.licence_expires_on else "--"
    page = ActPage(
        title=_("登记延续后的许可证"),
        subject=f"{unit.code} {unit.organisation.name}",
        effect=_("有效期由 %(day)s 改为所填日期，并通知试点单位") % {"day": last},
        back=_url(unit),
        form=form,
        crumbs=crumbs_of(unit),
    )
    return render(request, "pages/act.html", {"page": page}, status=422 if form.errors else 200)
