"""Beginning an application and writing its form."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from applications.rules.form import FIELDS, TYPED_KEYS, is_blank, kept
from applications.selectors import cases, content
from applications.selectors.form_schema import form_of
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import Organisation, Programme
from pilot.selectors import programmes
from pilot.services import audit
from pilot.workflow import open_case


@transaction.atomic
def start_application(*, actor: Actor) -> Application:
    """Begin the actor's organisation's application in the current programme.

    Raises :class:`NotPermitted` for anybody but a provider, :class:`Refused` while another application of the
    provider is alive, or when the window is over and no late admission was granted.
    """
    if not policy.may_open("application_create", actor.role):
        raise NotPermitted(_("只有网络接入服务提供者可以提出申请"))
    programme = programmes.current()
    provider = Organisation.objects.filter(pk=actor.organisation_id or 0).first()
    if provider is None or provider.province is None:
        raise Refused(_("贵单位的登记信息不完整，请联系注册地通信管理局"))
    now = clock.now()
    if live := cases.live_application(programme=programme, uscc=provider.uscc):
        raise Refused(_("贵单位已有在办申请（%(number)s），每个单位同时只能有一件") % {"number": live.number})
    _check_not_over(programme, provider, now)
    case = Application(
        programme=programme,
        provider=provider,
        uscc=provider.uscc,
        province=provider.province,
        case_key=uuid4(),
    )
    try:
        with transaction.atomic():
            open_case(case, actor=actor, at=now)
    except IntegrityError as error:
        raise Refused(_("贵单位已有在办申请，每个单位同时只能有一件")) from error
    return case


def _check_not_over(programme: Programme, provider: Organisation, now: datetime) -> None:
    _opens, closes = programmes.window(programme, WindowKind.APPLICATION)
    if now < closes or cases.late_admission(programme=programme, provider_id=provider.pk, at=now):
        return
    raise Refused(_("申请阶段已结束；确有特殊原因的，请联系注册地通信管理局申请逾期准入"))


@transaction.atomic
def save_draft(*, case: Application, actor: Actor, revision: int, **values: Any) -> Application:
    """Keep what was typed; keys are those of ``applications.rules.form.FIELDS``, a blank value empties the field.

    Anything may be kept: what is wrong or missing stands in the way of submission only. Raises
    :class:`StateChanged` when another window saved since ``revision``, :class:`Refused` when the application is not
    the actor's to write, or a field is unknown or not among those a completeness notice opened.
    """
    locked: Application = Application.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
    if obstacle := editing_obstacle(locked, actor):
        raise Refused(obstacle)
    if locked.revision != revision:
        raise StateChanged(
            _("草稿已在另一窗口或由他人保存（现为第 %(now)s 次修改），请刷新后再填写")
            % {"now": locked.revision}
        )
    _check_open(locked, values)
    draft = dict(locked.draft)
    for key, value in values.items():
        draft.pop(key, None)
        if not is_blank(new := kept(FIELDS[key], value)):
            draft[key] = new
    changed = sorted(key for key in values if draft.get(key) != locked.draft.get(key))
    locked.draft = draft
    locked.revision += 1
    locked.save(update_fields=["draft", "revision"])
    audit.record(action="application.save_draft", actor=actor, subject=locked, detail={"fields": changed})
    return locked


def _check_open(case: Application, values: dict[str, Any]) -> None:
    if unknown := sorted(set(values) - TYPED_KEYS):
        raise Refused(_("申请表中没有可填写的“%(what)s”") % {"what": _("、").join(unknown)})
    if closed := sorted(set(values) - content.open_targets(case)):
        what = _("、").join(str(form_of(case.programme).targets[key]) for key in closed)
        raise Refused(_("补正告知未列“%(what)s”，不能修改") % {"what": what})


def editing_obstacle(case: Application, actor: Actor) -> str | None:
    """Why the actor cannot write this application now, in words; None if it is possible."""
    if not policy.may_act(case.slug(), "save_draft", actor.role) or case.provider_id != actor.organisation_id:
        return _("只能填写本单位的申请")
    if case.state not in content.EDITABLE:
        return _("申请已提交，内容不能修改；需要补正时由通信管理局一次性告知")
    if case.state == ApplicationState.RETURNED and case.due_at and clock.now() >= case.due_at:
        return _("补正期限已过")
    return None
