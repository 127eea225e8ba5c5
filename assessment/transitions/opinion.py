"""The bureau's opinion: drafted by one person, signed by another, opened again until it is reported."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from applications.models import Application
from assessment.models import Opinion, OpinionVersion
from assessment.selectors import reports
from assessment.services import opinions
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import Membership
from pilot.selectors import people
from pilot.transitions import another_person, no_tie
from pilot.workflow import Act, on

stranger = no_tie("application.provider_id")


def own_province(opinion: Opinion, actor: Actor, at: datetime) -> str | None:
    """Guard: only the bureau of the application's province."""
    return None if opinion.province == actor.province else _("只能办理本省的事项")


def not_reported(opinion: Opinion, actor: Actor, at: datetime) -> str | None:
    """Guard: what the ministry was sent is no longer the bureau's to change."""
    if reports.sent_lines().filter(application=opinion.application_id).exists():
        return _("该申请已列入报送的汇总表，须由部退回汇总表后才能重新审核")
    return None


def drafter(opinion: Opinion) -> QuerySet[Membership]:
    """Whoever drafted the opinion."""
    return people.person(opinion.drafted_by_id) if opinion.drafted_by_id else people.in_force().none()


def leads(opinion: Opinion) -> QuerySet[Membership]:
    """The people of the bureau who sign."""
    return people.bureau(opinion.province, [Role.BUREAU_LEAD])


@on(Opinion, "draft", guards=[own_province, stranger], tell=[leads], internal=True)
def draft(opinion: Opinion, act: Act) -> None:
    """Take over ``checklist`` {condition number: {verdict, evidence}}, ``remark`` and ``internal_remark``.

    ``recommended`` follows from the checklist; handed in with a different value it is refused.
    """
    opinion.checklist = opinions.clean_checklist(opinion, act.data["checklist"])
    opinion.recommended = opinions.verdict_of(opinion.checklist, stated=act.data.get("recommended"))
    opinion.remark = act.data.get("remark", "")
    opinion.internal_remark = act.data.get("internal_remark", "")
    opinion.drafted_by_id = act.actor.person_id


@on(Opinion, "sign", guards=[own_province, stranger, another_person("drafted_by")], tell=[drafter])
def sign(opinion: Opinion, act: Act) -> None:
    """Freeze the version and set the application."""
    opinion.signed_by_id = act.actor.person_id
    OpinionVersion.unscoped.create(
        opinion=opinion,
        number=opinion.version,
        checklist=opinion.checklist,
        recommended=opinion.recommended,
        remark=opinion.remark,
        drafted_by_id=opinion.drafted_by_id,
        signed_by_id=opinion.signed_by_id,
        signed_at=act.at,
    )
    # The applicant reads the application's history: what officials write to each other does not go there.
    act.downward(opinion.application, "recommend" if opinion.recommended else "disrecommend", reason="")


@on(
    Opinion, "send_back", guards=[own_province, stranger], tell=[drafter], internal=True, reason_required=True
)
def send_back(opinion: Opinion, act: Act) -> None:
    """The lead's reason stands in the bureau's own history; the draft stays as a start for the next one."""


@on(Opinion, "reopen", guards=[own_province, stranger, not_reported], tell=[drafter], reason_required=True)
def reopen(opinion: Opinion, act: Act) -> None:
    """A new version begins; the signed one stays. The application stands as accepted again.

    The application is locked and the reports are looked at again: one sent at this moment freezes what it holds.
    """
    Application.unscoped.select_for_update(of=("self",)).get(pk=opinion.application_id)
    if words := not_reported(opinion, act.actor, act.at):
        raise Refused(words)
    opinion.version += 1
    opinion.signed_by_id = None
    act.downward(opinion.application, "reopen", reason="")


@on(Opinion, "void")
def void(opinion: Opinion, act: Act) -> None:
    """The application was withdrawn or its acceptance taken back; what was signed stays in its versions."""
