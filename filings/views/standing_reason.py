"""The reason an inspector gave for looking at one form in full, standing for the others of the same inspection.

It is kept in the signed-in session, so it ends with it; each look is on record with it and counts as any other.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from filings.models import Inspection
from pilot import clock

KEY: Final = "inspection_reasons"
STANDS: Final = timedelta(hours=4)  # half a working day, however busy the session is


def standing(request: Any, case: Inspection, *, settling: bool) -> str:
    """The reason that stands for reading (or settling) this inspection in the role of now; empty if none does."""
    said = _standing(request).get(_place(case, settling=settling))
    return str(said["reason"]) if said and said["membership"] == request.actor.membership_id else ""


def keep(request: Any, case: Inspection, *, settling: bool, reason: str) -> None:
    """Let a reason stand from now on in place of the one before."""
    said = {
        "reason": reason,
        "membership": request.actor.membership_id,
        "until": (clock.security_now() + STANDS).isoformat(),
    }
    request.session[KEY] = {**_standing(request), _place(case, settling=settling): said}


def _place(case: Inspection, *, settling: bool) -> str:
    """Settling is another purpose than reading."""
    return f"{case.pk}:{'settle' if settling else 'read'}"


def _standing(request: Any) -> dict[str, dict[str, Any]]:
    now = clock.security_now()
    kept = request.session.get(KEY, {}).items()
    return {place: said for place, said in kept if now < datetime.fromisoformat(said["until"])}
