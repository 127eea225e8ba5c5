"""UploadJob: a file on its way through the door. Only the system moves it."""

from __future__ import annotations

from django.db.models import QuerySet

from filings.models import UploadJob
from filings.transitions.guards import people_of_unit
from pilot.models import Membership, TransitionRecord
from pilot.services import outbox
from pilot.workflow import Act, on


def whoever_sent(case: UploadJob) -> QuerySet[Membership]:
    """Audience: who handed the file in. A unit's system asks by itself, and may send ten a second: nobody is told."""
    if case.by_request:
        return Membership.objects.none()
    begun = TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk, name="open")
    return people_of_unit(case).filter(person__in=begun.values("person"))


@on(UploadJob, "finish", tell=[whoever_sent])
def finish(case: UploadJob, act: Act) -> None:
    """Every row has its outcome."""
    _compare(case)


@on(UploadJob, "fail", tell=[people_of_unit])
def fail(case: UploadJob, act: Act) -> None:
    """The file as a whole, or the rest of it, cannot be taken: ``fault`` is the code, ``params`` fill its words."""
    case.fault_code = act.data["fault"]
    case.fault_params = dict(act.data.get("params", {}))
    _compare(case)


def _compare(case: UploadJob) -> None:
    """What was stored, however the job ended, is compared with the authority's records next, once for many."""
    if case.accepted and not case.dry_run:
        outbox.post_task_soon("filings.tasks.compare_unit", unit_id=case.unit_id)
