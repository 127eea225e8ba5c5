"""Asking that one provider may apply after the window."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import LateAdmission
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import OrganisationKind, WindowKind
from pilot.errors import NotPermitted, Refused
from pilot.models import Organisation, ProposalState
from pilot.selectors import programmes
from pilot.services import audit
from pilot.workflow import open_case


@audit.denials_recorded("late-admission.open")
@transaction.atomic
def propose_late_admission(
    *, actor: Actor, provider: Organisation, until: datetime, reason: str
) -> LateAdmission:
    """An officer proposes to let a provider hand in until ``until``; an approver decides.

    Raises :class:`NotPermitted` for other roles, :class:`Refused` for an organisation that is no provider, a moment
    that is past or inside the window, a missing reason, or while another proposal for it waits.
    """
    if actor.person_id is None or not policy.may_open("late-admission_create", actor.role):
        raise NotPermitted(_("逾期准入由部经办人员提出"))
    programme = programmes.current()
    if provider.kind != OrganisationKind.PROVIDER:
        raise Refused(_("只能为网络接入服务提供者提出逾期准入"), field="provider")
    _opens, closes = programmes.window(programme, WindowKind.APPLICATION)
    if until <= max(closes, clock.now()):
        raise Refused(_("逾期准入的截止时间应晚于申请阶段结束时间和当前时间"), field="until")
    if not reason.strip():
        raise Refused(_("请填写理由"), field="reason")
    # Two officers proposing for one provider at once queue here, so that the second sees the first one's proposal.
    Organisation.objects.select_for_update().get(pk=provider.pk)
    waiting = LateAdmission.unscoped.filter(
        programme=programme, provider=provider, state=ProposalState.PROPOSED
    )
    if waiting.exists():
        raise Refused(_("该单位的逾期准入正在等待批准"), field="provider")
    admission = LateAdmission(
        programme=programme,
        provider=provider,
        until=until,
        reason=reason.strip(),
        proposed_by_id=actor.person_id,
        case_key=uuid4(),
    )
    open_case(admission, actor=actor)
    return admission
