"""Install a programme from its data file (windows, conditions, rules, calendar, bureaus) and keep it up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import JSONField, Value
from django.utils.translation import gettext as _

from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import OrganisationKind, Province, WindowKind
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.language import on_record
from pilot.models import (
    CalendarChange,
    CalendarDay,
    Condition,
    Organisation,
    Programme,
    ProgrammeRule,
    Window,
    WindowExtension,
)
from pilot.rule_kinds import DATED, KINDS
from pilot.rules import local_day
from pilot.selectors import programmes as selectors
from pilot.services import audit
from pilot.workflow import open_case

FOLDER = Path(__file__).resolve().parent.parent / "programmes"
MINISTRY_NAME = "工业和信息化部信息通信管理局"
# Phases whose working days are shared out, and the rules that hold the shares, one after the other.
SHARES = {
    WindowKind.REVIEW: (WindowKind.REVIEW.label, ("bureau_report_days", "assessment_days", "list_days")),
}


@transaction.atomic
def install(*, code: str, actor: Actor) -> Programme:
    """Enter the programme of ``pilot/programmes/<code>.toml``; a second call adds rules that are new in the file.

    It changes nothing that is there: rules in force are the ministry's (:func:`set_rule`). Raises :class:`Refused` when
    there is no such file, or it shares out more working days than a phase has.
    """
    data = _shipped(code)
    if existing := Programme.objects.select_for_update(no_key=True).filter(code=code).first():
        _add_rules(existing, data, actor=actor)
        return existing
    if not data:
        raise Refused(_("没有试点项目数据文件 %(code)s") % {"code": code})
    Programme.objects.filter(is_current=True).update(is_current=False)
    programme = Programme.objects.create(is_current=True, **data["programme"])
    Window.objects.bulk_create(Window(programme=programme, **row) for row in data["windows"])
    Condition.objects.bulk_create(Condition(programme=programme, **row) for row in data["conditions"])
    ProgrammeRule.objects.bulk_create(ProgrammeRule(programme=programme, **row) for row in data["rules"])
    _install_calendar(programme, data)
    _check_shares(programme)
    _install_authorities(data["bureau_phones"])
    audit.record(action="programme.install", actor=actor, subject=programme)
    return programme


def _shipped(code: str) -> dict[str, Any]:
    """The data file of a programme; empty where there is none: it was entered by hand."""
    path = FOLDER / f"{code}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _add_rules(programme: Programme, data: Mapping[str, Any], *, actor: Actor) -> None:
    held = set(ProgrammeRule.objects.filter(programme=programme).values_list("key", flat=True))
    new = [
        ProgrammeRule(programme=programme, **row) for row in data.get("rules", ()) if row["key"] not in held
    ]
    if not new:
        return
    ProgrammeRule.objects.bulk_create(new)
    _check_shares(programme)
    keys = [rule.key for rule in new]
    audit.record(action="programme.add_rules", actor=actor, subject=programme, detail={"keys": keys})


def _install_calendar(programme: Programme, data: dict[str, Any]) -> None:
    for working, groups in ((False, data["calendar"]["holidays"]), (True, data["calendar"]["worked"])):
        CalendarDay.objects.bulk_create(
            CalendarDay(programme=programme, day=day, working=working, name=group["name"])
            for group in groups
            for day in group["days"]
        )
    CalendarChange.objects.bulk_create(
        CalendarChange(programme=programme, announced_on=change["announced_on"], basis=change["basis"], **row)
        for change in data["calendar_changes"]
        for row in change["days"]
    )


def _check_shares(programme: Programme) -> None:
    """Raise :class:`Refused` where the shares of a phase are more than the working days it has."""
    for kind, (label, keys) in SHARES.items():
        given = ProgrammeRule.objects.filter(programme=programme, key__in=keys)
        taken = sum(given.values_list("value", flat=True))
        if taken > (whole := selectors.working_days_of(programme, kind)):
            raise Refused(
                _("%(phase)s各环节共 %(taken)s 个工作日，超过该阶段的 %(whole)s 个工作日")
                % {"phase": label, "taken": taken, "whole": whole}
            )


def _install_authorities(phones: Mapping[str, str]) -> None:
    """The ministry and the bureaus, as far as they do not stand already: another programme has the same.

    Their names are stored, so they are Chinese in whatever language the installer reads.
    """
    with on_record():
        provinces = {province: str(province.label) for province in Province}
    authorities = [
        Organisation(kind=OrganisationKind.MINISTRY, name=MINISTRY_NAME),
        *(
            Organisation(
                kind=OrganisationKind.BUREAU,
                province=province,
                name=f"{label}通信管理局",
                phone=phones.get(str(province.value), ""),
            )
            for province, label in provinces.items()
        ),
    ]
    standing = set(Organisation.objects.values_list("kind", "province"))
    Organisation.objects.bulk_create(
        (one for one in authorities if (one.kind, one.province) not in standing), ignore_conflicts=True
    )


@transaction.atomic
def change_calendar(
    *, actor: Actor, programme: Programme, day: Any, working: bool, name: str, announced_on: Any, basis: str
) -> None:
    """Change one day of the working-day calendar; the change stays in the calendar's history."""
    row = CalendarDay.objects.filter(programme=programme, day=day).first()
    was_working = row.working if row else day.weekday() < 5
    CalendarDay.objects.update_or_create(
        programme=programme, day=day, defaults={"working": working, "name": name}
    )
    CalendarChange.objects.create(
        programme=programme,
        day=day,
        was_working=was_working,
        is_working=working,
        announced_on=announced_on,
        basis=basis,
    )
    audit.record(action="programme.calendar", actor=actor, subject=programme, detail={"day": day.isoformat()})


