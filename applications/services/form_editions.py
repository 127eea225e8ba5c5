"""The ministry words, orders and requires the fields of the application form: each change is a new edition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from applications.models import FormEdition
from applications.rules.form import (
    RELIED_ON,
    SECTIONS,
    SETTINGS,
    FormField,
    FormSection,
)
from applications.selectors.form_schema import latest_edition
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import Programme
from pilot.services import audit

LONGEST = {"label": 60, "label_en": 120, "help": 200, "help_en": 400}


@audit.denials_recorded("application.form_edition")
@transaction.atomic
def make_edition(
    *, actor: Actor, programme: Programme, seen: int, settings: Mapping[str, Mapping[str, Any]]
) -> FormEdition:
    """Make the next edition; ``settings`` says of every typed field what :func:`catalogue` says of it.

    Kept is what differs from the catalogue. It holds at once for drafts and answers; what was handed in stays as it is.
    Raises :class:`NotPermitted`, :class:`StateChanged` when another edition was made since number ``seen``, and
    :class:`Refused` for an unknown field or setting, an empty label, a field made optional that a rule relies on, or
    when nothing changed.
    """
    if not policy.may_open("form_settings", actor.role):
        raise NotPermitted(_("申请表由部经办人员设置"))
    Programme.objects.select_for_update().get(pk=programme.pk)
    newest = latest_edition(programme)
    number = newest.number if newest else 0
    if number != seen:
        raise StateChanged(_("申请表已由他人修改（现为第 %(now)s 版），请刷新后再设置") % {"now": number})
    shipped = catalogue()
    _check(settings, shipped)
    kept = {key: changes for key in shipped if (changes := _changes(settings.get(key, {}), shipped[key]))}
    if kept == (newest.settings if newest else {}):
        raise Refused(_("没有改动"))
    edition: FormEdition = FormEdition.objects.create(
        programme=programme,
        number=number + 1,
        settings=kept,
        made_at=clock.now(),
        made_by_id=actor.acting_person,
    )
    programme.__dict__.pop("_application_form", None)
    audit.record(
        action="application.form_edition",
        actor=actor,
        subject=edition,
        detail={"number": edition.number, "fields": sorted(kept)},
    )
    return edition


def catalogue() -> dict[str, dict[str, Any]]:
    """The shipped settings of every typed field: its words in both languages, whether required, its place."""
    with override("zh-hans"):
        chinese = _words()
    with override("en"):
        english = _words()
    return {
        field.key: {
            "label": chinese[field.key][0],
            "label_en": english[field.key][0],
            "help": chinese[field.key][1],
            "help_en": english[field.key][1],
            "required": field.required,
            "position": position,
        }
        for section in SECTIONS
        for position, field in enumerate(section.fields, start=1)
        if not field.fixed
    }


def current(programme: Programme) -> dict[str, dict[str, Any]]:
    """The settings in force: the catalogue with the newest edition laid over it."""
    edition = latest_edition(programme)
    changed = edition.settings if edition else {}
    return {key: {**shipped, **changed.get(key, {})} for key, shipped in catalogue().items()}


def _words() -> dict[str, tuple[str, str]]:
    return {field.key: (str(field.label), str(field.help)) for field in _typed(SECTIONS)}


def _typed(sections: tuple[FormSection, ...]) -> list[FormField]:
    return [field for section in sections for field in section.fields if not field.fixed]


def _check(settings: Mapping[str, Mapping[str, Any]], shipped: Mapping[str, Any]) -> None:
    for key, setting in settings.items():
        if key not in shipped:
            raise Refused(_("申请表中没有字段 %(key)s") % {"key": key})
        if unknown := sorted(set(setting) - SETTINGS):
            raise Refused(_("不能设置 %(what)s") % {"what": _("、").join(unknown)})
        label = setting.get("label", shipped[key]["label"])
        if not label.strip():
            raise Refused(_("“%(label)s”的中文名称不能为空") % {"label": shipped[key]["label"]})
        if key in RELIED_ON and setting.get("required") is False:
            raise Refused(_("“%(label)s”是核对参与条件所必需的，不能改为选填") % {"label": label})
        for what, longest in LONGEST.items():
            if len(setting.get(what, "")) > longest:
                raise Refused(
                    _("“%(label)s”的文字超过 %(longest)s 个字符") % {"label": label, "longest": longest}
                )


def _changes(setting: Mapping[str, Any], shipped: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the catalogue. Words go in pairs: a new label carries its English with it."""
    found: dict[str, Any] = {}
    for what in ("label", "help"):
        pair = {name: str(setting.get(name, shipped[name])).strip() for name in (what, f"{what}_en")}
        if any(pair[name] != shipped[name] for name in pair):
            found |= pair
    for what in ("required", "position"):
        if what in setting and setting[what] != shipped[what]:
            found[what] = setting[what]
    return found
