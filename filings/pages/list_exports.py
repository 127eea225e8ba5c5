"""The register and the stored forms as spreadsheets (C08); the lists of machines are the kernel's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from django.forms import BaseForm
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from filings.forms.verification import FormFilter
from filings.pages import common, form_page, register
from filings.selectors import forms
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.selectors.register import units
from pilot.services import exports
from pilot.ui import Row

REGISTER: Final = "pilot-unit"
FORMS: Final = "verification-form"


def export_url(name: str, form: BaseForm, sort: str = "") -> str:
    """Where a list is taken away from as it stands; nowhere while its filter has a fault."""
    if form.is_bound and not form.is_valid():
        return ""
    return f"{reverse('list_export', args=[name])}?{urlencode(_asked(form, sort))}"


def _asked(form: BaseForm, sort: str = "") -> dict[str, str]:
    """What a filter asks for, and a known order."""
    asked = {key: form.data[key] for key in form.fields if form.data.get(key)}
    known = sort.removeprefix("-") in register.SORTS
    return asked | ({"sort": sort} if known else {})


def _register(machine: str, actor: Actor, query: str, chosen: str) -> exports.Table:
    asked = QueryDict(query)
    form = register.filter_form(asked)
    wanted = _wanted(machine, actor, form)
    found = list(register.rows_for(units(actor, at=clock.now()), wanted, asked.get("sort", "")))
    rows = register.lines(actor, found, days=form.days)
    return common.export_table(_("试点单位名录"), register.columns(), chosen, total=len(rows), rows=rows)


def _forms(machine: str, actor: Actor, query: str, chosen: str) -> exports.Table:
    wanted = _wanted(machine, actor, FormFilter(QueryDict(query) or None))
    return common.export_table(
        _("核验单"),
        form_page.columns(),
        chosen,
        total=forms.number(actor, dict(wanted)),
        rows=_form_rows(actor, wanted),
    )


def _form_rows(actor: Actor, wanted: Mapping[str, Any]) -> Iterator[Row]:
    rows = forms.with_outcome(forms.listed(actor, dict(wanted)))
    return map(form_page.row, rows.iterator(chunk_size=exports.STEP))


def _wanted(machine: str, actor: Actor, form: BaseForm) -> Mapping[str, Any]:
    """What the filter asks for. Raises :class:`Refused` for a fault in it, and where the list is closed."""
    if not policy.may_open(f"{machine}_list", actor.role):
        raise Refused(_("没有权限"))
    if not form.is_bound:
        return {}
    if not form.is_valid():
        raise Refused(_("筛选条件有误"))
    wanted: Mapping[str, Any] = form.cleaned_data
    return wanted


def _address(page: str, query: str) -> str:
    return f"{reverse(page)}?{query}" if query else reverse(page)


exports.offer(
    REGISTER,
    exports.OwnList(
        gettext_lazy("试点单位名录"),
        lambda asked: _asked(register.filter_form(asked), asked.get("sort", "")),
        _register,
        partial(_address, "pilot-unit_list"),
    ),
)
exports.offer(
    FORMS,
    exports.OwnList(
        gettext_lazy("核验单"),
        lambda asked: _asked(FormFilter(asked or None)),
        _forms,
        partial(_address, "verification-form_list"),
    ),
)
