"""The generic pages of a case of any machine: case, act, task and beginning. Its list is in ``listing``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pilot import clock, due, policy, workflow
from pilot.actors import Actor
from pilot.errors import NotPermitted, PilotError, Refused, StateChanged
from pilot.forms import RemarkForm, refuse, whole_number
from pilot.machines import Case, declared
from pilot.registry import MachinePages, Task, pages_of
from pilot.rules import last_moment
from pilot.tones import state_tag
from pilot.ui import ActionItem, ActPage, DetailPage, Link, Section, contents_of
from pilot.views import case_parts, disclosure
from pilot.views.listing import crumbs, visible_rows


def visible_case(request: Any, pages: MachinePages, pk: int) -> Any:
    """The case, or 404 when it does not exist for this actor."""
    case = visible_rows(pages, request.actor).filter(pk=pk).first()
    if case is None:
        raise Http404
    return case


@require_http_methods(["GET", "HEAD", "POST"])
def case_detail(request: Any, slug: str, pk: int) -> HttpResponse:
    """One case: facts, what can be done and why not, timeline, documents, diagram, related cases.

    A post shows one group of personal data in full, for this answer (C12).
    """
    pages = pages_of(slug)
    case = visible_case(request, pages, pk)
    asked = disclosure.asked(request, case)
    return disclosure.answer(request, "pages/detail.html", detail_page(request, pages, case), asked)


def detail_page(request: Any, pages: MachinePages, case: Any) -> DetailPage:
    """What the page of a case shows, all that is personal masked, for machines whose page has more on it."""
    end = pages.due(case)
    sections = pages.sections(case, request.actor)
    return DetailPage(
        title=case.title,
        kind="" if str(pages.label) in case.title else str(pages.label),
        number=case.number,
        state=state_tag(case),
        crumbs=crumbs(pages),
        facts=pages.all_facts(case, request.actor),
        sections=sections,
        actions=_actions(pages, case, request.actor),
        waiting_for=pages.awaits(case, request.actor) or case_parts.waiting_for(case),
        since=case.state_since,
        due=last_moment(end) if end else None,
        due_mark=due.mark(end) if end else None,
        timeline=case_parts.timeline(case, request.actor),
        documents=case_parts.documents(case, request.actor),
        diagram=case_parts.diagram(case),
        related=[*pages.links(case, request.actor), *case_parts.related(case, request.actor)],
        seen_state=case.state,
        contents=contents_of(sections) if pages.long else (),
    )


def _actions(pages: MachinePages, case: Case, actor: Any) -> list[ActionItem]:
    """What this actor may do, or why not: what goes on comes first, what takes back or throws away comes last.

    The first of them is the main one, unless it is red, or one of several verdicts.
    """
    openings = list(pages.openings(case, actor))
    steps = _steps(pages, case, actor)
    items = [
        *(step for step in steps if step.name not in case_parts.ASIDE),
        *_tasks(pages, case, actor),
        *(step for step in steps if step.name in case_parts.ASIDE),
    ]
    if items and not openings:
        first = items[0]
        held_back = first.danger or first.name in pages.verdicts | case_parts.ASIDE
        items[0] = replace(first, primary=first.allowed and not held_back)
    return [*openings, *items]


def _steps(pages: MachinePages, case: Case, actor: Any) -> list[ActionItem]:
    """The transitions, the red ones after the others."""
    items = [
        ActionItem(
            action.name,
            pages.label_of(case, action.name),
            action.allowed,
            action.reason,
            reverse(pages.own_pages[action.name], args=[case.pk])
            if action.name in pages.own_pages
            else reverse(f"{pages.slug}_act", args=[case.pk, action.name]),
            danger=action.name in pages.danger,
        )
        for action in workflow.available_actions(case, actor)
    ]
    return sorted(items, key=lambda item: item.danger)


def _tasks(pages: MachinePages, case: Case, actor: Any) -> Iterator[ActionItem]:
    over = not workflow.next_steps(case)  # nothing follows, so nothing is only not possible yet
    for task in pages.tasks:
        if not policy.may_act(pages.slug, task.name, actor.role):
            continue
        obstacle = task.obstacle(case, actor)
        if obstacle is None or not over:
            url = reverse(f"{pages.slug}_task", args=[case.pk, task.name])
            yield ActionItem(task.name, str(task.label), obstacle is None, str(obstacle or ""), url)


def _submitted(request: HttpRequest) -> tuple[Any, Any]:
    """Data and files for a form: None for both until something is posted (an empty post is an answer, too)."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _seen(request: Any, case: Case) -> dict[str, Any]:
    """What the actor saw when the page of the act was opened: the state and the number of steps taken by then."""
    return {
        "seen": request.POST.get("seen", case.state),
        "seen_step": whole_number(request.POST.get("seen_step", "")),
    }


def arrived_after(request: Any, case: Case) -> datetime:
    """The business time an act of this request carries: its arrival, so that who came in time is in time however long
    it takes; but never before the step that led to the state it acts on."""
    return max(request.arrived_at, case.state_since)


def _chosen_on(request: Any, pages: MachinePages, pk: int) -> str:
    """Where an act leads back to: the case, or the page of the shortcut, which goes on with the list it came from."""
    shortcut = pages.shortcut
    if shortcut and "list" in request.GET and policy.may_open(shortcut.url_name, request.actor.role):
        return f"{reverse(shortcut.url_name, args=[pk])}?{request.GET.urlencode()}"
    return reverse(f"{pages.slug}_detail", args=[pk])


