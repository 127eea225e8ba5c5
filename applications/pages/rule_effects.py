"""What intake would do otherwise with a programme rule set to another value, before that is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from pilot import clock
from pilot.models import Programme
from pilot.registry import on_rule_change

_STATES = {"acceptance_days": ApplicationState.SUBMITTED, "correction_days": ApplicationState.RETURNED}


@on_rule_change
def effects(programme: Programme, key: str, value: Any) -> Sequence[str]:
    """How many clocks run on as they began; which applications the bureaus' silence would accept."""
    rows = Application.unscoped.filter(programme=programme)
    if key in _STATES:
        return [
            _("正在计算期限的 %(count)s 件不变") % {"count": f"{rows.filter(state=_STATES[key]).count():,}"}
        ]
    if key == "deemed_acceptance" and value:
        overdue = rows.filter(state=ApplicationState.SUBMITTED, due_at__lte=clock.now()).count()
        return [_("已超过受理时限的 %(count)s 件申请将随即视为受理") % {"count": overdue}]
    return ()
