"""The provider's form: the task list, and the pages of its sections, saved in the background or by a button."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from applications.forms.drafting import SectionForm
from applications.models import Application
from applications.pages import form as page
from applications.rules.form import FormSection, is_blank
from applications.selectors import content, deadlines
from applications.selectors.form_schema import form_of
from applications.services.drafts import Clash, Merged, editing_obstacle, merge_draft
from applications.views.common import application_or_404
from pilot import clock
from pilot.errors import PilotError
from pilot.forms import refuse

AUTOSAVE = "X-Autosave"
LATER = "later"  # the button that saves without asking whether it is right


@require_safe
def application_form(request: Any, pk: int) -> HttpResponse:
    """The task list: sections in any order, each with how far it is (P03)."""
    case = application_or_404(request, pk)
    if obstacle := editing_obstacle(case, request.actor):
        return _elsewhere(request, case, obstacle)
    return render(request, "applications/form.html", {"page": page.form_page(case, at=clock.now())})


@require_http_methods(["GET", "HEAD", "POST"])
def application_section(request: Any, pk: int, section: str) -> HttpResponse:
    """One section. A post with ``X-Autosave`` is the page saving by itself and is answered in JSON (P04)."""
    case = application_or_404(request, pk)
    part = next((part for part in form_of(case.programme).sections if part.key == section), None)
    if part is None:
        raise Http404
    if request.method == "POST":
        return _autosave(request, case, part) if AUTOSAVE in request.headers else _save(request, case, part)
    if obstacle := editing_obstacle(case, request.actor):
        return _elsewhere(request, case, obstacle)
    if "faults" not in request.GET:
        return _page(request, case, _form(case, part))
    form = _form(case, part, _stored(case, part))
    form.full_clean()
    _add_faults(form, case)
    return _page(request, case, form, saved=bool(form.errors))


def _elsewhere(request: Any, case: Application, obstacle: str) -> HttpResponse:
    """Nothing is to be written now: how the application stands, or the draft as the end of the window left it."""
    messages.info(request, obstacle)
    behind = deadlines.left_behind(case, clock.now())
    return redirect("application_check" if behind else "application_progress", case.pk)


def _form(case: Application, part: FormSection, data: Any = None) -> SectionForm:
    return SectionForm(part, case=case, opened=content.open_targets(case), data=data)


def _stored(case: Application, part: FormSection) -> QueryDict:
    """The draft of a section as a browser would send it."""
    data = QueryDict(mutable=True)
    for field in part.fields:
        if not is_blank(value := case.draft.get(field.key)):
            data.setlist(field.key, value if isinstance(value, list) else [str(value)])
    return _carrying(data, case, part, keep={})


def _carrying(data: QueryDict, case: Application, part: FormSection, *, keep: Mapping[str, Any]) -> QueryDict:
    """What the page carries along beside the fields, brought up to what is stored; ``keep`` overrides the base."""
    keys = [field.key for field in part.fields if not field.fixed]
    data["base"] = json.dumps({**{key: case.draft.get(key) for key in keys}, **keep}, ensure_ascii=False)
    shown = {key: case.proposals[key]["value"] for key in keys if key in case.proposals}
    data["shown"] = json.dumps(shown, ensure_ascii=False)
    return data


def _add_faults(form: SectionForm, case: Application) -> None:
    """Tell at each field what would stand in the way of handing in."""
    found = content.current_faults(case, at=clock.now())
    of_this = [fault for fault in found if fault.target in form.fields]
    for fault, (_label, words) in zip(of_this, content.described(of_this, case.programme), strict=True):
        form.add_error(fault.target, words)


def _page(
    request: Any,
    case: Application,
    form: SectionForm,
    *,
    saved: bool = False,
    clashes: Sequence[Clash] = (),
    status: int = 200,
) -> HttpResponse:
    shown = page.section_page(
        case,
        form,
        at=clock.now(),
        checking=request.GET.get("from") == "check",
        saved=saved,
        clashes=clashes,
    )
    return render(request, "applications/section.html", {"page": shown}, status=status)


def _merge(request: Any, case: Application, form: SectionForm, *, by_itself: bool) -> Merged:
    sent = form.sent(by_itself=by_itself)
    return merge_draft(case=case, actor=request.actor, base=sent.base, seen=sent.seen, **sent.values)


# --- by the button -----------------------------------------------------------------------------------
def _save(request: Any, case: Application, part: FormSection) -> HttpResponse:
    form = _form(case, part, request.POST)
    fits = form.is_valid()
    base = form.cleaned_data["base"]
    try:
        merged = _merge(request, case, form, by_itself=False)
    except PilotError as refusal:
        refuse(form, refusal)
        return _page(request, case, form, status=refusal.status)
    if fits and not merged.clashes:
        return _onward(request, merged.case, part)
    # What was typed stays on the page; what was saved is no longer a difference to what is stored.
    unsaved = {clash.key for clash in merged.clashes} | set(form.errors)
    keep = {key: value for key, value in base.items() if key in unsaved}
    data = _carrying(request.POST.copy(), merged.case, part, keep=keep)
    form = _form(merged.case, part, data)
    form.full_clean()
    return _page(request, merged.case, form, clashes=merged.clashes, status=409 if merged.clashes else 422)


def _onward(request: Any, case: Application, part: FormSection) -> HttpResponse:
    """Where the button leads: what is wrong in this section, or else the next one (or whence one came)."""
    checking = request.GET.get("from") == "check"
    if request.POST.get("then") == LATER:
        messages.success(request, _("已保存：%(what)s") % {"what": part.title})
        return redirect("application_form", case.pk)
    keys = {field.key for field in part.fields} & content.open_targets(case)
    if any(fault.target in keys for fault in content.current_faults(case, at=clock.now())):
        here = reverse("application_section", args=[case.pk, part.key])
        return redirect(f"{here}?faults=1{'&from=check' if checking else ''}")
    check = reverse("application_check", args=[case.pk])
    if checking:
        return redirect(f"{check}#{part.key}")  # where the eye left it
    following = page.neighbour(case, part, +1)
    if following is None:
        return redirect(check)
    return redirect(following.url)


# --- in the background -------------------------------------------------------------------------------
def _autosave(request: Any, case: Application, part: FormSection) -> JsonResponse:
    form = _form(case, part, request.POST)
    form.is_valid()
    base = form.cleaned_data["base"]
    merged = _merge(request, case, form, by_itself=True)
    unsaved = {clash.key for clash in merged.clashes} | set(form.errors)
    keep = {key: value for key, value in base.items() if key in unsaved or f"other-{key}" in request.POST}
    carried = _carrying(QueryDict(mutable=True), merged.case, part, keep=keep)
    fields = form_of(case.programme).fields
    answer = {
        "revision": merged.case.revision,
        "saved_at": f"{localtime(clock.now()):%H:%M}",
        "base": carried["base"],
        "shown": carried["shown"],
        "clashes": {
            clash.key: render_to_string(
                "applications/choice.html", {"choice": page.clash_choice(fields[clash.key], clash)}, request
            )
            for clash in merged.clashes
        },
        "unfit": {key: str(errors[0]) for key, errors in form.errors.items()},
    }
    return JsonResponse(answer, status=409 if merged.clashes else 200)
