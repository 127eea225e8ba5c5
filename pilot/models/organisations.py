"""Organisations, people and their dated memberships; registration of providers; changes of roles."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Case as SqlCase
from django.db.models import F, Func, Q, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pilot.actors import Actor
from pilot.enums import ADMIN_ROLES, OrganisationKind, Province, Role
from pilot.machines import EVERYTHING, NOTHING, Case, Labelled, StateField, four_eyes, machine, step
from pilot.masking import mask_name

REMEMBERED_PASSWORDS = 5


class Organisation(Labelled):
    """A ministry, bureau, agency or provider. ``province`` is where it is registered."""

    kind = models.CharField(max_length=16, choices=OrganisationKind.choices)
    name = models.CharField(max_length=255)
    uscc = models.CharField(max_length=18, blank=True)
    province = models.PositiveSmallIntegerField(choices=Province.choices, null=True, blank=True)
    phone = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["uscc"], condition=~Q(uscc=""), name="organisation_uscc_once"),
            models.UniqueConstraint(
                fields=["province"], condition=Q(kind=OrganisationKind.BUREAU), name="one_bureau_per_province"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    """Creates people; the login is compared without regard to case."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Person:
        person = self.model(username=username.lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(username=(username or "").lower())


class Person(AbstractBaseUser):
    """A natural person with a login. What the person may do follows from memberships, never from flags."""

    username = models.CharField(_("登录名"), max_length=64, unique=True)
    name = models.CharField(_("姓名"), max_length=64)
    email = models.EmailField(_("邮箱"), blank=True)
    phone = models.CharField(_("电话"), max_length=32, blank=True)
    is_active = models.BooleanField(_("启用"), default=True)
    date_joined = models.DateTimeField(auto_now_add=True)
    # Security time. An account counts as used from here on, else from its last sign-in.
    active_since = models.DateTimeField(default=timezone.now, db_default=Now())
    password_set_at = models.DateTimeField(default=timezone.now, db_default=Now())
    former_passwords: Any = ArrayField(
        models.CharField(max_length=128), default=list, db_default=Value("{}"), blank=True
    )  # hashes, newest first, the present one among them
    # Display choices that are on, as class names of a page (pilot.preferences).
    display: Any = ArrayField(
        models.CharField(max_length=16),
        verbose_name=_("显示方式"),
        default=list,
        db_default=Value("{}"),
        blank=True,
    )

    objects = PersonManager()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    def __str__(self) -> str:
        """Masked (C12), so that a person printed without a thought is no leak; in full it is ``name``."""
        return mask_name(self.name) or self.username

    def get_full_name(self) -> str:
        return self.name

    def set_password(self, raw_password: str | None) -> None:
        """Set the password, and remember when and which, so that it ages and does not come back."""
        super().set_password(raw_password)
        if raw_password is not None:
            # nosemgrep: clock-of-its-own  (models stand below pilot.clock; real time is meant)
            self.password_set_at = timezone.now()
            self.former_passwords = [self.password, *self.former_passwords][:REMEMBERED_PASSWORDS]


def _duty() -> SqlCase:
    """The duty of a role: 0 is work on cases, each kind of administration is one of its own (三员分立)."""
    apart = [When(role=str(role), then=Value(n)) for n, role in enumerate(sorted(ADMIN_ROLES), start=1)]
    return SqlCase(*apart, default=Value(0), output_field=models.IntegerField())


class Membership(Labelled):
    """A person's role in an organisation from one date until another (business time)."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=32, choices=Role.choices)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation", "role"],
                condition=Q(valid_until__isnull=True),
                name="one_open_membership",
            ),
            # Whoever administers works on no case, and does one of the three kinds of administration only.
            ExclusionConstraint(
                name="duties_apart",
                expressions=[
                    ("person", RangeOperators.EQUAL),
                    (_duty(), RangeOperators.NOT_EQUAL),
                    (Func(F("valid_from"), F("valid_until"), function="TSTZRANGE"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.organisation} · {self.get_role_display()}"

    def as_actor(self, *, channel: str = "web", address: str | None = None) -> Actor:
        """The actor this membership makes of its person."""
        return Actor(
            role=self.role,
            person_id=self.person_id,
            name=self.person.name,
            organisation_id=self.organisation_id,
            organisation_name=self.organisation.name,
            province=self.organisation.province,
            channel=channel,
            address=address,
            membership_id=self.pk,
        )


class RegistrationState(models.TextChoices):
    REQUESTED = "requested", _("待确认")
    CONFIRMED = "confirmed", _("已确认")
    REJECTED = "rejected", _("未获确认")


@machine
class ProviderRegistration(Case):
    """A provider asks for an account; the bureau of its province confirms that it exists and who acts for it."""

    number_prefix = "DJ"
    state = StateField(default=RegistrationState.REQUESTED, choices=RegistrationState.choices)
    name = models.CharField(max_length=255)
    uscc = models.CharField(max_length=18)
    province = models.PositiveSmallIntegerField(choices=Province.choices)
    contact = models.CharField(max_length=64)
    email = models.EmailField()
    phone = models.CharField(max_length=32)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True)

    class Meta(Case.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["uscc"], condition=Q(state=RegistrationState.REQUESTED), name="one_open_registration"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        if actor.sees_everything:
            return EVERYTHING
        return Q(province=actor.province) if actor.is_bureau else NOTHING

    @step(RegistrationState.REQUESTED, RegistrationState.CONFIRMED, _("确认"))
    def confirm(self) -> None:
        """The provider exists: organisation, person and membership are made."""

    @step(RegistrationState.REQUESTED, RegistrationState.REJECTED, _("不予确认"))
    def reject(self) -> None:
        """The request is turned down with a reason."""


class RoleChangeState(models.TextChoices):
    REQUESTED = "requested", _("待批准")
    EFFECTIVE = "effective", _("已生效")
    REJECTED = "rejected", _("未批准")


@machine
class RoleChange(Case):
    """A role given to or taken from a person; two administrators are needed.

    With ``reopen`` the person has the role already, but the account is disabled: it opens again.
    """

    number_prefix = "JS"
    state = StateField(default=RoleChangeState.REQUESTED, choices=RoleChangeState.choices)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="role_changes")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    role = models.CharField(max_length=32, choices=Role.choices)
    grant = models.BooleanField(_("授予"), default=True)
    reopen = models.BooleanField(_("恢复账号"), default=False, db_default=False)
    reason = models.TextField()
    requested_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True, blank=True)

    class Meta(Case.Meta):
        constraints = [four_eyes("requested_by", "approved_by", name="role_change_four_eyes")]

    def __str__(self) -> str:
        return f"{self.what} {self.person} · {self.get_role_display()}"

    @property
    def called(self) -> str:
        return f"{self.organisation} · {self.get_role_display()}"

    @property
    def what(self) -> Any:
        """What is asked for, in words."""
        if self.reopen:
            return _("恢复账号")
        return _("授予") if self.grant else _("收回")

    @classmethod
    def visibility(cls, actor: Actor) -> Q:
        return EVERYTHING if actor.is_admin or actor.is_system else NOTHING

    @step(RoleChangeState.REQUESTED, RoleChangeState.EFFECTIVE, _("批准"))
    def approve(self) -> None:
        """Another administrator approves; the membership begins or ends at once."""

    @step(RoleChangeState.REQUESTED, RoleChangeState.REJECTED, _("不批准"))
    def reject(self) -> None:
        """Another administrator turns it down."""
