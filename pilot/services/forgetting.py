"""What the kernel holds about people goes when its time is over (``pilot/inventory.toml``): idempotent, each on record.

Security time, except for cases that were decided, which go by business time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce, Greatest

from pilot import clock, inventory
from pilot.actors import Actor
from pilot.models import (
    AccessLink,
    Notice,
    OutboxMessage,
    Person,
    Phrase,
    ProviderRegistration,
    RegistrationState,
    SavedView,
)
from pilot.services import audit
from pilot.services.accounts import FORGOTTEN

SYSTEM: Final = Actor.system("forget")
_LASTING: Final = "licence:"  # by these notices the watch knows what it has told already


def forget() -> dict[str, int]:
    """Everything whose time is over; returns how many rows went, by period, without what did not."""
    done = {name: act() for name, act in _ACTS.items()}
    return {name: count for name, count in done.items() if count}


def _sweep(name: str, act: Callable[[datetime], int]) -> Callable[[], int]:
    @transaction.atomic
    def sweep() -> int:
        count = act(clock.security_now() - inventory.period(name))
        if count and name != "session":  # those end all day long, and nobody decides it
            audit.record(action="retention.sweep", actor=SYSTEM, object_type=name, detail={"rows": count})
        return count

    return sweep


def _sessions(before: datetime) -> int:
    """Sessions that ended, and what was noted about their browsers."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    return UserSession.objects.filter(~Exists(alive), last_seen_at__lte=before).delete()[0]


def _attempts(before: datetime) -> int:
    """Counted wrong passwords, and the sign-ins that axes wrote down before it was told not to."""
    tables = (AccessAttempt, AccessLog)
    return sum(table.objects.filter(attempt_time__lt=before).delete()[0] for table in tables)


def _links(before: datetime) -> int:
    return AccessLink.objects.filter(Q(used_at__lt=before) | Q(expires_at__lt=before)).delete()[0]


def _notices(before: datetime) -> int:
    old = Notice.objects.filter(visible_from__lt=before).exclude(source__startswith=_LASTING)
    return old.delete()[0]


def _messages(before: datetime) -> int:
    """Mails that left, and what was held back for good; a task goes when it is done, or waits for somebody."""
    left = Q(kind=OutboxMessage.Kind.MAIL, sent_at__lt=before)
    return OutboxMessage.objects.filter(left | Q(sent_at__isnull=True, cancelled_at__lt=before)).delete()[0]


def _registrations(_before: datetime) -> int:
    """Whom to call about a registration, once it was decided long ago. The decision is a case: business time."""
    bound = clock.now() - inventory.period("registration")
    decided = ProviderRegistration.unscoped.exclude(state=RegistrationState.REQUESTED).filter(
        state_since__lt=bound
    )
    full = ~Q(contact="") | ~Q(email="") | ~Q(phone="")
    return decided.filter(full).update(contact="", email="", phone="")


def _people() -> int:
    """How to reach people who left long ago, and with what they signed in; their names stay with what they did."""
    return sum(_forget_person(pk) for pk in list(_gone().values_list("pk", flat=True)))


def _gone() -> Any:
    used = Greatest("active_since", Coalesce("last_login", "active_since"))
    full = ~Q(email="") | ~Q(phone="") | ~Q(former_passwords=[])
    long_ago = clock.security_now() - inventory.period("account")
    return Person.objects.alias(used=used).filter(full, is_active=False, used__lt=long_ago).order_by("pk")


@transaction.atomic
def _forget_person(pk: int) -> bool:
    person = _gone().filter(pk=pk).select_for_update(of=("self",), skip_locked=True).first()
    if person is None:
        return False
    Authenticator.objects.filter(user=person).delete()
    AccessLink.objects.filter(person=person).delete()
    UserSession.objects.filter(user=person).delete()
    SavedView.unscoped.filter(person=person, shared=False).delete()
    Phrase.unscoped.filter(person=person, shared=False).delete()
    person.email = person.phone = ""
    person.former_passwords = []
    person.set_unusable_password()
    person.save()
    audit.record(action=FORGOTTEN, actor=SYSTEM, subject=person)
    return True


_ACTS: Final = {
    "session": _sweep("session", _sessions),
    "attempt": _sweep("attempt", _attempts),
    "link": _sweep("link", _links),
    "notice": _sweep("notice", _notices),
    "message": _sweep("message", _messages),
    "registration": _sweep("registration", _registrations),
    "account": _people,
}
