"""The alarm: many refused or failed acts within a minute (MLPS 入侵防范) are told to the security administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.language import on_record
from pilot.models import AuditEntry
from pilot.selectors import people
from pilot.services import audit, notices

ALARM: Final = "audit.alarm"
SYSTEM: Final = Actor.system("audit")
WINDOW: Final = timedelta(minutes=1)
QUIET: Final = timedelta(minutes=10)  # an attack that goes on is told of once in a while, not every minute


@transaction.atomic
def watch() -> int:
    """Look at the last minute; returns how many refusals were told of, 0 for none or too few."""
    audit.lock()
    now = clock.security_now()
    if AuditEntry.objects.filter(action=ALARM, at__gt=now - QUIET).exists():
        return 0
    refused = [AuditEntry.Outcome.DENIED, AuditEntry.Outcome.FAILED]
    count = AuditEntry.objects.filter(outcome__in=refused, at__gt=now - WINDOW).count()
    if count < settings.PILOT_DENIED_PER_MINUTE:
        return 0
    entry = audit.record(action=ALARM, actor=SYSTEM, object_type="audit", detail={"count": count})
    with on_record():
        subject = _("一分钟内出现 %(n)s 次被拒绝或失败的操作，请核查") % {"n": count}
    notices.send(
        members=people.ministry([Role.SECURITY_ADMIN]),
        subject=subject,
        machine="audit-alarm",
        object_id=entry.pk,
        source=f"audit-alarm:{entry.pk}",
        url=reverse("notice_list"),
    )
    return count
