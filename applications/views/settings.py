"""The ministry's settings of the application form."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from applications.forms.settings import SettingsForm
from applications.pages import form_settings as settings_page
from applications.selectors.form_schema import latest_edition
from applications.services.form_editions import current, make_edition
from pilot.errors import Refused, StateChanged
from pilot.forms import refuse
from pilot.selectors import programmes


@require_http_methods(["GET", "HEAD", "POST"])
def form_settings(request: Any) -> HttpResponse:
    """Words, order and required fields of the form; saving makes a new edition."""
    programme = programmes.current()
    edition = latest_edition(programme)
    number = edition.number if edition else 0
    form = SettingsForm(request.POST or None, settings=current(programme), initial={"seen": number})
    if request.method == "POST" and form.is_valid():
        try:
            made = make_edition(
                actor=request.actor,
                programme=programme,
                seen=form.cleaned_data["seen"],
                settings=form.chosen(),
            )
        except (Refused, StateChanged) as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("已保存为第 %(n)s 版，立即生效") % {"n": made.number})
            return redirect("form_settings")
    status = 422 if form.errors else 200
    page = settings_page.page(programme, form, number=number)
    return render(request, "applications/form_settings.html", {"page": page}, status=status)
