"""What a scenario of review left behind: states, papers, notices, audit rows, history, register."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from applications.models import Application
from pilot.actors import Actor
from pilot.models import (
    AuditEntry,
    Document,
    Membership,
    Notice,
    PilotUnit,
    TransitionRecord,
    UnitStatus,
)
from pilot.views import case_parts


def state_of(case: Any) -> str:
    return str(type(case).unscoped.get(pk=case.pk).state)


def papers(case: Any) -> list[str]:
    """The kinds of a case's papers in the order they were made."""
    rows = Document.objects.filter(machine=case.slug(), object_id=case.pk).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def told(actor: Actor) -> list[str]:
    """The subjects of one person's notices in the order they were written, without the number of the case."""
    rows = Notice.objects.filter(person=actor.person_id).order_by("pk").values_list("subject", flat=True)
    return [subject.rpartition(" · ")[2] for subject in rows]


def audited(case: Any) -> list[tuple[str, str]]:
    """What the audit log holds of a case: act and role, in order; all of it was done."""
    rows = AuditEntry.objects.filter(object_type=case._meta.model_name, object_id=str(case.pk)).order_by("pk")
    assert set(rows.values_list("outcome", flat=True)) == {"done"}
    return [(action.partition(".")[2], role) for action, role in rows.values_list("action", "role")]


def steps(case: Any) -> list[str]:
    """The steps of a case itself."""
    rows = TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk).order_by("number")
    return list(rows.values_list("name", flat=True))


def timeline(case: Any, actor: Actor) -> list[str]:
    """The history of all machines that serve a case as its page shows it to somebody, oldest first."""
    return [f"{row.machine}.{row.name}" for row in case_parts.history(case, actor)]


def register() -> list[tuple[str, int, Any, Any]]:
    """The register: code, organisation, and the range in which the unit is active."""
    active = UnitStatus.objects.filter(kind="active").order_by("unit__code").select_related("unit")
    assert active.count() == PilotUnit.unscoped.count()
    return [(s.unit.code, s.unit.organisation_id, s.during.lower, s.during.upper) for s in active]


def applicant(application: Application) -> Actor:
    return Membership.objects.get(organisation=application.provider_id).as_actor()


def published() -> list[tuple[int, list[str]]]:
    """The published lists as anybody on the internet reads them: number, and the codes of the units."""
    body = Client().get(reverse("published_list_json")).json()
    return [(row["sequence"], [unit["code"] for unit in row["units"]]) for row in body["lists"]]
