"""Licences of pilot units: who is told before one ends, and how its bureau records the renewed one.

The end of a licence never changes a unit's status; it only makes people look.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted, Refused
from pilot.language import on_record
from pilot.models import Membership, Notice, PilotUnit
from pilot.rules import local_day
from pilot.selectors import people, register
from pilot.services import audit, notices

BATCH = 500
LONGEST = timedelta(days=10 * 366)  # licences are given for five years; beyond this it is a slip of the pen
SYSTEM = Actor.system("licences")


# --- the watch --------------------------------------------------------------------------------------
def watch() -> int:
    """Tell of every licence that reached a mark of its programme's watch; returns how many units were told of.

    Once per unit, end date and mark, so a renewed licence is watched afresh. A run that comes late tells of the last
    mark reached only. Each unit is its own transaction and is claimed, so that two runs at once share the work.
    """
    at = clock.now()
    today, told = local_day(at), 0
    units = register.in_pilot(register.units(SYSTEM, at=at))
    days = {programme: register.watch_days(programme) for programme in {unit.programme for unit in units}}
    for unit in units:
        stage = register.watch_stage(unit.licence_expires_on, today=today, days=days[unit.programme])
        if stage is not None:
            told += _tell(unit.pk, stage, today)
    return told


@transaction.atomic
def _tell(pk: int, stage: int, today: date) -> bool:
    unit = PilotUnit.unscoped.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
    if unit is None or unit.licence_expires_on is None:  # in another run's hands
        return False
    last = unit.licence_expires_on
    source = f"licence:{pk}:{last.isoformat()}:{stage}"
    if Notice.objects.filter(source=source).exists():
        return False
    members = people.providers(unit.organisation_id) | people.bureau(unit.province)
    _send(
        unit,
        _subject(unit.code, last, today),
        source,
        members | people.ministry(roles=[Role.MINISTRY_OFFICER]),
    )
    audit.record(action="register.licence_watch", actor=SYSTEM, subject=unit, detail={"mark": stage})
    return True


def _subject(code: str, last: date, today: date) -> str:
    left = (last - today).days
    with on_record():
        words = (
            _("%(code)s · 许可证已于 %(day)s 到期，请延续并报送新证")
            if left < 0
            else _("%(code)s · 许可证将于 %(day)s 到期（还有 %(left)s 天），请延续并报送新证")
        )
        return words % {"code": code, "day": last.isoformat(), "left": left}


def _send(unit: PilotUnit, subject: str, source: str, members: QuerySet[Membership]) -> None:
    notices.send(
        members=members,
        subject=subject,
        machine="pilot-unit",
        object_id=unit.pk,
        source=source,
        url=f"/units/{unit.code}/",
    )


# --- renewal ----------------------------------------------------------------------------------------
@audit.denials_recorded("register.licence")
@transaction.atomic
def renew_licence(*, actor: Actor, unit: PilotUnit, expires_on: date, reason: str) -> PilotUnit:
    """The bureau of the unit's home province records until when the renewed licence holds.

    Raises :class:`NotPermitted` for anybody else, :class:`Refused` without a reason, for a day that is past, not
    later than the one on record or more than ten years ahead, and for a unit that has left the pilot.
    """
    if not policy.may_act("pilot-unit", "renew_licence", actor.role) or actor.province != unit.province:
        raise NotPermitted(_("由试点单位注册省的通信管理局登记"))
    locked: PilotUnit = PilotUnit.unscoped.select_for_update(of=("self",)).get(pk=unit.pk)
    at = clock.now()
    today, before = local_day(at), locked.licence_expires_on
    if register.status_at(locked, at) in register.LEFT:
        raise Refused(_("该单位已不在试点中"))
    if not reason.strip():
        raise Refused(_("请填写理由"), field="reason")
    if expires_on < today or (before is not None and expires_on <= before):
        raise Refused(_("延续后的有效期应晚于今天和原有效期"), field="expires_on")
    if expires_on > today + LONGEST:
        raise Refused(_("日期过远，请核对许可证"), field="expires_on")
    locked.licence_expires_on = expires_on
    locked.save(update_fields=["licence_expires_on"])
    entry = audit.record(
        action="register.licence",
        actor=actor,
        subject=locked,
        detail={
            "from": before.isoformat() if before else "",
            "to": expires_on.isoformat(),
            "reason": reason.strip()[:255],
        },
    )
    with on_record():
        words = _("%(code)s · 许可证有效期已更新至 %(day)s")
        subject = words % {"code": locked.code, "day": expires_on.isoformat()}
    _send(locked, subject, f"licence-renewed:{entry.pk}", people.providers(locked.organisation_id))
    return locked
