"""An alert's one transition: cleared by the system when its condition no longer holds."""

from __future__ import annotations

from filings.models import Alert
from filings.services import alerts
from pilot.services import outbox
from pilot.workflow import Act, on


@on(Alert, "clear", tell=[alerts.told_of])
def clear(alert: Alert, act: Act) -> None:
    """What was told of it and nobody read is taken back; whoever knows of it is told that it is over."""
    outbox.withdraw(source=alerts.opening(alert))
