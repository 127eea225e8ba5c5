"""What the kernel itself tells the units' systems of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy

from pilot import clock
from pilot.models import PilotUnit
from pilot.services import webhooks
from pilot.signals import unit_status_changed

UNIT_STATUS_CHANGED = webhooks.declare("unit.status_changed", gettext_lazy("试点单位状态变更"))


@receiver(unit_status_changed, dispatch_uid="pilot.announce_status")
def announce_status(sender: Any, *, unit: PilotUnit, at: datetime, kind: str, **kwargs: Any) -> None:
    """A decision gave the unit another status from ``at`` on, which may lie ahead."""
    webhooks.announce(
        event=UNIT_STATUS_CHANGED,
        to=Q(unit=unit),
        at=clock.now(),
        data={"unit": unit.code, "status": str(kind), "effective_from": localtime(at).isoformat()},
    )
