"""The programme's rules: for officials to read, for the ministry's officers to enter and to end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pilot.errors import PilotError, StateChanged
from pilot.forms import refuse
from pilot.models import Programme
from pilot.rule_kinds import KINDS, RuleKind
from pilot.selectors import programmes
from pilot.services import programmes as services
from pilot.ui import ActPage, ConfirmPage, Fact
from pilot.views import rule_words as words
from pilot.views.rule_form import RuleForm


@require_safe
def rule_list(request: Any) -> HttpResponse:
    """Every rule with its value and its basis."""
    return render(request, "pages/plain.html", {"page": words.listing(programmes.current())})


@require_safe
def rule_detail(request: Any, key: str) -> HttpResponse:
    """One rule with its history."""
    page = words.detail(programmes.current(), _kind(key), request.actor)
    return render(request, "pages/plain.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def rule_enter(request: Any, key: str) -> HttpResponse:
    """Enter a rule, or end it: the form, then what it would change, then, confirmed, it holds."""
    kind, programme = _kind(key), programmes.current()
    form = RuleForm(
        request.POST if request.method == "POST" else None,
        kind=kind,
        actor=request.actor,
        initial=RuleForm.initial_of(kind, programmes.rule(programme, key)),
    )
    step = request.POST.get("step")
    if request.method != "POST" or step == "edit" or not form.is_valid():
        return _form(request, kind, form)
    if step != "confirm":
        return _preview(request, programme, kind, form)
    try:
        services.enter_rule(
            actor=request.actor,
            programme=programme,
            key=key,
            value=form.value(),
            basis=form.cleaned_data["basis"],
            reason=form.cleaned_data["reason"],
            valid_from=form.cleaned_data.get("valid_from"),
            seen=request.POST.get("seen", ""),
        )
    except StateChanged as changed:
        messages.error(request, str(changed.message))
        return _preview(request, programme, kind, form, status=changed.status)
    except PilotError as refusal:
        refuse(form, refusal)
        return _form(request, kind, form)
    messages.success(request, _("已办理：%(act)s") % {"act": _("修改规则")})
    return redirect("rule_detail", key)


def _kind(key: str) -> RuleKind:
    kind = KINDS.get(key)
    if kind is None:
        raise Http404
    return kind


def _form(request: HttpRequest, kind: RuleKind, form: RuleForm) -> HttpResponse:
    page = ActPage(
        title=_("修改规则"),
        subject=str(kind.label),
        effect=str(kind.governs),
        back=reverse("rule_detail", args=[kind.key]),
        form=form,
        crumbs=words.crumbs(kind),
        submit_label=_("下一步：查看影响"),
    )
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "pages/act.html", {"page": page}, status=status)


def _preview(
    request: HttpRequest, programme: Programme, kind: RuleKind, form: RuleForm, *, status: int = 200
) -> HttpResponse:
    chosen, value = form.cleaned_data, form.value()
    page = ConfirmPage(
        title=_("确认修改规则") if value is not None else _("确认废止规则"),
        facts=[Fact(_("规则"), str(kind.label)), Fact(_("理由"), chosen["reason"])],
        notes=words.notes(programme, kind, value, chosen.get("valid_from")),
        preview=words.comparison(programme, kind, value, chosen["basis"]),
        carried=[
            *[(name, given) for name in form.fields for given in request.POST.getlist(name)],
            ("seen", programmes.standing(programme, kind.key)),
        ],
        danger=value is None,
        back=reverse("rule_detail", args=[kind.key]),
        crumbs=words.crumbs(kind),
    )
    return render(request, "pages/confirm.html", {"page": page}, status=status)
