"""Beginning an application and writing its form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from applications.enums import ApplicationState
from applications.models import Application
from applications.rules.form import is_blank, kept
from applications.selectors import cases, content, deadlines
from applications.selectors.form_schema import form_of
from pilot import clock, policy
from pilot.actors import Actor
from pilot.enums import WindowKind
from pilot.errors import NotPermitted, Refused, StateChanged
from pilot.models import Organisation, Programme
from pilot.selectors import people, programmes
from pilot.services import audit
from pilot.workflow import open_case


@audit.denials_recorded("application.open")
@transaction.atomic
def start_application(*, actor: Actor) -> Application:
    """Begin the actor's organisation's application in the current programme.

    Raises :class:`NotPermitted` for anybody but a provider, :class:`Refused` while another application of the
    provider is alive, or when the window is over and no late admission was granted.
    """
    if not policy.may_open("application_create", actor.role):
        raise NotPermitted(_("只有网络接入服务提供者可以提出申请"))
    programme, now = programmes.current(), clock.now()
    provider = Organisation.objects.filter(pk=actor.organisation_id or 0).first()
    if provider is None or provider.province is None:
        raise Refused(_("贵单位的登记信息不完整，请联系注册地通信管理局"))
    if why := starting_obstacle(programme, provider, now):
        raise Refused(why)
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


def starting_obstacle(programme: Programme, provider: Organisation, now: datetime) -> str | None:
    """Why a provider cannot begin an application now, in words; None where it can."""
    if live := cases.live_application(programme=programme, uscc=provider.uscc):
        if live.state == ApplicationState.LISTED:
            return _("贵单位的申请（%(number)s）已列入试点单位名单，不需要再次申请") % {"number": live.number}
        return _("贵单位已有在办申请（%(number)s），每个单位同时只能有一件") % {"number": live.number}
    _opens, closes = programmes.window(programme, WindowKind.APPLICATION)
    if now < closes or cases.late_admission(programme=programme, provider_id=provider.pk, at=now):
        return None
    return _("申请阶段已结束；确有特殊原因的，请联系注册地通信管理局申请逾期准入")


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that two windows changed in different ways: what this one typed, what the other one saved."""

    key: str
    own: Any
    other: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """The draft after a save, and the fields of it that were not saved because another window changed them, too."""

    case: Application
    clashes: tuple[Clash, ...] = ()


@transaction.atomic
def save_draft(
    *, case: Application, actor: Actor, revision: int, seen: Collection[str] = (), **values: Any
) -> Application:
    """Keep what was typed; keys are those of the form, a blank value empties the field.

    ``seen`` names the fields whose proposals (values read from an uploaded form) the person has looked at: they are
    proposals no longer. Anything may be kept: what is wrong or missing stands in the way of submission only. Raises
    :class:`StateChanged` when another window saved since ``revision``, :class:`Refused` when the application is not
    the actor's to write, or a field is unknown or not among those a completeness notice opened.
    """
    locked = _locked(case, actor, values)
    if locked.revision != revision:
        raise StateChanged(
            _("草稿已在另一窗口或由他人保存（现为第 %(now)s 次修改），请刷新后再填写")
            % {"now": locked.revision}
        )
    left = {key: shown for key, shown in locked.proposals.items() if key not in seen}
    return _write(locked, actor, values, left)


