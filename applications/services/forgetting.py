"""Applications that were never handed in: half a year after it became too late their content goes, files and all.

What stays is that there was one, and what was done to it. How long stands in the inventory (period ``draft``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from applications.enums import ApplicationState
from applications.models import Application, ApplicationFile, PartialUpload
from applications.selectors import deadlines
from applications.services import uploads
from applications.services.files import FORGOTTEN
from pilot import clock, inventory
from pilot.actors import Actor
from pilot.services import audit, documents

SYSTEM: Final = Actor.system("forget_drafts")
AT_ONCE: Final = 200  # applications of one run
_NEVER_HANDED_IN: Final = Q(submitted_at__isnull=True) & (
    Q(state=ApplicationState.DRAFT) | Q(state=ApplicationState.WITHDRAWN)
)
_FULL: Final = ~Q(draft={}) | ~Q(proposals={}) | Q(files__replaced_at__isnull=True, files__isnull=False)


def forget_drafts(*, at: datetime | None = None) -> int:
    """Destroy the content of drafts whose time is over (business time); returns how many. Safe to run twice at once."""
    now = at or clock.now()
    long_ago = now - inventory.period("draft")
    rows = Application.unscoped.filter(_NEVER_HANDED_IN, _FULL, state_since__lte=long_ago)
    found = rows.select_related("programme").distinct().order_by("pk")[:AT_ONCE]
    return sum(_forget(case.pk) for case in found if _over_at(case) <= long_ago)


def _over_at(case: Application) -> datetime:
    """Since when nobody can hand it in any more."""
    if case.state == ApplicationState.WITHDRAWN:
        return case.state_since
    return max(deadlines.closing(case.programme, case.provider_id), case.state_since)


@transaction.atomic
def _forget(pk: int) -> bool:
    rows = Application.unscoped.filter(_NEVER_HANDED_IN, pk=pk)
    case = rows.select_for_update(of=("self",), skip_locked=True).first()
    # Another worker may have been here between the search and the lock.
    if case is None or not Application.unscoped.filter(_FULL, pk=pk).exists():
        return False
    for upload in PartialUpload.unscoped.filter(application=case):
        uploads.discard(upload)
    files = ApplicationFile.unscoped.filter(application=case)
    detail = {"files": files.count(), "fields": len(case.draft)}
    digests = set(files.values_list("sha256", flat=True))
    files.filter(replaced_at__isnull=True).update(replaced_at=clock.now())
    case.draft, case.proposals = {}, {}
    case.save(update_fields=["draft", "proposals"])
    audit.record(action=FORGOTTEN, actor=SYSTEM, subject=case, detail=detail)
    # Files go before the commit: after a crash in between the next run finds the draft again, and ends it.
    documents.forget_unless_needed(digests, without=files)
    return True
