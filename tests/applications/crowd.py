"""Many applications at once, as they stand in the database: without papers and history. Test set-up only."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from uuid import uuid4

from applications.models import Application
from pilot import clock
from pilot.enums import OrganisationKind, Province
from pilot.models import Organisation
from pilot.selectors import programmes
from tests.factories import world

_serial = count(10_000_000)


def submitted(
    number: int, *, province: int = Province.GUANGDONG, due_at: datetime | None = None
) -> list[Application]:
    """Applications handed in now, each by a firm of its own; the bureau's clock ends at ``due_at`` (else now)."""
    programme, now = programmes.current(), clock.now()
    serials = [next(_serial) for _ in range(number)]
    firms = Organisation.objects.bulk_create(
        Organisation(
            kind=OrganisationKind.PROVIDER,
            name=f"示例接入{serial}有限公司",
            province=province,
            uscc=world.uscc(serial, int(province)),
        )
        for serial in serials
    )
    rows: list[Application] = Application.unscoped.bulk_create(
        Application(
            programme=programme,
            provider=firm,
            uscc=firm.uscc,
            province=province,
            case_key=uuid4(),
            case_number=f"示例-{serial}",
            submitted_at=now,
            due_at=due_at or now,
            opened_at=now,
            state_since=now,
        )
        for serial, firm in zip(serials, firms, strict=True)
    )
    Application.unscoped.filter(pk__in=[row.pk for row in rows]).update(state="submitted")
    return rows