@require_http_methods(["GET", "HEAD", "POST"])
def case_act(request: Any, slug: str, pk: int, name: str) -> HttpResponse:
    """Carry out one transition: GET shows object and effect, POST does it (C15). Works without JavaScript."""
    pages = pages_of(slug)
    case = visible_case(request, pages, pk)
    if name not in {t.name for t in declared(pages.model)}:
        raise Http404
    if not policy.may_act(slug, name, request.actor.role):
        denial = workflow.not_permitted(pages.model, name)
        workflow.record_denial(case, name, actor=request.actor, error=denial)
        raise denial
    form_class = pages.forms.get(name, RemarkForm)
    back = _chosen_on(request, pages, pk)
    obstacle = workflow.why_not(case, name, actor=request.actor, at=clock.now())
    if obstacle is not None and (request.method != "POST" or isinstance(obstacle, StateChanged)):
        messages.error(request, str(obstacle.message))
        return redirect(back)
    form = form_class(*_submitted(request), case=case, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            at = arrived_after(request, case)
            workflow.fire(case, name, actor=request.actor, at=at, **_seen(request, case), **form.cleaned_data)
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("已办理：%(act)s") % {"act": pages.label_of(case, name)})
            return redirect(back)
    for field, value in (("seen", case.state), ("seen_step", workflow.steps(case))):
        form.fields[field] = forms.CharField(initial=value, widget=forms.HiddenInput(), required=False)
    target = next(t.target for t in declared(pages.model) if t.name == name)
    effect = pages.effect_of(case, name) or _("状态变为“%(state)s”") % {
        "state": workflow.state_label(pages.model, target)
    }
    return _act_page(
        request, pages, case, form, title=pages.label_of(case, name), effect=effect, back=back,
        danger=name in pages.danger, sections=_preview(pages, name, case, request.actor),
    )  # fmt: skip


def _preview(pages: MachinePages, name: str, case: Case, actor: Actor) -> Sequence[Section]:
    preview = pages.previews.get(name)
    return preview(case, actor) if preview else ()


@require_http_methods(["GET", "HEAD", "POST"])
def case_task(request: Any, slug: str, pk: int, name: str) -> HttpResponse:
    """Do something to a case that is no transition."""
    pages = pages_of(slug)
    case = visible_case(request, pages, pk)
    task: Task | None = next((t for t in pages.tasks if t.name == name), None)
    if task is None:
        raise Http404
    if not policy.may_act(slug, name, request.actor.role):
        workflow.record_denial(case, name, actor=request.actor, error=NotPermitted(""))
        raise Http404
    back = reverse(f"{slug}_detail", args=[pk])
    if obstacle := task.obstacle(case, request.actor):
        messages.error(request, str(obstacle))
        return redirect(back)
    form = task.form(*_submitted(request), case=case, actor=request.actor, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        try:
            task.service(case=case, actor=request.actor, **form.cleaned_data)
        except PilotError as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("已办理：%(act)s") % {"act": task.label})
            return redirect(back)
    return _act_page(
        request, pages, case, form, title=str(task.label), effect=str(task.effect or task.label), back=back,
        sections=_preview(pages, name, case, request.actor),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def case_create(request: Any, slug: str) -> HttpResponse:
    """Begin a case of a machine."""
    pages = pages_of(slug)
    creation = pages.creation
    if creation is None:
        raise Http404
    query = urlencode(request.GET)
    form = creation.form(*_submitted(request), actor=request.actor, initial=request.GET.dict())
    back = reverse(f"{slug}_list") if request.actor else reverse("guide")
    if request.method == "POST" and form.is_valid():
        try:
            actor = request.actor or _anonymous(request)
            arrival = {"at": request.arrived_at} if creation.timed else {}
            case = creation.service(actor=actor, **form.cleaned_data, **arrival)
        except PilotError as refusal:
            refuse(form, refusal)
        else:
            if creation.url_name:
                return redirect(creation.url_name, case.pk)
            messages.success(request, _("已提交：%(what)s") % {"what": pages.label})
            return redirect(f"{slug}_detail", case.pk) if request.actor else redirect(f"{back}?{query}")
    label = str(creation.label)
    return _act_page(
        request, pages, None, form, title=label, effect=str(creation.effect or label), back=back,
        sections=creation.about(form, request.actor),
    )  # fmt: skip


def _anonymous(request: HttpRequest) -> Actor:
    return Actor(role="", name="anonymous", address=request.META.get("REMOTE_ADDR"))


def _act_page(
    request: Any, pages: MachinePages, case: Case | None, form: Any, *, title: str, effect: str, back: str,
    danger: bool = False, sections: Sequence[Section] = (),
) -> HttpResponse:  # fmt: skip
    page = ActPage(
        title=title,
        subject=f"{case.title} {case.number}" if case else "",  # one that is begun is nothing yet
        effect=effect,
        back=back,
        form=form,
        crumbs=[*crumbs(pages), *([Link(case.title, back)] if case else [])],
        danger=danger,
        multipart=form.is_multipart(),
        sections=sections,
    )
    status = 422 if form.is_bound and form.errors else 200
    return render(request, form.page_template, {"page": page}, status=status)
