"""The ministry's page of the application form's settings as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.forms.settings import SettingsForm
from applications.models import FormEdition
from applications.selectors.form_schema import form_of
from pilot.context import EXTRA
from pilot.masking import staff
from pilot.models import Programme
from pilot.registry import Group
from pilot.ui import Column, Link, Row, Section

EXTRA.append((Group.PROGRAMME, "form_settings", gettext_lazy("申请表设置"), "list-checks"))


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """The form with all rows, and the editions made so far."""

    title: str
    form: SettingsForm
    number: int
    history: Section
    crumbs: tuple[Link, ...]


def page(programme: Programme, form: SettingsForm, *, number: int) -> SettingsPage:
    """The page as it stands; ``number`` is that of the edition in force, 0 for the shipped catalogue."""
    return SettingsPage(
        title=_("申请表设置"),
        form=form,
        number=number,
        history=_history(programme),
        crumbs=(Link(_("首页"), reverse("home")),),
    )


def _history(programme: Programme) -> Section:
    editions = list(FormEdition.objects.filter(programme=programme).select_related("made_by"))
    before: list[dict[str, Any]] = [{}, *(edition.settings for edition in editions)]
    rows = [
        Row(
            "",
            [
                edition.number,
                edition.made_at,
                staff(edition.made_by),
                _changed(programme, old, new),
            ],
        )
        for edition, (old, new) in zip(editions, pairwise(before), strict=True)
    ]
    return Section(
        _("历次版本"),
        columns=[
            Column("number", _("版次"), align="end"),
            Column("at", _("时间")),
            Column("by", _("设置人")),
            Column("fields", _("改动的字段")),
        ],
        rows=rows[::-1],
        empty=_("尚未修改，使用平台自带的申请表"),
    )


def _changed(programme: Programme, old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    fields = form_of(programme).fields
    return tuple(str(field.label) for key, field in fields.items() if old.get(key) != new.get(key))
