"""The provider checks its answers and hands in; whoever comes second ends on the same receipt."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from applications.forms.drafting import DeclarationForm
from applications.models import Application
from applications.pages import check as page
from applications.selectors import content, deadlines
from applications.services import proofs
from applications.services.drafts import editing_obstacle
from applications.views.common import application_or_404
from pilot import clock, workflow
from pilot.downloads import as_download
from pilot.errors import Refused, StateChanged
from pilot.forms import refuse, whole_number
from pilot.registry import pages_of
from pilot.views.cases import arrived_after


@require_http_methods(["GET", "HEAD", "POST"])
def application_check(request: Any, pk: int) -> HttpResponse:
    """All answers with the way to change them, the declaration, and the button that hands in (P07)."""
    case = application_or_404(request, pk)
    if request.method == "POST":
        return _hand_in(request, case)
    behind = deadlines.left_behind(case, clock.now())  # then the page says so and shows the draft
    if not behind and (obstacle := editing_obstacle(case, request.actor)):
        return _elsewhere(request, case, obstacle)
    return _page(request, case, DeclarationForm(case=case, actor=request.actor))


def _hand_in(request: Any, case: Application) -> HttpResponse:
    """Fire the act the page was made for. A second post of it finds the case moved on and gets the receipt."""
    seen, step = request.POST.get("seen", ""), whole_number(request.POST.get("seen_step", ""))
    act = page.ACTS.get(seen)
    form = DeclarationForm(request.POST, case=case, actor=request.actor)
    if act is None or step is None:
        return redirect("application_check", case.pk)
    if case.state != seen:
        return _elsewhere(request, case, _("申请的状态已改变，请按现在的状态办理"))
    if not form.is_valid():
        return _page(request, case, form)
    try:
        workflow.fire(
            case,
            act,
            actor=request.actor,
            seen=seen,
            seen_step=step,
            at=arrived_after(request, case),
            declaration=True,
            checked=request.POST.get("checked", ""),
        )
    except StateChanged as changed:
        case.refresh_from_db()
        return _elsewhere(request, case, str(changed.message))
    except Refused as refusal:
        case.refresh_from_db()
        refuse(form, refusal)
        return _page(request, case, form)
    return redirect("application_receipt", case.pk)


def _elsewhere(request: Any, case: Application, reason: str) -> HttpResponse:
    """The application is not to be handed in now: the receipt of what was, or else how it stands."""
    if reason and (case.submitted_at is None or case.state in content.EDITABLE):
        messages.info(request, reason)
    return redirect("application_receipt" if case.submitted_at else "application_progress", case.pk)


def _page(request: Any, case: Application, form: Any) -> HttpResponse:
    effect = str(pages_of(case.slug()).effects[page.ACTS[case.state]])
    shown = page.check_page(case, request.actor, form, at=clock.now(), effect=effect)
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "applications/check.html", {"page": shown}, status=status)


@require_safe
def application_receipt(request: Any, pk: int) -> HttpResponse:
    """What was handed in last, at any later time (P08)."""
    case = application_or_404(request, pk)
    version = content.latest_version(case)
    if version is None:
        raise Http404
    return render(request, "applications/receipt.html", {"page": page.receipt_page(case, version)})


@require_safe
def application_proof(request: Any, pk: int) -> HttpResponse:
    """That what was handed in last stands in the audit log, as a file that ``docs/verify_audit.py`` verifies."""
    version = content.latest_version(application_or_404(request, pk))
    found = proofs.proof(version) if version else None
    if found is None:
        raise Http404
    response = JsonResponse(found, json_dumps_params={"ensure_ascii": False, "indent": 1})
    return as_download(response, "proof.json")
