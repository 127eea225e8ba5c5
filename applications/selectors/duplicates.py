"""The same unified social credit code elsewhere: one company applies once, in the province where it is registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from applications.models import Application
from pilot.models import ProviderRegistration


@dataclass(frozen=True, slots=True)
class Twin:
    """Another case under the same code. Officials of any province learn this much of it and no more."""

    what: str
    number: str
    province: str
    state: str
    at: datetime | None
    other_province: bool


def twins(case: Application) -> list[Twin]:
    """Applications once handed in and registrations asked for under this code, wherever and in whatever state.

    It looks past the actor's province on purpose: that is the point of it. Drafts stay their provider's own, and the
    registration that made this very provider is no twin.
    """
    applications = Application.unscoped.filter(uscc=case.uscc, submitted_at__isnull=False).exclude(pk=case.pk)
    registrations = ProviderRegistration.unscoped.filter(uscc=case.uscc).exclude(
        organisation=case.provider_id, province=case.province
    )
    applications = applications.only("acceptance_number", "case_number", "submitted_at", "province", "state")
    registrations = registrations.only("province", "state", "state_since")
    return [
        *(
            _twin(case, other, _("试点申请"), other.number, other.submitted_at)
            for other in applications.order_by("pk")
        ),
        *(_twin(case, other, _("账号申请"), "", other.state_since) for other in registrations.order_by("pk")),
    ]


def _twin(
    case: Application,
    other: Application | ProviderRegistration,
    what: str,
    number: str,
    at: datetime | None,
) -> Twin:
    return Twin(
        what=what,
        number=number,
        province=other.get_province_display(),
        state=str(other.get_state_display()),
        at=at,
        other_province=other.province != case.province,
    )
