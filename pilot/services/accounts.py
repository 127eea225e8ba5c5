"""Accounts: invited by link, password set by link, disabled, reopened by two, unlocked; sessions ended.

The secret of a link is made when its mail leaves, so that neither the outbox nor a dump of the database holds one.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.utils import reset as forget_failures
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, Greatest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from pilot import clock
from pilot.actors import Actor
from pilot.enums import ADMIN_ROLES
from pilot.errors import Refused
from pilot.language import on_record
from pilot.models import AccessLink, Organisation, OutboxMessage, Person, RoleChange
from pilot.selectors import people as people_selectors
from pilot.services import audit, notices, outbox
from pilot.services.people import hold_administrators, need_another, request_role_change

SECRET_BYTES: Final = 32
LIFE: Final = {
    AccessLink.Purpose.INVITATION: timedelta(hours=72),
    AccessLink.Purpose.RESET: timedelta(hours=1),
}
NEXT_RESET: Final = timedelta(minutes=5)  # a person's mailbox is not flooded from outside
COMPOSER: Final = "access-link"
FORGOTTEN: Final = "person.forget"  # what reached a person who left long ago went, see services.forgetting


# --- links ----------------------------------------------------------------------------------------
def send_link(*, person_id: int, purpose: str) -> None:
    """Have a link mailed to a person; ``person_id`` 0 costs the same and sends nothing."""
    payload = {"compose": COMPOSER, "person": person_id, "purpose": str(purpose)}
    outbox.post(kind=OutboxMessage.Kind.MAIL, target="", payload=payload)


@transaction.atomic
def request_reset(*, actor: Actor, username: str) -> None:
    """Somebody says that this person forgot the password. Nobody learns whether there is such an account."""
    found = Person.objects.filter(username=username.strip().lower()).values_list("pk", flat=True).first()
    audit.record(action="account.reset-asked", actor=actor, object_type="person", object_id=str(found or ""))
    send_link(person_id=found or 0, purpose=AccessLink.Purpose.RESET)


def compose_link(payload: dict[str, Any]) -> outbox.Mail | None:
    """The mail with a new link, or None where none may leave: unknown, disabled, without address, asked again.

    Also where a worker died with an earlier attempt of this mail, and the link of that one has been used since.
    """
    purpose, now = AccessLink.Purpose(payload["purpose"]), clock.security_now()
    person = Person.objects.filter(pk=payload["person"], is_active=True).exclude(email="").first()
    if person is None or person.access_links.filter(pk=payload.get("link", 0)).exists():
        return None
    if purpose == AccessLink.Purpose.RESET and not (
        person.has_usable_password()
        and not person.access_links.filter(purpose=purpose, made_at__gt=now - NEXT_RESET).exists()
    ):
        return None
    secret = secrets.token_urlsafe(SECRET_BYTES)
    link = person.access_links.create(
        purpose=purpose, digest=_digest(secret), made_at=now, expires_at=now + LIFE[purpose]
    )
    payload["link"] = link.pk
    with on_record():
        text = render_to_string(
            "notices/access_link.txt",
            {
                "invitation": purpose == AccessLink.Purpose.INVITATION,
                "username": person.username,
                "link": f"{settings.PILOT_SITE}/access/{secret}/",
                "hours": int(LIFE[purpose] / timedelta(hours=1)),
            },
        )
        return outbox.Mail(person.email, str(purpose.label), text)


def forget_link(payload: dict[str, Any]) -> None:
    """Take back the link of an attempt whose mail did not leave: it ended the person's earlier ones."""
    AccessLink.objects.filter(pk=payload.get("link", 0), used_at=None).delete()


outbox.compose_when_sent(COMPOSER, compose_link, forget=forget_link)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def find_link(secret: str) -> AccessLink | None:
    """The link this secret stands for, if it still opens something: unused, in time, and the person's newest."""
    link = AccessLink.objects.select_related("person").filter(digest=_digest(secret)).first()
    if link is None or link.used_at is not None or link.expires_at <= clock.security_now():
        return None
    newest = (
        AccessLink.objects.filter(person=link.person).order_by("-pk").values_list("pk", flat=True).first()
    )
    return link if link.person.is_active and newest == link.pk else None


@transaction.atomic
def use_link(*, actor: Actor, secret: str, password: str) -> Person:
    """Set the password by a link, once; every session of the person ends. Raises :class:`Refused`.

    Whether the password is good enough, and the second factor, the form has asked.
    """
    locked = AccessLink.objects.select_for_update().filter(digest=_digest(secret)).first()
    link = find_link(secret) if locked else None
    if link is None:
        raise Refused(_("链接无效、已使用或已过期"))
    person = link.person
    person.set_password(password)
    person.active_since = clock.security_now()
    person.save()
    AccessLink.objects.filter(pk=link.pk).update(used_at=clock.security_now())
    end_sessions(person)
    audit.record(action="account.password", actor=actor, subject=person, detail={"by": link.purpose})
    return person


# --- people ---------------------------------------------------------------------------------------
@transaction.atomic
def invite(
    *, actor: Actor, name: str, username: str, email: str, organisation: Organisation, role: str, reason: str
) -> RoleChange:
    """Enter a person without a password and ask for a first role; the link leaves when another one approves.

    Raises :class:`Refused` for a login that exists, or a role that does not fit the organisation.
    """
    try:
        with transaction.atomic():
            person = Person.objects.create_user(username.strip(), name=name, email=email)
    except IntegrityError as error:
        raise Refused(_("登录名已存在")) from error
    audit.record(action="person.add", actor=actor, subject=person, detail={"role": role})
    return request_role_change(
        actor=actor, person=person, organisation=organisation, role=role, grant=True, reason=reason
    )


