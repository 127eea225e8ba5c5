"""Alerts (预警): opened once per state, cleared when the condition is gone, and told of only while they hold.

What holds is read from the live buckets for all units at once; only a unit for which something changed is looked at
under its lock. An alert is opened by a recount of its period, which it keeps as its reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from filings.accuracy.counting import Counts
from filings.enums import AlertKind, AlertState
from filings.models import Alert
from filings.periods import TO_DATE
from filings.selectors import alerts as conditions
from filings.selectors.alerts import Holding, Key
from filings.services import figures
from pilot import clock, policy
from pilot.actors import Actor
from pilot.errors import NotPermitted, Refused
from pilot.language import on_record
from pilot.models import Membership, PilotUnit
from pilot.selectors import people
from pilot.services import audit, notices
from pilot.workflow import fire, open_case

SYSTEM: Final = Actor.system("alerts")
SHARE_OF: Final[Mapping[str, tuple[str, str]]] = {
    AlertKind.M1: ("m1_errors", "m1_n"),
    AlertKind.M2: ("m2_errors", "m2_n"),
    AlertKind.UNDETERMINABLE: ("undeterminable", "m2_n"),
}
ALERT_LOCK: Final = 877  # advisory lock class: one look at a unit's alerts at a time


def review() -> int:
    """Open and clear alerts of every unit by what its figures say now; returns how many alerts moved."""
    units = list(PilotUnit.unscoped.select_related("programme", "organisation").order_by("pk"))
    found = conditions.holding(units, now=clock.now())
    standing: dict[int, set[Key]] = {}
    for unit_id, kind, period in Alert.unscoped.filter(state=AlertState.OPEN).values_list(
        "unit_id", "kind", "period"
    ):
        standing.setdefault(unit_id, set()).add((kind, period))
    changed = [unit for unit in units if found[unit.pk].keys() != standing.get(unit.pk, set())]
    return sum(_settle(unit) for unit in changed)


@transaction.atomic
def _settle(unit: PilotUnit) -> int:
    """Bring one unit's alerts in line with its figures as they are now, under the unit's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ALERT_LOCK, unit.pk])
    found = _found(unit)
    standing = {
        (alert.kind, alert.period): alert
        for alert in Alert.unscoped.filter(unit=unit, state=AlertState.OPEN).order_by("pk")
    }
    gone = [alert for key, alert in standing.items() if key not in found]
    for alert in gone:
        fire(alert, "clear", actor=SYSTEM, reason=_why_gone(alert, unit))
    return len(gone) + sum(_open(unit, key) for key in found if key not in standing)


@transaction.atomic
def _open(unit: PilotUnit, key: Key) -> bool:
    """Open an alert if the forms themselves, counted afresh, say the same as the buckets; tell bureau and ministry."""
    kind, period = key
    result = None
    recounted = {}
    if kind != AlertKind.SILENCE:
        result = figures.compute_results(unit=unit, period=period)
        recounted[period] = figures.from_numbers(result.counts)
    seen = _found(unit, recounted).get(key)
    if seen is None:
        transaction.set_rollback(
            True
        )  # the recount is no result of anything: the next look would append another
        return False
    alert = Alert(
        case_key=uuid4(),
        unit=unit,
        kind=kind,
        period=period,
        figures=seen,
        result=result,
        basis=conditions.terms_of(unit.programme).basis(kind, conditions.period_of(key)),
    )
    open_case(alert, actor=SYSTEM)
    with on_record():
        subject = _("%(code)s · 预警：%(what)s，%(period)s") % {
            "code": unit.code,
            "what": alert.get_kind_display(),
            "period": alert.period_words,
        }
    notices.send(
        members=readers(alert),
        subject=subject,
        machine=Alert.slug(),
        object_id=alert.pk,
        source=opening(alert),
    )
    return True


def _why_gone(alert: Alert, unit: PilotUnit) -> str:
    """Why a condition holds no more, for the record: the unit, the rule or the figures are no longer what they were."""
    period = conditions.period_of((alert.kind, alert.period))
    terms = conditions.terms_of(unit.programme, () if period.name == TO_DATE else [period.name])
    asked = terms.asked(alert.kind, period)
    with on_record():
        if alert.kind == AlertKind.SILENCE and not conditions.active_now(unit, clock.now()):
            return _("该单位已不是有效试点单位，不再计算连续无报送")
        if asked is None:
            return _("试点项目已停用这项预警规则")
        if any(alert.figures.get(name, value) != value for name, value in asked.items()):
            return _("预警标准已调整，按现行标准不再符合预警条件")
        if alert.kind not in SHARE_OF:
            return _("按最新数据，不再符合预警条件")
        counts = figures.summed(unit=unit, period=period)
        errors, n = (getattr(counts, name) for name in SHARE_OF[alert.kind])
        return _("按最新数据为 %(errors)s / %(n)s，不再符合预警条件") % {"errors": errors, "n": n}


def _found(unit: PilotUnit, recounted: Mapping[str, Counts] | None = None) -> Holding:
    return conditions.holding([unit], now=clock.now(), recounted=recounted)[unit.pk]


# --- who is told ------------------------------------------------------------------------------------
def readers(alert: Alert) -> QuerySet[Membership]:
    """Whom an alert is for: the bureau where the unit is registered, and the ministry."""
    return people.bureau(alert.unit.province) | people.ministry()


def opening(alert: Alert) -> str:
    """The source of what was told when the alert was opened."""
    return f"{Alert.slug()}:{alert.pk}:1"


def still_stands(source: str) -> bool:
    """Whether what a message about an alert says is still so: asked right before it leaves."""
    _machine, pk, step = source.split(":")
    alert = Alert.unscoped.select_related("unit__programme").get(pk=int(pk))
    if step != "1":  # that it was cleared: it is not opened again, another one is
        return True
    return alert.state == AlertState.OPEN and holds(alert)


def holds(alert: Alert) -> bool:
    """Whether the alert's condition holds by what is committed now."""
    return (alert.kind, alert.period) in _found(alert.unit)


# --- acknowledging ----------------------------------------------------------------------------------
@audit.denials_recorded("alert.acknowledge")
@transaction.atomic
def acknowledge(*, case: Alert, actor: Actor, reason: str = "") -> Alert:
    """An official puts on record to have taken note, with a remark on what follows. Once per alert.

    Raises :class:`NotPermitted` for whom the alert is not for, :class:`Refused` when somebody did so before.
    """
    if not policy.may_act(Alert.slug(), "acknowledge", actor.role):
        raise NotPermitted(_("预警由通信管理局和部机关签收"))
    alert: Alert = Alert.unscoped.select_for_update(of=("self",)).select_related("unit").get(pk=case.pk)
    if actor.is_bureau and actor.province != alert.unit.province:
        raise NotPermitted(_("只能办理本省注册的试点单位的事项"))
    if alert.acknowledged_at is not None:
        raise Refused(_("该预警已有人签收"))
    alert.acknowledged_by_id, alert.acknowledged_at = actor.acting_person, clock.now()
    alert.save(update_fields=["acknowledged_by", "acknowledged_at"])
    audit.record(
        action="alert.acknowledge", actor=actor, subject=alert, detail={"remark": reason.strip()[:255]}
    )
    return alert


def told_of(alert: Alert) -> QuerySet[Membership]:
    """Who has been told that the alert was opened: read it in the portal, or got the mail."""
    source = opening(alert)
    by_mail = notices.mailed(source)
    return readers(alert).filter(Q(person__in=notices.readers(source)) | Q(person__email__in=by_mail))
