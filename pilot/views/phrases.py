"""Standing phrases in the browser: one's own and the office's, added and forgotten; forms take them from this page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from pilot.context import EXTRA
from pilot.forms import ActForm, whole_number
from pilot.models import Phrase
from pilot.models.phrases import LONGEST
from pilot.registry import Group
from pilot.services import phrases
from pilot.ui import Link

EXTRA.append((Group.OVERVIEW, "phrase_list", gettext_lazy("常用语"), "quote"))


class PhraseForm(ActForm):
    """A text, and for whom it is."""

    text = forms.CharField(
        label=gettext_lazy("常用语"), widget=forms.Textarea(attrs={"rows": 3}), max_length=LONGEST
    )
    shared = forms.BooleanField(label=gettext_lazy("本单位人员都可以选用"), required=False)


@dataclass(frozen=True, slots=True)
class PhraseItem:
    """A phrase of the list; who may not forget it sees whose it is."""

    pk: int
    text: str
    shared: bool
    own: bool


@dataclass(frozen=True, slots=True)
class PhrasePage:
    """The library of one reader."""

    title: str
    crumbs: list[Link]
    form: PhraseForm
    entries: list[PhraseItem]


@require_http_methods(["GET", "HEAD", "POST"])
def phrase_list(request: Any) -> HttpResponse:
    """The library, and what is added to it or (with ``forget``) taken out."""
    actor = request.actor
    if request.method == "POST" and "forget" in request.POST:
        own = Phrase.objects.visible_to(actor)
        phrase = get_object_or_404(own, pk=whole_number(request.POST["forget"]) or 0)
        phrases.forget(actor=actor, phrase=phrase)
        messages.success(request, _("已删除"))
        return redirect("phrase_list")
    form = PhraseForm(request.POST or None, actor=actor)
    if request.method == "POST" and form.is_valid():
        phrases.keep(actor=actor, **form.cleaned_data)
        messages.success(request, _("已保存"))
        return redirect("phrase_list")
    entries = [
        PhraseItem(p.pk, p.text, p.shared, p.person_id == actor.person_id)
        for p in Phrase.objects.visible_to(actor)
    ]
    page = PhrasePage(_("常用语"), [Link(_("首页"), reverse("home"))], form, entries)
    return render(request, "pages/phrases.html", {"page": page}, status=422 if form.errors else 200)
