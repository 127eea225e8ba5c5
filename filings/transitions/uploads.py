"""UploadJob: a file on its way through the door. Only the system moves it."""

from __future__ import annotations

from django.db.models import QuerySet

from filings.models import UploadJob
from filings.transitions.guards import people_of_unit
from pilot.models import Membership
from pilot.services import outbox
from pilot.workflow import Act, on


def those_who_wait(case: UploadJob) -> QuerySet[Membership]:
    """Audience: the unit's people; nobody where a request was answered itself, of which there may be ten a second."""
    return Membership.objects.none() if case.by_request else people_of_unit(case)


@on(UploadJob, "finish", tell=[those_who_wait])
def finish(case: UploadJob, act: Act) -> None:
    """Every row has its outcome; what was stored is compared with the authority's records next."""
    if not case.dry_run:
        post = outbox.post_task_soon if case.by_request else outbox.post_task
        post("filings.tasks.compare_unit", unit_id=case.unit_id)


@on(UploadJob, "fail", tell=[people_of_unit])
def fail(case: UploadJob, act: Act) -> None:
    """The file as a whole, or the rest of it, cannot be taken; ``data["fault"]`` says why in words."""
    case.fault = str(act.data["fault"])[:255]
