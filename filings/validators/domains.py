"""Domain names of websites: registrable, IDNA 2008, letters, digits, hyphens and Chinese characters only.

MIIT's system of domain names (2018 公告第7号) has no other scripts, which also rules out mixed-script
lookalikes. Names are compared and stored as A-labels.
"""

from __future__ import annotations

import re
from typing import Final

import idna
from publicsuffixlist import PublicSuffixList

from filings.validators.text import narrow

MIN_LENGTH: Final = 4
MAX_LENGTH: Final = 128

_SUFFIXES: Final = PublicSuffixList(only_icann=True, accept_unknown=False)
_LDH_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LDH_NAME: Final = re.compile(rf"{_LDH_LABEL}(?:\.{_LDH_LABEL})+").fullmatch
_CHINESE_NAME: Final = re.compile(r"[a-z0-9.\-〇\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]+").fullmatch
_DOTS: Final = str.maketrans("。．｡", "...")
_URL: Final = re.compile(r"(?:https?://)?([^/?#\s@:]+)(?::[0-9]{1,5})?(?:[/?#]\S*)?", re.IGNORECASE).fullmatch


def to_ascii(value: str) -> str | None:
    """Return the A-label form of a host name in lower case, or ``None`` when it is not a valid one."""
    name = value.lower() if value.isascii() else narrow(value).translate(_DOTS).lower()
    if name.isascii():
        if _LDH_NAME(name) is None:
            return None
        return name if "xn--" not in name and "--" not in name else _checked_alabels(name)
    if _CHINESE_NAME(name) is None:
        return None
    try:
        return idna.encode(name).decode("ascii")
    except idna.IDNAError:
        return None


def _checked_alabels(name: str) -> str | None:
    """Accept a name with A-labels only if each stands for a valid name in the permitted characters."""
    try:
        return name if _CHINESE_NAME(idna.decode(name)) else None
    except idna.IDNAError:
        return None


def check_domain(value: str) -> tuple[str | None, str | None]:
    """Return ``(A-label, None)`` for a registrable domain, else ``(None, code of the fault)``.

    ``domain.subdomain`` when there is more than the registrable domain (``www`` included), ``domain.format``
    for everything that is no registrable domain: bad characters, a bare public suffix, an unknown top level.
    """
    name = to_ascii(value)
    if name is None or not MIN_LENGTH <= len(name) <= MAX_LENGTH:
        return None, "domain.format"
    registrable = _SUFFIXES.privatesuffix(name)
    if registrable == name:
        return name, None
    return None, "domain.subdomain" if registrable else "domain.format"


def host_of(url: str) -> str | None:
    """Return the host of a home URL (``http``, ``https`` or no scheme) as A-labels, ``None`` when it is no such URL.

    User names in the URL are refused: they serve to make a foreign host look like the filed one.
    """
    match = _URL(url)
    return to_ascii(match[1]) if match else None


def is_at_or_below(host: str, domain: str) -> bool:
    """Say whether ``host`` is ``domain`` or one of its sub-domains (both as A-labels)."""
    return host == domain or host.endswith("." + domain)
