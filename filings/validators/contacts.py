"""Mobile, landline and e-mail, each on a normalised value."""

from __future__ import annotations

import re
from typing import Final

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}").fullmatch
_LANDLINE: Final = re.compile(r"[0-9][0-9-]{10,127}").fullmatch
_AREA_CODE: Final = re.compile(r"(?:010|02[0-9]|0[3-9][0-9]{2})-?").match
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}").fullmatch
_MAX_LOCAL_PART: Final = 64  # RFC 5321, 4.5.3.1.1


def is_mobile(value: str) -> bool:
    """Say whether ``value`` is a mainland mobile number of 11 digits, without country code or spaces."""
    return _MOBILE(value) is not None


def is_landline(value: str) -> bool:
    """Say whether ``value`` is a landline.

    Digits and ``-``, 11 to 128 characters, and behind the area code a number that is not all zeros.
    """
    if _LANDLINE(value) is None:
        return False
    area = _AREA_CODE(value)
    number = value[area.end() :] if area else value
    return bool(number.strip("0-"))


def is_email(value: str) -> bool:
    """Say whether ``value`` is an e-mail address of 6 to 128 characters with exactly one ``@`` (dot-atom form)."""
    if not 6 <= len(value) <= 128 or _EMAIL(value) is None:
        return False
    return value.index("@") <= _MAX_LOCAL_PART