@transaction.atomic
def set_rule(
    *,
    actor: Actor,
    programme: Programme,
    key: str,
    value: Any,
    basis: str,
    valid_from: date | None = None,
    reason: str = "",
) -> None:
    """Set a programme rule with its basis in words; only the ministry enters rules the notice does not hold.

    A ``value`` of None ends it. With ``valid_from`` the rule holds from that day on and the one before stays for what
    lies before: for what figures are judged by. Raises :class:`Refused` for another rule with a day.
    """
    if not (actor.is_ministry or actor.is_system):
        raise Refused(_("项目规则由部机关录入"))
    if valid_from is not None and key not in DATED:
        raise Refused(_("只有准确率的判定规则可以规定生效日期"))
    ended = Value(None, JSONField())  # JSON's null: the row stays, with the basis of the end
    ProgrammeRule.objects.update_or_create(
        programme=programme,
        key=key,
        valid_from=valid_from,
        defaults={"value": ended if value is None else value, "basis": basis},
    )
    _check_shares(programme)
    detail = {"key": key, "value": value, "basis": basis}
    detail |= {"valid_from": valid_from.isoformat()} if valid_from else {}
    detail |= {"reason": reason} if reason else {}
    audit.record(action="programme.rule", actor=actor, subject=programme, detail=detail)


@audit.denials_recorded("programme.rule")
@transaction.atomic
def enter_rule(
    *,
    actor: Actor,
    programme: Programme,
    key: str,
    value: Any,
    basis: str,
    reason: str,
    seen: str,
    valid_from: date | None = None,
) -> None:
    """An officer enters a rule, or ends it (``value`` None), after having seen what held (``seen``: its standing).

    Raises :class:`NotPermitted` for whom the policy does not let, :class:`StateChanged` where somebody else was first,
    :class:`Refused` for a rule that the code cannot do without, a day that is past, or what :func:`set_rule` refuses.
    """
    if not policy.may_open("rule_enter", actor.role):
        raise NotPermitted(_("项目规则由部经办人员录入"))
    Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    if selectors.standing(programme, key) != seen:
        raise StateChanged(_("该规则已被他人修改，请重新查看后办理"))
    kind = KINDS[key]
    if value is None and not kind.optional:
        raise Refused(_("该规则不可废止，只能修改"))
    if key in DATED and (valid_from is None or valid_from < local_day(clock.now())):
        raise Refused(_("生效日期不得早于今天：此前的数据按当时的规则判定"))
    set_rule(
        actor=actor,
        programme=programme,
        key=key,
        value=value,
        basis=basis,
        valid_from=valid_from,
        reason=reason,
    )


@transaction.atomic
def propose_extension(*, actor: Actor, window: Window, closes: Any, reason: str) -> WindowExtension:
    """An officer proposes that a window close later. Raises :class:`Refused` when the new end is not later."""
    if closes <= window.closes:
        raise Refused(_("延长后的截止时间应晚于原截止时间"))
    extension = WindowExtension(
        window=window, closes=closes, reason=reason, proposed_by_id=actor.acting_person, case_key=uuid4()
    )
    open_case(extension, actor=actor)
    return extension
