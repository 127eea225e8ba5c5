"""Filing an objection (申诉) against a decision, by reference and within its time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pilot import clock
from pilot.actors import Actor
from pilot.enums import OrganisationKind
from pilot.errors import Refused
from pilot.machines import MACHINES, Case
from pilot.models import Document, Objection, Organisation, TransitionRecord
from pilot.pdf import cn_date
from pilot.rules import local_day
from pilot.selectors import people, programmes
from pilot.services import documents, letters
from pilot.workflow import open_case

# Decisions that can be objected to: machine and state, and what letters call them. Letters are Chinese.
OBJECTIONABLE: Final = {
    ("application", "refused"): "不予受理申请",
    ("application", "not_listed"): "不列入试点单位名单",
    ("sanction", "imposed"): "对试点单位作出处理",
}


def case_for(actor: Actor, machine: str, object_id: int) -> Any:
    """The case of this machine at whose decision this actor may object; None for any other."""
    model = MACHINES.get(machine)
    case = model.objects.visible_to(actor).filter(pk=object_id).first() if model else None
    return case if case is not None and (machine, case.state) in OBJECTIONABLE else None


def open_to(actor: Actor) -> list[Any]:
    """The cases at whose decision this actor may still object and has not; what is decided first comes first."""
    now = clock.now()
    standing = (
        case
        for machine, state in OBJECTIONABLE
        for case in MACHINES[machine].objects.visible_to(actor).filter(state=state)
        if now < deadline(case) and against(case) is None
    )
    return sorted(standing, key=deadline)


def deadline(case: Case) -> datetime:
    """Until when the decision a case stands at can be objected to (half-open)."""
    programme = programmes.current()
    days = programmes.rule(programme, "objection_days")
    return programmes.deadline(programme, start=_decided_at(case), days=days)


def against(case: Case) -> Objection | None:
    """The objection to the decision a case stands at, if there is one."""
    found: Objection | None = Objection.unscoped.filter(
        against_machine=case.slug(),
        against_id=case.pk,
        against_state=case.state,
        opened_at__gte=_decided_at(case),
    ).last()
    return found


def decision(objection: Objection) -> TransitionRecord:
    """The step by which the decision objected to was made: the last one before the objection."""
    steps: QuerySet[TransitionRecord] = TransitionRecord.objects.filter(
        machine=objection.against_machine,
        object_id=objection.against_id,
        target=objection.against_state,
        at__lte=objection.opened_at,
    )
    return steps.latest("at", "pk")


def reason(objection: Objection) -> str:
    """Why the decision objected to was made."""
    return decision(objection).reason or _case(objection).stated_reason


def _case(objection: Objection) -> Case:
    found: Case = MACHINES[objection.against_machine].unscoped.get(pk=objection.against_id)
    return found


def _decided_at(case: Case) -> datetime:
    steps = TransitionRecord.objects.filter(machine=case.slug(), object_id=case.pk, target=case.state)
    return steps.latest("at", "pk").at


@transaction.atomic
def file_objection(
    *, actor: Actor, machine: str, object_id: int, grounds: str, at: datetime | None = None
) -> Objection:
    """The organisation concerned objects; ``at`` is when its request arrived, so that who came in time is in time.

    Raises :class:`Refused` when too late or when there is no decision.
    """
    case = case_for(actor, machine, object_id)
    if case is None or actor.province is None:
        raise Refused(_("没有可以申诉的决定"))
    programme = programmes.current()
    at = max(at or clock.now(), _decided_at(case))
    if at >= deadline(case):
        days = programmes.rule(programme, "objection_days")
        raise Refused(_("已超过 %(days)s 个工作日的申诉期限") % {"days": days})
    earlier = against(case)
    if earlier is not None and earlier.state not in {"filed", "under_review"}:
        raise Refused(_("针对该决定的申诉已有复核结果，不能再次申诉"))
    objection = Objection(
        programme=programme,
        against_machine=machine,
        against_id=object_id,
        against_state=case.state,
        organisation_id=actor.acting_organisation,
        province=actor.province,
        grounds=grounds,
        case_key=case.case_key,
    )
    try:
        with transaction.atomic():
            open_case(objection, actor=actor, at=at)
    except IntegrityError as error:
        raise Refused(_("针对该决定的申诉正在办理")) from error
    return objection


def dismissal_letter(objection: Objection, *, at: datetime) -> Document:
    """The ministry's answer where the decision stands: against what, why it was made, what the review came to."""
    step = decision(objection)
    case = _case(objection)
    issuer = Organisation.objects.get(kind=OrganisationKind.MINISTRY)
    context = {
        **letters.head(
            programme=objection.programme, issuer=issuer, addressee=objection.organisation.name, at=at
        ),
        "objection_number": objection.number,
        "filed_on": cn_date(local_day(objection.opened_at)),
        "decision": {
            "office": step.organisation.name if step.organisation else issuer.name,
            "made_on": cn_date(local_day(step.at)),
            "words": OBJECTIONABLE[objection.against_machine, objection.against_state],
            "number": case.number,
        },
        "reason": _sentence(step.reason or case.stated_reason),
        "finding": _sentence(objection.finding),
        "cc": f"{people.bureau_of(objection.province).name}。",
    }
    return documents.make(
        case=objection,
        kind="objection-dismissed",
        title="关于电子化核验试点申诉复核结果的函",
        template="documents/letter_objection.html",
        context=context,
        at=at,
    )


def _sentence(words: str) -> str:
    """Words that people wrote as one sentence of a letter."""
    words = " ".join(words.split())
    return words if not words or words.endswith(("。", "！", "？", ".")) else f"{words}。"
