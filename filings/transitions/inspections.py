"""An inspection's life: the seed is committed to before the frame is frozen, so that nobody can choose the sample."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256

from django.utils.translation import gettext as _

from filings.accuracy import sampling
from filings.models import Inspection, InspectionItem
from filings.selectors import inspections as selector
from filings.services import deltas, inspection_report
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
    """Guard: every drawn form has its verdict, of one reading, of two that agree, or of the one that settled them."""
    left = inspection.items.filter(identity_right__isnull=True).count()
    if not left:
        return None
    if differ := selector.unsettled(inspection.pk).count():
        words = {"left": left, "differ": differ}
        return (
            _("还有 %(left)s 份核验单没有检查结果，其中 %(differ)s 份两次检查结果不同，须由第三人裁定")
            % words
        )
    return _("还有 %(left)s 份核验单没有检查结果") % {"left": left}


@on(Inspection, "commit", guards=[unit_bureau, own_office], tell=[people_of_unit])
def commit(inspection: Inspection, act: Act) -> None:
    """Make the seed (256 random bits) and publish its SHA-256; the seed itself stays secret until the draw."""
    inspection.seed = secrets.token_hex(32)
    inspection.seed_hash = sha256(inspection.seed.encode()).hexdigest()


@on(Inspection, "draw", guards=[unit_bureau, own_office], tell=[people_of_unit])
def draw(inspection: Inspection, act: Act) -> None:
    """Freeze the frame (the counted version of every chain of the period) and draw by rank, within each stratum.

    The frame is kept as a file of its form numbers, the seed is open from now on, and a correction no longer replaces
    what was drawn. A share of the sample, drawn by the same seed, is for a second reader. Raises :class:`Refused` for
    an empty frame, or a sample smaller than the number of strata.
    """
    period = read_period(inspection.period)
    frame = selector.frame(unit=inspection.unit_id, period=period, strata=inspection.strata)
    if not frame.ids:
        raise Refused(_("该期间没有可以抽查的核验单"))
    sizes = _sizes(inspection, frame)
    drawn = sampling.draw_stratified(frame.strata, inspection.seed, sizes)
    strata = {form_no: key for key, form_nos in drawn.items() for form_no in form_nos}
    inspection.frame_size = len(frame.ids)
    inspection.frame_digest = sampling.frame_digest(frame.ids)
    inspection.drawn_at = act.at
    inspection.allocation = [
        {"key": key, "frame": len(form_nos), "drawn": sizes[key]} for key, form_nos in frame.strata.items()
    ]
    twice = set(sampling.second_readings(strata, inspection.seed, inspection.second_share))
    ranked = sampling.draw(strata, inspection.seed, len(strata))
    with deltas.recorded(unit_id=inspection.unit_id, forms=[frame.ids[form_no] for form_no in ranked]):
        InspectionItem.unscoped.bulk_create(
            InspectionItem(
                inspection=inspection,
                form_id=frame.ids[form_no],
                rank=rank,
                stratum=strata[form_no],
                second=form_no in twice,
            )
            for rank, form_no in enumerate(ranked, start=1)
        )
    inspection_report.keep_frame(inspection=inspection, strata=frame.strata, at=act.at)


def _sizes(inspection: Inspection, frame: selector.Frame) -> dict[str, int]:
    size = min(inspection.size, len(frame.ids))
    try:
        return sampling.allocate_each(frame.sizes, size)
    except ValueError:
        words = {"strata": len(frame.sizes)}
        raise Refused(_("总体分为 %(strata)s 层，样本量不能少于层数") % words) from None


@on(Inspection, "begin", guards=[unit_bureau, own_office])
def begin(inspection: Inspection, act: Act) -> None:
    """Reading begins; verdicts are recorded form by form (``services.inspections.read_item``)."""


@on(
    Inspection,
    "conclude",
    guards=[unit_bureau, own_office, another_person("planned_by"), every_form_read],
    tell=[people_of_unit],
)
def conclude(inspection: Inspection, act: Act) -> None:
    """Another person than the planner concludes in ``conclusion``; figures and agreement are frozen as they stand.

    The report carries plan, draw, results and verdicts.
    """
    inspection.concluded_by_id = act.actor.person_id
    inspection.conclusion = str(act.data.get("conclusion", "")).strip()
    if not inspection.conclusion:
        raise Refused(_("请填写抽查结论"), field="conclusion")
    inspection.result = inspection_report.result_of(inspection, list(inspection.items.all()))
    inspection_report.make_report(inspection=inspection, at=act.at)


@on(Inspection, "cancel", guards=[unit_bureau, own_office], tell=[people_of_unit], reason_required=True)
def cancel(inspection: Inspection, act: Act) -> None:
    """Given up; what was drawn stays on record, its verdicts no longer count as judged."""
