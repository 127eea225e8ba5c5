"""Whom to tell of a step: audiences by case."""

from __future__ import annotations

from django.db.models import QuerySet

from applications.models import Application, LateAdmission
from applications.selectors import cases
from pilot.enums import Role
from pilot.models import Membership
from pilot.selectors import people


def applicant(case: Application) -> QuerySet[Membership]:
    """The people of the provider."""
    return people.providers(case.provider_id)


def bureau(case: Application) -> QuerySet[Membership]:
    """The people of the bureau of the province."""
    return people.bureau(case.province)


def bureau_leads(case: Application) -> QuerySet[Membership]:
    """Those who answer for the bureau."""
    return people.bureau(case.province, roles=[Role.BUREAU_LEAD])


def officers(case: Application) -> QuerySet[Membership]:
    """The ministry's officers."""
    return people.ministry(roles=[Role.MINISTRY_OFFICER])


def officials(case: Application) -> QuerySet[Membership]:
    """Whoever has the application on the desk: nobody while it is a draft, the ministry too once it was reported."""
    if case.submitted_at is None:
        return people.in_force().none()
    return bureau(case) | officers(case) if cases.has_step(case, "report") else bureau(case)


def admitted(admission: LateAdmission) -> QuerySet[Membership]:
    """The people of the provider that may apply late."""
    return people.providers(admission.provider_id)


def admitting_bureau(admission: LateAdmission) -> QuerySet[Membership]:
    """The bureau that will have the late application on its desk."""
    return people.bureau(admission.provider.province or 0)


def proposer(admission: LateAdmission) -> QuerySet[Membership]:
    """The officer who proposed it."""
    return people.person(admission.proposed_by_id)
