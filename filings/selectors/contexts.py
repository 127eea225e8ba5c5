"""What the pure checks of intake must know of a unit, read from the register."""

from __future__ import annotations

from datetime import datetime

from filings.intake.records import ScopeRange, UnitContext
from pilot.enums import Province, WindowKind
from pilot.models import PilotUnit
from pilot.selectors import programmes, register


def unit_context(unit: PilotUnit, received_at: datetime) -> UnitContext:
    """Run phase, active ranges and opened scope of a unit, for forms received at ``received_at``."""
    opens, closes = programmes.window(unit.programme, WindowKind.RUN)
    return UnitContext(
        unit_code=unit.code,
        national_id=str(unit.national_id),
        run_opens=opens,
        run_closes=closes,
        active=tuple(register.active_ranges(unit)),
        scope=tuple(
            ScopeRange(Province(province).code6, filing_type, start, end)
            for province, filing_type, start, end in register.scopes(unit)
        ),
        received_at=received_at,
        frozen_from=register.removed_from(unit),
    )
