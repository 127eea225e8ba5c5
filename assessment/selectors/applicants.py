"""What review and assessment need to know of an applicant, from the version last handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from applications.models import Application, ApplicationVersion
from applications.rules import form
from assessment.models import CapabilityAssessment, InterestDeclaration
from pilot.actors import Actor
from pilot.enums import Province


@dataclass(frozen=True, slots=True)
class ApplicantFacts:
    """The few values of an application that lists, reports and letters quote."""

    licence: str
    licence_expires_on: date | None
    methods: tuple[str, ...]
    product: str
    supplier: str
    provinces: tuple[int, ...]  # asked for, in official order; all of them where it named none


def facts_of(application: Application) -> ApplicantFacts:
    """The facts of one application; empty values where it was never handed in."""
    return facts_of_many([application])[application.pk]


def facts_of_many(applications: Iterable[Application]) -> dict[int, ApplicantFacts]:
    """Application id → facts, in one query."""
    ids = [application.pk for application in applications]
    versions = (
        ApplicationVersion.unscoped.filter(application__in=ids)
        .order_by("application_id", "-number")
        .distinct("application_id")
    )
    contents: dict[int, Mapping[str, Any]] = dict(versions.values_list("application_id", "content"))
    return {pk: _facts(contents.get(pk, {})) for pk in ids}


def _facts(content: Mapping[str, Any]) -> ApplicantFacts:
    named = {str(code) for code in content.get("provinces") or ()}
    methods = form.shown(form.FIELDS["collection_methods"], content.get("collection_methods"))
    return ApplicantFacts(
        licence=content.get("licence_number", ""),
        licence_expires_on=form.day(content, "licence_expires_on"),
        methods=methods or (),
        product=content.get("product", ""),
        supplier=content.get("product_supplier", ""),
        provinces=tuple(p.value for p in Province if str(p.value) in named) or tuple(Province.values),
    )


def open_to_assessor(actor: Actor) -> Q | None:
    """Which applications an assessor may read: those assessed after declaring no interest."""
    if not actor.is_assessor:
        return None
    assessments = CapabilityAssessment.unscoped.filter(pk__in=InterestDeclaration.cleared(actor))
    return Q(pk__in=assessments.values("application"))
