"""System checks: a portal that could not seal what it receives says so when it starts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.translation import gettext as _

from filings.enums import StoredCipher
from filings.services import authority_sources, ciphers
from pilot.errors import NotReady


@register(Tags.security)
def stored_cipher(**_options: Any) -> list[CheckMessage]:
    """``PILOT_CIPHER`` names a cipher that OpenSSL can do."""
    if settings.PILOT_CIPHER not in StoredCipher.values:
        words = _("PILOT_CIPHER 的值“%(value)s”不可用") % {"value": settings.PILOT_CIPHER}
        return [
            Error(
                words,
                hint=_("可选：%(values)s") % {"values": "、".join(StoredCipher.values)},
                id="filings.E001",
            )
        ]
    cipher = ciphers.chosen()
    if not ciphers.is_available(cipher):
        words = _("本机的 OpenSSL 不支持 %(cipher)s") % {"cipher": cipher.label}
        hint = _("请安装带有该算法的 cryptography，或改用另一种 PILOT_CIPHER")
        return [Error(words, hint=hint, id="filings.E002")]
    return []


@register(Tags.security)
def authority_source(**_options: Any) -> list[CheckMessage]:
    """The authority is set up so that it can be asked."""
    try:
        authority_sources.configured()
    except NotReady as fault:
        return [Error(str(fault.message), id="filings.E003")]
    return []
