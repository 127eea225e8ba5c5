"""The inspector's pages: one form at a time, and the readings that a third person settles."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from filings.enums import InspectionState
from filings.models import Inspection, InspectionItem, InspectionReading
from filings.pages import inspection_reading as page
from filings.selectors import inspections as selector
from filings.services import inspections, reading
from filings.services.inspection_fields import described
from filings.views import standing_reason
from pilot.errors import Refused
from pilot.forms import whole_number


@require_http_methods(["GET", "HEAD", "POST"])
def inspection_read(request: Any, pk: int) -> HttpResponse:
    """The next form this person reads. A post gives its verdict, or asks for its full content with a reason."""
    case = _case(request, pk)
    if case.state != InspectionState.IN_PROGRESS:
        return _ended(request, case)
    if request.method != "POST":
        try:
            item = inspections.next_item(actor=request.actor, case=case)
        except Refused as refusal:  # it ended this very moment
            messages.error(request, str(refusal.message))
            return redirect("inspection_detail", case.pk)
        return _shown(request, case, item)
    item = _posted(request, case)
    if request.POST.get("act") == "unmask":
        if not (item.held_by_id == request.actor.person_id and item.identity_right is None):
            messages.error(request, _("该核验单已不在您手中"))
            return redirect("inspection_read", case.pk)
        return _unmasked(request, case, item)
    try:
        given = inspections.read_item(
            actor=request.actor,
            case=case,
            item=item,
            wrong=_wrong(request),
            remark=request.POST.get("remark", ""),
            turn=whole_number(request.POST.get("turn", "")),
        )
    except Refused as refusal:
        return _refused(request, case, item, refusal)
    _told(request, item, given)
    return redirect("inspection_read", case.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def inspection_settle(request: Any, pk: int) -> HttpResponse:
    """Two readings that differ, side by side, for a third person to decide between."""
    case = _case(request, pk)
    if case.state != InspectionState.IN_PROGRESS:
        return _ended(request, case)
    if request.method != "POST":
        return _shown(request, case, _to_settle(request, case), settling=True)
    item = _posted(request, case)
    if request.POST.get("act") == "unmask":
        if not selector.unsettled(case.pk).filter(pk=item.pk).exists() or not _third(request, item):
            raise Http404
        return _unmasked(request, case, item, settling=True)
    try:
        given = inspections.settle(
            actor=request.actor,
            case=case,
            item=item,
            wrong=_wrong(request),
            remark=request.POST.get("remark", ""),
        )
    except Refused as refusal:
        if not _third(request, item):
            messages.error(request, str(refusal.message))
            return redirect("inspection_detail", case.pk)
        return _shown(request, case, item, settling=True, error=str(refusal.message), status=422)
    _told(request, item, given)
    return redirect("inspection_settle", case.pk)


def _case(request: Any, pk: int) -> Inspection:
    """The inspection of this actor's own office; another office's is none of theirs to read."""
    rows = Inspection.objects.visible_to(request.actor).select_related(
        "unit__organisation", "unit__programme"
    )
    case: Inspection | None = rows.filter(pk=pk, organisation=request.actor.organisation_id).first()
    if case is None:
        raise Http404
    return case


def _ended(request: Any, case: Inspection) -> HttpResponse:
    """Outside the reading phase there is no reason to open a form here."""
    messages.error(request, _("检查尚未开始或已经结束"))
    return redirect("inspection_detail", case.pk)


def _posted(request: Any, case: Inspection) -> InspectionItem:
    rows = case.items.select_related("form__unit", "form__key")
    item: InspectionItem | None = rows.filter(pk=whole_number(request.POST.get("item", "")) or 0).first()
    if item is None:
        raise Http404
    return item


def _wrong(request: Any) -> list[str]:
    """The fields ticked as wrong; ``act=right`` says that there are none, whatever was ticked before.

    Raises :class:`Refused` where something is said to be wrong and nothing is ticked.
    """
    if request.POST.get("act") == "right":
        return []
    if not (wrong := request.POST.getlist("wrong")):
        raise Refused(_("请先勾选有差错的数据项"))
    return [str(field) for field in wrong]


def _third(request: Any, item: InspectionItem) -> bool:
    return selector.may_settle(item, person=request.actor.person_id)


def _to_settle(request: Any, case: Inspection) -> InspectionItem | None:
    rows = selector.unsettled(case.pk).select_related("form__unit", "form__key")
    return next((item for item in rows if _third(request, item)), None)


def _shown(
    request: Any,
    case: Inspection,
    item: InspectionItem | None,
    *,
    settling: bool = False,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of an item, masked. Opening the form is on record."""
    record = reading.read_form(actor=request.actor, form=item.form) if item else None
    return _page(request, case, item, record, settling=settling, error=error, status=status)


def _unmasked(
    request: Any, case: Inspection, item: InspectionItem, *, settling: bool = False
) -> HttpResponse:
    """The page of an item in full, for the reason chosen now or the one that stands."""
    chosen = request.POST.get("reason", "")
    reason = chosen or standing_reason.standing(request, case, settling=settling)
    try:
        record = reading.unmask_form(actor=request.actor, form=item.form, reason=reason)
    except Refused as refusal:
        return _shown(request, case, item, settling=settling, error=str(refusal.message), status=422)
    if chosen:
        standing_reason.keep(request, case, settling=settling, reason=chosen)
    return _page(request, case, item, record, settling=settling, unmasked=record is not None)


def _page(
    request: Any,
    case: Inspection,
    item: InspectionItem | None,
    record: dict[str, Any] | None,
    *,
    settling: bool,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """What was filled in stays."""
    shown = page.build(
        case,
        request.actor,
        item,
        record,
        settling=settling,
        wrong=request.POST.getlist("wrong"),
        remark=request.POST.get("remark", ""),
        reason=request.POST.get("reason", ""),
        standing=standing_reason.standing(request, case, settling=settling),
        **more,
    )
    return render(request, "filings/inspection_read.html", {"page": shown}, status=status)


def _refused(request: Any, case: Inspection, item: InspectionItem, refusal: Refused) -> HttpResponse:
    """The same form again with what was filled in; if somebody else has read it, the next, and what was found."""
    still = selector.open_for(
        case.pk,
        person=request.actor.person_id,
        first=inspections.reads_first(request.actor),
        at=request.arrived_at,
    )
    message = str(refusal.message)
    turn = request.POST.get("turn", "")
    if still.filter(pk=item.pk).exists() and turn in {"", str(inspections.turn_of(item))}:
        return _shown(request, case, item, error=message, status=422)
    found = described(request.POST.getlist("wrong"), request.POST.get("remark", "")) or _("全部正确")
    words = {"number": item.rank, "message": message, "found": found}
    messages.error(request, _("第 %(number)s 份：%(message)s（您的结果：%(found)s）") % words)
    return redirect("inspection_read", case.pk)


def _told(request: Any, item: InspectionItem, given: InspectionReading) -> None:
    found = described(sorted(selector.faults(given)), given.remark) or _("全部正确")
    messages.success(request, _("第 %(number)s 份已记录：%(found)s") % {"number": item.rank, "found": found})
