"""How allauth fits the portal: nobody signs up alone, logins ignore case, sign-ins are audited."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account_forms
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import password_changed
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pilot import sealing
from pilot.actors import Actor
from pilot.middleware import client_address
from pilot.models import AuditEntry, Person
from pilot.selectors import people
from pilot.services import audit, second_factors


class AccountAdapter(DefaultAccountAdapter):
    """Closed registration: officials are invited, providers come through their bureau."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": gettext_lazy("登录名或密码不正确")
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def clean_username(self, username: str, shallow: bool = False) -> str:
        return username.lower()

    def is_safe_url(self, url: str | None) -> bool:
        """As allauth's, to which what is no address at all (``//[``) is a fault of the server."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors never lie open in the database."""

    def encrypt(self, text: str) -> str:
        return second_factors.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return second_factors.unseal(encrypted_text)


def login_tried(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str | None:
    """Under which login wrong passwords are counted: another spelling of it gives no more tries.

    One that nobody has becomes a keyed digest: people type passwords into that field, and the counters and their log
    lines keep what they are given.
    """
    given = str((credentials or {}).get("username") or request.POST.get("login") or "").strip().lower()
    if not given or Person.objects.filter(username=given).exists():
        return given or None
    return sealing.mac(sealing.derive(settings.PILOT_DIGEST_KEY, "login"), given.encode()).hex()


class _Plain:
    """A form of allauth's whose fields do not say their label twice."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_Plain, account_forms.LoginForm):
    """Sign-in; the portal calls a username 登录名 everywhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("登录名")


class ChangePasswordForm(_Plain, account_forms.ChangePasswordForm):
    """A new password of one's own, with the rules in sight."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = " ".join(password_validators_help_texts())


class ReauthenticatePasswordForm(_Plain, account_forms.ReauthenticateForm):
    """The password once more before an act that is signed."""


class _Counted:
    """Wrong codes count like wrong passwords: whoever knows the password does not guess the second factor."""

    user: Any
    authenticator: Any  # by which the code was right

    def clean_code(self) -> str:
        """The code, if it is right. Raises ValidationError, also for the right one while the account is locked."""
        credentials = {"username": self.user.username}
        if not AxesProxyHandler.is_allowed(context.request, credentials):
            raise ValidationError(_("连续输错次数过多，账号已暂时锁定"))
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            self._count(credentials)
            raise
        if not second_factors.use_once(self.authenticator, code):
            self._count(credentials)
            raise get_adapter().validation_error("incorrect_code")
        return code

    def _count(self, credentials: dict[str, Any]) -> None:
        user_login_failed.send(sender=type(self), credentials=credentials, request=context.request)


class ActivateCodesForm(_Plain, ActivateTOTPForm):
    """The first code of an application that makes them."""


class SecondFactorForm(_Counted, _Plain, AuthenticateForm):
    """The second factor at sign-in."""


class SecondFactorAgainForm(_Counted, _Plain, ReauthenticateForm):
    """The second factor before an act that is signed."""


class _Named:
    """A form with the name of a security key, which allauth leaves without a label."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("名称")


class AddKeyForm(_Named, AddWebAuthnForm):
    """A new security key."""


class RenameKeyForm(_Named, EditWebAuthnForm):
    """Another name for a security key."""


@receiver(user_logged_in)
def record_login(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """A sign-in, with the role it begins in."""
    address = client_address(request) if request else None
    actor = people.actor_of(user, address=address) or Actor(role="", person_id=user.pk, name=user.name)
    with transaction.atomic():
        audit.record(action="account.login", actor=actor, object_type="person", object_id=str(user.pk))


@receiver(user_login_failed)
def record_failed_login(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """A failed sign-in. The login tried is not kept: people type passwords into that field."""
    actor = Actor(role="", name="anonymous", address=client_address(request) if request else None)
    with transaction.atomic():
        audit.record(action="account.login", actor=actor, outcome=AuditEntry.Outcome.FAILED)


def _record(action: str, request: HttpRequest, user: Any) -> None:
    address = client_address(request)
    actor = people.actor_of(user, address=address) or Actor(
        role="", person_id=user.pk, name=user.name, address=address
    )
    with transaction.atomic():
        audit.record(action=action, actor=actor, object_type="person", object_id=str(user.pk))


@receiver(user_logged_out)
def record_logout(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """A person signed out; the end of nobody's session tells nothing."""
    if user is not None:
        _record("account.logout", request, user)


@receiver(password_changed)
def record_password(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """A person changed the own password; the other sessions have ended with it."""
    _record("account.password", request, user)


@receiver([authenticator_added, authenticator_reset, authenticator_removed])
def record_second_factor(sender: Any, request: HttpRequest, user: Any, signal: Any, **kwargs: Any) -> None:
    """A second factor was added, made anew or removed."""
    removed = signal is authenticator_removed
    _record("account.factor-removed" if removed else "account.factor-added", request, user)
