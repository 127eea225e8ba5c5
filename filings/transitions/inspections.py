"""An inspection's life: the seed is committed to before the frame is frozen, so that nobody can choose the sample."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256

from django.utils.translation import gettext as _

from filings.accuracy import sampling
from filings.documents import make_inspection_report
from filings.models import Inspection, InspectionItem
from filings.selectors import counting
from filings.services.figures import read_period
from filings.transitions.guards import people_of_unit, unit_bureau
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.transitions import another_person
from pilot.workflow import Act, on


def own_office(inspection: Inspection, actor: Actor, at: datetime) -> str | None:
    """Guard: the office that planned it carries it out."""
    if actor.organisation_id == inspection.organisation_id:
        return None
    return _("由制定抽查计划的单位办理")


def every_form_read(inspection: Inspection, actor: Actor, at: datetime) -> str | None:
    """Guard: every drawn form has its verdict."""
    left = inspection.items.filter(identity_right__isnull=True).count()
    return _("还有 %(left)s 份核验单没有检查结果") % {"left": left} if left else None


@on(Inspection, "commit", guards=[unit_bureau, own_office], tell=[people_of_unit])
def commit(inspection: Inspection, act: Act) -> None:
    """Make the seed (256 random bits) and publish its SHA-256; the seed itself stays secret until the draw."""
    inspection.seed = secrets.token_hex(32)
    inspection.seed_hash = sha256(inspection.seed.encode()).hexdigest()


@on(Inspection, "draw", guards=[unit_bureau, own_office], tell=[people_of_unit])
def draw(inspection: Inspection, act: Act) -> None:
    """Freeze the frame (the counted version of every chain of the period) and draw by rank.

    From this moment a correction no longer replaces what was drawn. Raises :class:`Refused` for an empty frame.
    """
    frame = counting.frame(unit=inspection.unit_id, period=read_period(inspection.period))
    if not frame:
        raise Refused(_("该期间没有可以抽查的核验单"))
    inspection.frame_size = len(frame)
    inspection.frame_digest = sampling.frame_digest(frame)
    inspection.drawn_at = act.at
    drawn = sampling.draw(list(frame), inspection.seed, inspection.size)
    InspectionItem.unscoped.bulk_create(
        InspectionItem(inspection=inspection, form_id=frame[form_no], rank=rank)
        for rank, form_no in enumerate(drawn, start=1)
    )


@on(Inspection, "begin", guards=[unit_bureau, own_office])
def begin(inspection: Inspection, act: Act) -> None:
    """Reading begins; verdicts are recorded form by form (``services.inspections.record_verdict``)."""


@on(
    Inspection,
    "conclude",
    guards=[unit_bureau, own_office, another_person("planned_by"), every_form_read],
    tell=[people_of_unit],
)
def conclude(inspection: Inspection, act: Act) -> None:
    """Another person than the planner concludes in ``conclusion``; the report carries draw, results and verdicts."""
    inspection.concluded_by_id = act.actor.person_id
    inspection.conclusion = str(act.data.get("conclusion", "")).strip()
    if not inspection.conclusion:
        raise Refused(_("请填写抽查结论"))
    make_inspection_report(inspection=inspection, at=act.at)


@on(Inspection, "cancel", guards=[unit_bureau, own_office], tell=[people_of_unit], reason_required=True)
def cancel(inspection: Inspection, act: Act) -> None:
    """Given up; what was drawn stays on record, its verdicts no longer count as judged."""
