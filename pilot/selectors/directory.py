"""Everybody with a login, for those who administer accounts: in which state, with which roles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import (
    Case,
    Exists,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    SmallIntegerField,
    TextChoices,
    When,
)
from django.utils.translation import gettext_lazy as _

from pilot import clock
from pilot.models import Membership, Person
from pilot.selectors.people import in_force


class Standing(TextChoices):
    """The state of an account."""

    ACTIVE = "active", _("启用")
    INVITED = "invited", _("待开通")
    LOCKED = "locked", _("已锁定")
    DISABLED = "disabled", _("已停用")


def everybody(*, text: str = "", standing: str = "", role: str = "", office: str = "") -> QuerySet[Person]:
    """People with their open memberships and whether a second factor protects the account.

    Who is locked or not signed in yet comes first, each by name. ``text`` is looked for in name and login, ``office``
    in the names of their organisations; ``standing`` is a value of :class:`Standing`.
    """
    open_roles = (
        Membership.objects.filter(valid_until__isnull=True).select_related("organisation").order_by("pk")
    )
    second = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
    rows = (
        Person.objects.annotate(has_second=Exists(second))
        .prefetch_related(Prefetch("memberships", open_roles, to_attr="open_roles"))
        .order_by(_turn(), "name", "pk")
    )
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(username__icontains=text))
    if office:
        rows = rows.filter(pk__in=in_force().filter(organisation__name__icontains=office).values("person"))
    if role:
        rows = rows.filter(pk__in=in_force().filter(role=role).values("person"))
    return rows.filter(_in_state(standing)) if standing else rows


def _turn() -> Case:
    waiting = _in_state(Standing.LOCKED) | _in_state(Standing.INVITED)
    return Case(When(waiting, then=0), default=1, output_field=SmallIntegerField())


def _in_state(standing: str) -> Q:
    without_password = Q(("password__startswith", UNUSABLE_PASSWORD_PREFIX))
    conditions = {
        Standing.DISABLED: Q(is_active=False),
        Standing.INVITED: Q(is_active=True) & without_password,
        Standing.LOCKED: Q(is_active=True, username__in=_locked()),
        Standing.ACTIVE: Q(is_active=True) & ~without_password & ~Q(username__in=_locked()),
    }
    return conditions[Standing(standing)]


def _locked() -> QuerySet[AccessAttempt, str]:
    """The logins that wrong passwords have locked for now."""
    since = clock.security_now() - timedelta(hours=settings.AXES_COOLOFF_TIME)
    attempts = AccessAttempt.objects.filter(
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT, attempt_time__gt=since
    )
    return attempts.exclude(username=None).values_list("username", flat=True)


def locked_among(people: Iterable[Person]) -> set[str]:
    """The logins of these people that are locked. One query."""
    return set(_locked().filter(username__in=[person.username for person in people]))


def standing_of(person: Person, *, locked: set[str]) -> Standing:
    """The state of an account."""
    if not person.is_active:
        return Standing.DISABLED
    if not person.has_usable_password():
        return Standing.INVITED
    return Standing.LOCKED if person.username in locked else Standing.ACTIVE
