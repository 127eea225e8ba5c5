"""What was told an applicant, each with whether the act was taken back, how it urged, and what let it in late."""

from __future__ import annotations

from django.db.models import QuerySet

from applications.models import Application, CompletenessNotice, LateAdmission, Refusal, Urge
from applications.selectors import cases
from pilot.actors import Actor
from pilot.models import ProposalState


def notices(case: Application) -> list[tuple[CompletenessNotice, bool]]:
    """All completeness notices with their items, oldest first."""
    rows = CompletenessNotice.unscoped.filter(application=case).order_by("number").prefetch_related("items")
    reverted = _steps_taken_back(case) if rows else set()
    return [(notice, notice.step in reverted) for notice in rows]


def refusals(case: Application) -> list[tuple[Refusal, bool]]:
    """All refusals with their conditions, oldest first."""
    rows = Refusal.unscoped.filter(application=case).order_by("step").select_related("condition")
    reverted = _steps_taken_back(case) if rows else set()
    return [(refusal, refusal.step in reverted) for refusal in rows]


def urges(case: Application) -> list[Urge]:
    """Every request to hurry, oldest first, with who made it."""
    rows = Urge.unscoped.filter(application=case).order_by("pk").select_related("by")
    return list(rows)


def admission(case: Application, actor: Actor) -> LateAdmission | None:
    """The decision by which a late application was let in, where this actor may read it."""
    if not case.late:
        return None
    granted: QuerySet[LateAdmission] = LateAdmission.objects.visible_to(actor).filter(
        programme=case.programme_id,
        provider=case.provider_id,
        state=ProposalState.GRANTED,
        state_since__lte=case.submitted_at,
        until__gt=case.submitted_at,
    )
    return granted.order_by("until").last()


def admitted(admission: LateAdmission, actor: Actor) -> Application | None:
    """The application that a decision let in, as far as there is one and this actor may read it."""
    late: QuerySet[Application] = Application.objects.visible_to(actor).filter(
        programme=admission.programme_id,
        provider=admission.provider_id,
        late=True,
        submitted_at__gte=admission.state_since,
        submitted_at__lt=admission.until,
    )
    return late.order_by("pk").last() if admission.state == ProposalState.GRANTED else None


def _steps_taken_back(case: Application) -> set[int]:
    """A reversal is the step right after the one it takes back."""
    return {step.number - 1 for step in cases.history(case) if step.name == "revert"}
