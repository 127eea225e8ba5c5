"""Looking at masked personal data in full: for one answer, with a reason, on record and within bounds per hour."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import DataGroup, UnmaskReason
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry, Person
from pilot.services import audit

UNMASK: Final = "personal.unmask"
HOUR: Final = timedelta(hours=1)
# What one person's work can need in an hour: an inspector reads a form in half a minute, anybody else looks up a few
# people. More than that is collecting, and the refusals reach the alarm of ``audit_watch``.
PER_HOUR: Final = {
    DataGroup.FORM: 120,
    DataGroup.CONTACT: 30,
    DataGroup.ACCOUNT: 30,
    DataGroup.STAFF: 30,
}


def unmask(*, actor: Actor, subject: Any, group: str, reason: str) -> DataGroup:
    """Put on record that ``actor`` looks at a group of data of ``subject`` in full, and why; returns the group.

    That it may not, or looks too often, is on record as well.

    Raises :class:`NotPermitted` for a role that may not, :class:`Refused` without a reason or above the bound per
    hour. Whether this actor may see the subject at all, the caller knows.
    """
    if group not in DataGroup.values or not policy.may_unmask(group, actor.role):
        _record(actor, AuditEntry.Outcome.DENIED, subject, group, reason)
        raise NotPermitted(_("没有权限"))
    if reason not in UnmaskReason.values:
        raise Refused(_("请选择查看完整内容的理由"))
    wanted = DataGroup(group)
    with transaction.atomic():
        # Of two at once the second counts the first.
        Person.objects.select_for_update(of=("self",), no_key=True).get(pk=actor.acting_person)
        within = looked_at(actor, wanted) < PER_HOUR[wanted]
        outcome = AuditEntry.Outcome.DONE if within else AuditEntry.Outcome.DENIED
        _record(actor, outcome, subject, group, reason)
    if not within:
        raise Refused(
            _("一小时内最多查看 %(n)s 次完整的%(what)s，请稍后再试")
            % {"n": PER_HOUR[wanted], "what": wanted.label}
        )
    return wanted


@transaction.atomic
def _record(actor: Actor, outcome: str, subject: Any, group: str, reason: str) -> None:
    """One row; what was sent instead of a group or a reason is not kept."""
    detail = {
        "group": group if group in DataGroup.values else "",
        "reason": reason if reason in UnmaskReason.values else "",
    }
    audit.record(action=UNMASK, actor=actor, outcome=outcome, subject=subject, detail=detail)


def looked_at(actor: Actor, group: DataGroup) -> int:
    """How often this person looked at a group in full within the last hour (security time)."""
    return _looks(actor, group).count()


def has_seen(actor: Actor, subject: Any, group: DataGroup) -> bool:
    """Whether this person looked at a group of data of ``subject`` in full within the last hour (security time)."""
    rows = _looks(actor, group).filter(object_type=subject._meta.model_name, object_id=str(subject.pk))
    return rows.exists()


def _looks(actor: Actor, group: DataGroup) -> QuerySet[AuditEntry]:
    since = clock.security_now() - HOUR
    rows = AuditEntry.objects.filter(person_id=actor.person_id, at__gt=since, action=UNMASK)
    return rows.filter(outcome=AuditEntry.Outcome.DONE, detail__group=group)
