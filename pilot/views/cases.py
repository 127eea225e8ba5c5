"""The generic pages of every machine: list, case, act, task and beginning of a case."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from pilot import clock, policy, workflow
from pilot.actors import Actor
from pilot.enums import Province
from pilot.errors import PilotError, Refused, StateChanged
from pilot.forms import RemarkForm
from pilot.machines import Case, declared
from pilot.registry import MachinePages, Task, pages_of
from pilot.tones import state_tag
from pilot.ui import ActionItem, ActPage, Column, DetailPage, Empty, Link, ListPage, Row
from pilot.views import case_parts

PAGE_SIZES = (10, 20, 50, 100)
DEFAULT_SIZE = 20


def crumbs(pages: MachinePages) -> list[Link]:
    """The way from the first page to a machine's list."""
    return [Link(_("首页"), reverse("home")), Link(str(pages.label), reverse(f"{pages.slug}_list"))]


class CaseFilter(forms.Form):
    """The filter bar every machine's list has. An unknown value filters nothing away; it is shown as an error."""

    q = forms.CharField(label=gettext_lazy("名称或编号"), required=False, max_length=100)
    state = forms.ChoiceField(label=gettext_lazy("状态"), required=False)
    province = forms.TypedChoiceField(
        label=gettext_lazy("省份"), required=False, coerce=int, empty_value=None
    )
    waiting = forms.ChoiceField(
        label=gettext_lazy("办理"),
        required=False,
        choices=[("", gettext_lazy("全部")), ("me", gettext_lazy("待我办理"))],
    )

    def __init__(self, *args: Any, pages: MachinePages, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        states = workflow.states(pages.model)
        self.fields["state"].choices = [("", _("全部")), *states]  # type: ignore[attr-defined]
        if pages.province_field:
            self.fields["province"].choices = [("", _("全部")), *Province.choices]  # type: ignore[attr-defined]
        else:
            del self.fields["province"]
        if not pages.search:
            del self.fields["q"]


@require_safe
def case_list(request: Any, slug: str) -> HttpResponse:
    """The cases of a machine this actor may know of, filtered and paged; the address holds the whole view (C03)."""
    pages = pages_of(slug)
    form = CaseFilter(request.GET or None, pages=pages)
    rows = _filtered(pages, request.actor, form)
    size = request.GET.get("size", "")
    paginator = Paginator(rows, int(size) if size.isdigit() and int(size) in PAGE_SIZES else DEFAULT_SIZE)
    page = paginator.get_page(request.GET.get("page"))
    shown = [*(c.column for c in pages.columns), Column("state", _("状态")), Column("since", _("状态时间"))]
    filtered = bool(form.is_bound and form.is_valid() and any(form.cleaned_data.values()))
    toolbar = []
    if pages.creation and policy.may_open(f"{slug}_create", request.actor.role):
        toolbar.append(Link(str(pages.creation.label), reverse(f"{slug}_create"), "plus"))
    listing = ListPage(
        title=str(pages.label),
        columns=shown,
        rows=[
            Row(
                reverse(f"{slug}_detail", args=[case.pk]),
                [*(c.value(case) for c in pages.columns), state_tag(case), case.state_since],
            )
            for case in page.object_list
        ],
        total=paginator.count,
        empty=Empty(_("没有符合条件的记录"), _("请放宽筛选条件，或点击“重置”查看全部"))
        if filtered
        else Empty(_("暂无记录"), str(pages.empty)),
        crumbs=crumbs(pages)[:1],
        filter_form=form,
        filtered=filtered,
        page=page,
        toolbar=toolbar,
    )
    return render(request, "pages/list.html", {"page": listing})


def _filtered(pages: MachinePages, actor: Any, form: CaseFilter) -> QuerySet[Case]:
    rows = visible_rows(pages, actor)
    if not (form.is_bound and form.is_valid()):
        return rows.order_by("-state_since", "-pk")
    wanted = form.cleaned_data
    if state := wanted.get("state"):
        rows = rows.filter(state=state)
    if province := wanted.get("province"):
        rows = rows.filter(**{pages.province_field: province})
    if wanted.get("waiting") == "me":
        waiting = pages.waiting(actor)
        rows = rows.none() if waiting is None else rows.filter(waiting)
    if text := wanted.get("q", "").strip():
        matches = Q()
        for field in pages.search:
            matches |= Q(**{f"{field}__icontains": text})
        rows = rows.filter(matches)
    return rows.order_by("-state_since", "-pk")


def visible_rows(pages: MachinePages, actor: Any) -> QuerySet[Any]:
    """The cases this actor may know of, with what the machine's pages read beside them."""
    rows: QuerySet[Any] = pages.model.objects.visible_to(actor)
    # Called without names, select_related would join everything.
    return rows.select_related(*pages.related) if pages.related else rows


def visible_case(request: Any, pages: MachinePages, pk: int) -> Any:
    """The case, or 404 when it does not exist for this actor."""
    case = visible_rows(pages, request.actor).filter(pk=pk).first()
    if case is None:
        raise Http404
    return case


@require_safe
def case_detail(request: Any, slug: str, pk: int) -> HttpResponse:
    """One case: facts, what can be done and why not, timeline, documents, diagram, related cases."""
    pages = pages_of(slug)
    case = visible_case(request, pages, pk)
    due, due_tone = case_parts.due(case)
    detail = DetailPage(
        title=case.title,
        number=case.number,
        state=state_tag(case),
        crumbs=crumbs(pages),
        facts=pages.facts(case, request.actor),
        sections=pages.sections(case, request.actor),
        actions=_actions(pages, case, request.actor),
        waiting_for=case_parts.waiting_for(case),
        due=due,
        due_tone=due_tone,
        timeline=case_parts.timeline(case, request.actor),
        documents=case_parts.documents(case, request.actor),
        diagram=case_parts.diagram(case),
        related=[*pages.links(case, request.actor), *case_parts.related(case, request.actor)],
        seen_state=case.state,
    )
    return render(request, "pages/detail.html", {"page": detail})


def _actions(pages: MachinePages, case: Case, actor: Any) -> list[ActionItem]:
    items = [
        ActionItem(
            action.name,
            action.label,
            action.allowed,
            action.reason,
            reverse(f"{pages.slug}_act", args=[case.pk, action.name]),
            danger=action.name in pages.danger,
            primary=index == 0 and action.name not in pages.danger | case_parts.ASIDE,
        )
        for index, action in enumerate(workflow.available_actions(case, actor))
    ]
    for task in pages.tasks:
        if policy.may_act(pages.slug, task.name, actor.role):
            obstacle = task.obstacle(case, actor)
            url = reverse(f"{pages.slug}_task", args=[case.pk, task.name])
            items.append(ActionItem(task.name, str(task.label), obstacle is None, str(obstacle or ""), url))
    return items


def _submitted(request: HttpRequest) -> tuple[Any, Any]:
    """Data and files for a form: None for both until something is posted (an empty post is an answer, too)."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _seen(request: Any, case: Case) -> dict[str, Any]:
    """What the actor saw when the page of the act was opened: the state and the number of steps taken by then."""
    step = request.POST.get("seen_step", "")
    return {
        "seen": request.POST.get("seen", case.state),
        "seen_step": int(step) if step.isdecimal() else None,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def case_act(request: Any, slug: str, pk: int, name: str) -> HttpResponse:
    """Carry out one transition: GET shows object and effect, POST does it (C15). Works without JavaScript."""
    pages = pages_of(slug)
    case = visible_case(request, pages, pk)
    if name not in {t.name for t in declared(pages.model)}:
        raise Http404
    if not policy.may_act(slug, name, request.actor.role):
        raise workflow.why_not(case, name, actor=request.actor, at=clock.now()) or Http404
    form_class = pages.forms.get(name, RemarkForm)
    back = reverse(f"{slug}_detail", args=[pk])
    obstacle = workflow.why_not(case, name, actor=request.actor, at=clock.now())
    if obstacle is not None and (request.method != "POST" or isinstance(obstacle, StateChanged)):
        messages.error(request, str(obstacle.message))
        return redirect(back)
    form = form_class(*_submitted(request), case=case, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            workflow.fire(case, name, actor=request.actor, **_seen(request, case), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("已办理：%(act)s") % {"act": workflow.label(pages.model, name)})
            return redirect(back)
    for field, value in (("seen", case.state), ("seen_step", workflow.steps(case))):
        form.fields[field] = forms.CharField(initial=value, widget=forms.HiddenInput(), required=False)
    label = str(workflow.label(pages.model, name))
    target = next(t.target for t in declared(pages.model) if t.name == name)
    effect = str(
        pages.effects.get(name)
        or _("状态变为“%(state)s”") % {"state": workflow.state_label(pages.model, target)}
    )
    return _act_page(
        request, pages, case, form, title=label, effect=effect, back=back, danger=name in pages.danger
    )


@require_http_methods(["GET", "HEAD", "POST"])
def case_task(request: Any, slug: str, pk: int, name: str) -> HttpResponse:
    """Do something to a case that is no transition."""
    pages = pages_of(slug)
    case = visible_case(request, pages, pk)
    task: Task | None = next((t for t in pages.tasks if t.name == name), None)
    if task is None or not policy.may_act(slug, name, request.actor.role):
        raise Http404
    back = reverse(f"{slug}_detail", args=[pk])
    if obstacle := task.obstacle(case, request.actor):
        messages.error(request, str(obstacle))
        return redirect(back)
    form = task.form(*_submitted(request), case=case, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            task.service(case=case, actor=request.actor, **form.cleaned_data)
        except PilotError as refusal:
            form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("已办理：%(act)s") % {"act": task.label})
            return redirect(back)
    return _act_page(
        request, pages, case, form, title=str(task.label), effect=str(task.effect or task.label), back=back
    )


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
            case = creation.service(actor=request.actor or _anonymous(request), **form.cleaned_data)
        except PilotError as refusal:
            form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("已提交：%(what)s") % {"what": pages.label})
            return redirect(f"{slug}_detail", case.pk) if request.actor else redirect(f"{back}?{query}")
    label = str(creation.label)
    return _act_page(request, pages, None, form, title=label, effect=str(creation.effect or label), back=back)


def _anonymous(request: HttpRequest) -> Actor:
    return Actor(role="", name="anonymous", address=request.META.get("REMOTE_ADDR"))


def _act_page(
    request: Any, pages: MachinePages, case: Case | None, form: Any, *, title: str, effect: str, back: str,
    danger: bool = False,
) -> HttpResponse:  # fmt: skip
    page = ActPage(
        title=title,
        subject=f"{case.title} {case.number}" if case else str(pages.label),
        effect=effect,
        back=back,
        form=form,
        crumbs=[*crumbs(pages), *([Link(case.title, back)] if case else [])],
        danger=danger,
        multipart=form.is_multipart(),
    )
    return render(
        request, "pages/act.html", {"page": page}, status=422 if form.is_bound and form.errors else 200
    )