@transaction.atomic
def invite_again(*, actor: Actor, person: Person) -> None:
    """Send the invitation once more; earlier links end. Raises :class:`Refused` where the account is in use."""
    if person.has_usable_password() or not people_selectors.memberships(person).exists():
        raise Refused(_("只有角色已生效、尚未设置密码的账号可以重发邀请"))
    send_link(person_id=person.pk, purpose=AccessLink.Purpose.INVITATION)
    audit.record(action="person.invite", actor=actor, subject=person)


@transaction.atomic
def disable(*, actor: Actor, person: Person, reason: str) -> None:
    """Switch an account off at once, its sessions with it.

    Raises :class:`Refused`, also for the last administrator of a kind: nobody could open the account again.
    """
    locked = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not locked.is_active:
        raise Refused(_("账号已停用"))
    if locked.pk == actor.person_id:
        raise Refused(_("不能停用自己的账号"))
    need_another(locked, roles=ADMIN_ROLES)
    _switch_off(locked)
    audit.record(action="person.disable", actor=actor, subject=locked, detail={"reason": reason})


def _switch_off(person: Person) -> None:
    person.is_active = False
    person.save(update_fields=["is_active"])
    end_sessions(person)


@transaction.atomic
def request_reopening(*, actor: Actor, person: Person, reason: str) -> RoleChange:
    """Ask for a disabled account to be opened again; another one approves. Raises :class:`Refused`."""
    membership = person.memberships.filter(valid_until__isnull=True).order_by("pk").first()
    if person.is_active:
        raise Refused(_("账号未停用"))
    if audit.has_row(action=FORGOTTEN, subject=person):
        raise Refused(_("该账号的联系方式已按保存期限清除，请另开新账号"))
    if membership is None:
        raise Refused(_("该人员没有角色，请先申请授予角色"))
    return request_role_change(
        actor=actor,
        person=person,
        organisation=membership.organisation,
        role=membership.role,
        grant=True,
        reason=reason,
        reopen=True,
    )


def reopen(person: Person) -> None:
    """Open a disabled account: with neither its old password nor its old second factor, by a new invitation."""
    Authenticator.objects.filter(user=person).delete()
    person.is_active, person.active_since = True, clock.security_now()
    person.set_unusable_password()
    person.save()
    send_link(person_id=person.pk, purpose=AccessLink.Purpose.INVITATION)


@transaction.atomic
def unlock(*, actor: Actor, person: Person) -> None:
    """Forget the wrong passwords that locked an account."""
    forget_failures(username=person.username)
    audit.record(action="person.unlock", actor=actor, subject=person)


@transaction.atomic
def disable_dormant() -> int:
    """Disable accounts unused for ``PILOT_DORMANT_DAYS`` and tell the administrators; returns how many.

    Of each kind of administrator one stays, the last to have been at work: without it nobody could reopen the others.
    """
    since = clock.security_now() - timedelta(days=settings.PILOT_DORMANT_DAYS)
    used = Greatest("active_since", Coalesce("last_login", "active_since"))
    idle = Person.objects.annotate(used=used).filter(is_active=True, used__lt=since)
    dormant = _without_the_last(list(idle.select_for_update(of=("self",), no_key=True).order_by("pk")))
    job = Actor.system("disable_dormant")
    for person in dormant:
        _switch_off(person)
        audit.record(action="person.disable", actor=job, subject=person, detail={"reason": "dormant"})
    if dormant:
        with on_record():
            subject = _("%(n)s 个账号因长期未使用已停用") % {"n": len(dormant)}
        notices.send(
            members=people_selectors.administrators(),
            subject=subject,
            machine="",
            object_id=0,
            source=f"dormant:{dormant[-1].pk}",
            url="/people/?state=disabled",
        )
    return len(dormant)


def _without_the_last(dormant: list[Any]) -> list[Any]:
    """The dormant accounts (with ``used``), without the last administrator of each kind."""
    hold_administrators()
    spared: set[int] = set()
    for role in sorted(ADMIN_ROLES):
        at_work = set(people_selectors.in_force().filter(role=role).values_list("person", flat=True))
        candidates = [person for person in dormant if person.pk in at_work]
        if candidates and len(candidates) == len(at_work):
            spared.add(max(candidates, key=lambda person: (person.used, person.pk)).pk)
    return [person for person in dormant if person.pk not in spared]


# --- sessions -------------------------------------------------------------------------------------
@transaction.atomic
def end_sessions_of(*, actor: Actor, person: Person) -> None:
    """An administrator ends all sessions of a person."""
    detail = {"ended": end_sessions(person)}
    audit.record(action="person.sessions-end", actor=actor, subject=person, detail=detail)


@transaction.atomic
def end_own_session(*, actor: Actor, person: Person, session_id: int) -> bool:
    """A person ends one of the own sessions; whether there was such a one."""
    if not end_sessions(person, only=session_id):
        return False
    audit.record(action="account.session-end", actor=actor, subject=person)
    return True


def end_sessions(person: Person, *, only: int | None = None) -> int:
    """End the sessions of a person (``only``: this one): the next request of each is refused. Returns how many."""
    wanted = Q(user=person) if only is None else Q(user=person, pk=only)
    ended = 0
    for session in UserSession.objects.filter(wanted):
        session.end()
        ended += 1
    return ended
