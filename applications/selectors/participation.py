"""How many providers took part in intake, for reports on the whole programme."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from applications.models import Application
from pilot.models import Programme


def by_province(programme: Programme) -> dict[str, dict[int, int]]:
    """Per step, how many providers of each province took it at least once: applied, accepted."""
    rows = Application.unscoped.filter(programme=programme)
    return {
        "applied": _providers(rows.filter(submitted_at__isnull=False)),
        "accepted": _providers(rows.filter(accepted_at__isnull=False)),
    }


def _providers(rows: QuerySet[Application]) -> dict[int, int]:
    counted = rows.order_by().values_list("province").annotate(providers=Count("provider", distinct=True))
    return dict(counted)