@transaction.atomic
def merge_draft(
    *,
    case: Application,
    actor: Actor,
    base: Mapping[str, Any],
    seen: Mapping[str, Any] | None = None,
    **values: Any,
) -> Merged:
    """Keep what this window changed, whatever other windows saved meanwhile, field by field.

    ``base`` is what the window's fields held when it was opened (as kept), ``seen`` the proposals it showed and by
    which the person has decided: field → value shown. A field that only another window changed stays as that one
    left it; one that both changed differently is not written but comes back as a :class:`Clash`. Raises
    :class:`Refused` as :func:`save_draft` does.
    """
    locked = _locked(case, actor, values)
    fields = form_of(locked.programme).fields
    wanted: dict[str, Any] = {}
    clashes: list[Clash] = []
    for key, value in values.items():
        own, stored = _standing(kept(fields[key], value)), locked.draft.get(key)
        started = _standing(base.get(key))
        if own in (started, stored):
            continue
        if stored == started:
            wanted[key] = own
        else:
            clashes.append(Clash(key, own, stored))
    open_still = {clash.key for clash in clashes}
    decided = {key: value for key, value in (seen or {}).items() if key not in open_still}
    left = {
        key: proposal
        for key, proposal in locked.proposals.items()
        if key not in decided or decided[key] != proposal["value"]
    }
    if wanted or left != locked.proposals:
        locked = _write(locked, actor, wanted, left)
    return Merged(locked, tuple(clashes))


def _locked(case: Application, actor: Actor, values: Mapping[str, Any]) -> Application:
    locked: Application = Application.unscoped.select_for_update(of=("self",)).get(pk=case.pk)
    if obstacle := editing_obstacle(locked, actor):
        raise Refused(obstacle)
    _check_open(locked, values)
    return locked


def _standing(value: Any) -> Any:
    """A value as the draft holds it: a blank one is not there."""
    return None if is_blank(value) else value


def _write(
    locked: Application, actor: Actor, values: Mapping[str, Any], proposals: Mapping[str, Any]
) -> Application:
    fields = form_of(locked.programme).fields
    draft = dict(locked.draft)
    for key, value in values.items():
        draft.pop(key, None)
        if not is_blank(new := kept(fields[key], value)):
            draft[key] = new
    changed = sorted(key for key in values if draft.get(key) != locked.draft.get(key))
    looked_at = sorted(set(locked.proposals) - set(proposals))
    locked.draft, locked.proposals = draft, dict(proposals)
    locked.revision += 1
    locked.save(update_fields=["draft", "proposals", "revision"])
    detail = {"fields": changed, **({"looked_at": looked_at} if looked_at else {})}
    audit.record(action="application.save_draft", actor=actor, subject=locked, detail=detail)
    return locked


def _check_open(case: Application, values: Mapping[str, Any]) -> None:
    form = form_of(case.programme)
    typed = {key for key, field in form.fields.items() if not field.fixed}
    if unknown := sorted(set(values) - typed):
        raise Refused(_("申请表中没有可填写的“%(what)s”") % {"what": _("、").join(unknown)})
    if closed := sorted(set(values) - content.open_targets(case)):
        what = _("、").join(str(form.targets[key]) for key in closed)
        raise Refused(_("补正告知未列“%(what)s”，不能修改") % {"what": what})


def editing_obstacle(case: Application, actor: Actor) -> str | None:
    """Why the actor cannot write this application now, in words; None if it is possible."""
    if not policy.may_act(case.slug(), "save_draft", actor.role) or case.provider_id != actor.organisation_id:
        return _("只能填写本单位的申请")
    if case.state not in content.EDITABLE:
        return _("申请已提交，内容不能修改；需要补正时由通信管理局一次性告知")
    if case.state == ApplicationState.RETURNED and case.due_at and clock.now() >= case.due_at:
        return _("补正期限已过")
    if deadlines.left_behind(case, clock.now()):
        return _("申请阶段已结束，草稿不能再修改或提交，仍可查看")
    return None


def way_on(case: Application) -> str:
    """What can be done about a draft that the end of the window left behind: whom to ask, and who decides."""
    bureau = people.bureau_of(case.province)
    asked = _("%(bureau)s（电话 %(phone)s）") if bureau.phone else "%(bureau)s"
    return _(
        "确有特殊原因的，请联系%(asked)s：由部经办人员提出逾期准入，审批人员批准后，草稿可以继续填写和提交。"
    ) % {"asked": asked % {"bureau": bureau.name, "phone": bureau.phone}}
