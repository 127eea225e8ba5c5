"""Who may be asked to assess a case: with what they have in hand, what stands against them, and whom to prefer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from assessment.enums import DeclarationState
from assessment.models import CapabilityAssessment, InterestDeclaration
from assessment.rules import panel as rules
from assessment.selectors import applicants, capability
from pilot.actors import Actor
from pilot.models import Membership, Programme


@dataclass(frozen=True, slots=True)
class Candidate:
    """An assessor as the officer chooses among them; ``tie`` is what stands against it, in words."""

    member: Membership
    load: rules.Load
    tie: str | None
    suggested: bool = False


def of_case(
    assessment: CapabilityAssessment, actor: Actor, *, wanted: int, besides: Sequence[int] = ()
) -> list[Candidate]:
    """Everybody who assesses, least loaded first, those with ties last; ``wanted`` of them are suggested.

    Those suggested are of different agencies, none of the agencies ``besides`` (organisation ids). The number of
    queries does not grow with the candidates.
    """
    members = list(capability.candidates().select_related("person", "organisation"))
    loads = loads_of(members, assessment.application.programme)
    against = ties(assessment, members, actor)
    found = sorted(
        (Candidate(m, loads[m.pk], against.get(m.pk)) for m in members),
        key=lambda candidate: (candidate.tie is not None, candidate.load),
    )
    free = [rules.Free(c.member.pk, c.member.organisation_id, c.load) for c in found if c.tie is None]
    suggested = rules.suggest(free, wanted=wanted, besides=besides)
    return [replace(candidate, suggested=candidate.member.pk in suggested) for candidate in found]


def staying(assessment: CapabilityAssessment) -> list[InterestDeclaration]:
    """Who keeps a place of the panel when it is filled up: all but the conflicted, else all but the silent."""
    members = capability.panel(assessment)
    if capability.vacancies(assessment).filter(state=DeclarationState.CONFLICTED).exists():
        return members
    return [member for member in members if member.state == DeclarationState.CLEAR]


def loads_of(members: Sequence[Membership], programme: Programme) -> dict[int, rules.Load]:
    """Membership id → the person's cases: not over and still theirs, then all of the programme they were asked for."""
    declarations = InterestDeclaration.unscoped.filter(assessor__in={member.person_id for member in members})
    theirs = Q(released_at__isnull=True) & ~Q(state=DeclarationState.CONFLICTED)
    counted: dict[Any, rules.Load] = {
        person: rules.Load(in_hand, total)
        for person, in_hand, total in declarations.order_by()
        .values_list("assessor")
        .annotate(
            in_hand=Count("pk", filter=theirs & ~Q(assessment__state__in=capability.OVER)),
            total=Count("pk", filter=Q(assessment__application__programme=programme)),
        )
    }
    return {member.pk: counted.get(member.person_id, rules.Load(0, 0)) for member in members}


def ties(assessment: CapabilityAssessment, members: Sequence[Membership], actor: Actor) -> dict[int, str]:
    """Membership id → what stands against the person assessing this applicant, in words; absent: nothing is known."""
    application = assessment.application
    people = {member.person_id for member in members}
    in_office = set(
        capability.candidates().filter(pk__in=[m.pk for m in members]).values_list("pk", flat=True)
    )
    asked = set(
        InterestDeclaration.unscoped.filter(assessment=assessment, assessor__in=people).values_list(
            "assessor", flat=True
        )
    )
    employed = set(
        Membership.objects.filter(person__in=people, organisation=application.provider_id).values_list(
            "person", flat=True
        )
    )
    supplier = applicants.facts_of(application).supplier

    def words(member: Membership) -> str | None:
        agency = member.organisation
        if member.pk not in in_office:
            return _("不是评估机构的在任评估人员")
        if member.person_id == actor.person_id:
            return _("不得指派本人")
        if member.person_id in asked:
            return _("已参与过本案")
        if member.person_id in employed:
            return _("在申请单位任职或曾任职，应予回避")
        if agency.pk == application.provider_id or (agency.uscc and agency.uscc == application.uscc):
            return _("所在机构就是申请单位，应予回避")
        return _("所在机构是核验产品供应方，应予回避") if agency.name == supplier else None

    return {member.pk: found for member in members if (found := words(member)) is not None}
