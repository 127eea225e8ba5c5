"""UploadJob: a file on its way through the door. Only the system moves it."""

from __future__ import annotations

from filings.models import UploadJob
from filings.transitions.guards import people_of_unit
from pilot.services import outbox
from pilot.workflow import Act, on


@on(UploadJob, "finish", tell=[people_of_unit])
def finish(case: UploadJob, act: Act) -> None:
    """Every row has its outcome; what was stored is compared with the authority's records next."""
    if not case.dry_run:
        outbox.post_task("filings.tasks.compare_unit", unit_id=case.unit_id)


@on(UploadJob, "fail", tell=[people_of_unit])
def fail(case: UploadJob, act: Act) -> None:
    """The file as a whole, or the rest of it, cannot be taken; ``data["fault"]`` says why in words."""
    case.fault = str(act.data["fault"])[:255]
