"""The password policy: MLPS (complexity, ageing, no return) or ASVS (length and a list of common ones, no more).

The two contradict each other: ASVS 5.0 6.2.5 and 6.2.10 forbid what GB/T 22239 8.1.4.1 demands. A portal chooses one by
``PILOT_PASSWORD_POLICY``; with the default, ``mlps``, those two rows of ASVS are accepted deviations.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MLPS: Final = "mlps"
ASVS: Final = "asvs"
LONGEST_AGE: Final = timedelta(days=90)
LEAST_KINDS: Final = 3
_HERE: Final = "pilot.passwords"
_DJANGO: Final = "django.contrib.auth.password_validation"


class UnknownPolicy(ValueError):
    """``PILOT_PASSWORD_POLICY`` names no policy."""


def validators(policy: str) -> list[dict[str, Any]]:
    """``AUTH_PASSWORD_VALIDATORS`` of a policy. Raises :class:`UnknownPolicy`."""
    common = [
        {"NAME": f"{_DJANGO}.UserAttributeSimilarityValidator"},
        {"NAME": f"{_DJANGO}.CommonPasswordValidator"},
    ]
    if policy == ASVS:
        return [{"NAME": f"{_DJANGO}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}}, *common]
    if policy == MLPS:
        return [
            {"NAME": f"{_DJANGO}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
            *common,
            {"NAME": f"{_HERE}.KindsOfCharacters"},
            {"NAME": f"{_HERE}.NotAmongTheLast"},
        ]
    raise UnknownPolicy(f"PILOT_PASSWORD_POLICY: {policy!r} is neither {MLPS!r} nor {ASVS!r}")


def has_expired(policy: str, *, set_at: datetime, now: datetime) -> bool:
    """Whether a password of this age has to be changed (security time)."""
    return policy == MLPS and set_at + LONGEST_AGE <= now


class KindsOfCharacters:
    """Of capital letters, small letters, digits and other characters, three kinds at least."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        kinds = {_kind(character) for character in password}
        if len(kinds) < LEAST_KINDS:
            raise ValidationError(self.get_help_text(), code="password_kinds")

    def get_help_text(self) -> str:
        """The rule in words."""
        return _("密码须包含大写字母、小写字母、数字、其他字符中的至少三类。")


def _kind(character: str) -> str:
    if character.isdecimal():
        return "digit"
    if character.isascii() and character.isalpha():
        return "upper" if character.isupper() else "lower"
    return "other"


class NotAmongTheLast:
    """None of the passwords the person had last, the present one included."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        former = getattr(user, "former_passwords", None) or []
        if any(check_password(password, encoded) for encoded in former):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def get_help_text(self) -> str:
        """The rule in words."""
        return _("不能使用最近 5 次用过的密码。")
