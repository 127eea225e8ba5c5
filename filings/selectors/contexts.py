"""What the pure checks of intake must know of a unit, read from the register."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection

from filings.intake.records import ScopeRange, UnitContext
from pilot.enums import Province, UnitStatusKind, WindowKind
from pilot.models import PilotUnit, ProposalState, Window

# One statement, for every request asks it; a test holds it against ``programmes.window`` and the register's selectors.
# Most provinces are opened from the same moment on, so each range of the scope comes once, with its provinces.
_REGISTER: Final = """
SELECT w.opens,
    greatest(w.closes, (
        SELECT max(e.closes) FROM pilot_windowextension e WHERE e.window_id = w.id AND e.state = %(granted)s
    )),
    ARRAY(SELECT during FROM pilot_unitstatus WHERE unit_id = %(unit)s AND kind = %(active)s ORDER BY during),
    (
        SELECT min(lower(during)) FROM pilot_unitstatus
        WHERE unit_id = %(unit)s AND kind = %(removed)s AND upper_inf(during)
    ),
    scope.types, scope.provinces, scope.ranges
FROM pilot_window w CROSS JOIN (
    SELECT array_agg(filing_type) AS types, array_agg(listed) AS provinces, array_agg(during) AS ranges
    FROM (
        SELECT filing_type, during, string_agg(province::text, ' ') AS listed
        FROM pilot_unitscope WHERE unit_id = %(unit)s GROUP BY filing_type, during
    ) opened
) scope
WHERE w.programme_id = %(programme)s AND w.kind = %(run)s
"""


def unit_context(unit: PilotUnit, received_at: datetime) -> UnitContext:
    """Run phase, active ranges and opened scope of a unit, for forms received at ``received_at``.

    The unit is frozen since or from when it is removed; a removal that was annulled is none.
    """
    opens, closes, active, removed_from, types, provinces, ranges = _register(unit)
    return UnitContext(
        unit_code=unit.code,
        national_id=str(unit.national_id),
        run_opens=opens,
        run_closes=closes,
        active=tuple((during.lower, during.upper) for during in active),
        scope=tuple(
            ScopeRange(Province(int(province)).code6, filing_type, during.lower, during.upper)
            for filing_type, listed, during in zip(types or (), provinces or (), ranges or (), strict=True)
            for province in listed.split()
        ),
        received_at=received_at,
        frozen_from=removed_from,
    )


def _register(unit: PilotUnit) -> tuple[Any, ...]:
    parameters: dict[str, Any] = {
        "unit": unit.pk,
        "programme": unit.programme_id,
        "granted": ProposalState.GRANTED,
        "active": UnitStatusKind.ACTIVE,
        "removed": UnitStatusKind.REMOVED,
        "run": WindowKind.RUN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REGISTER, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        raise Window.DoesNotExist
    return row
