"""Translating our error codes into those of the national V3.0 interface, at this border only."""

from __future__ import annotations

import re
from typing import Final

from filings.intake.records import ErrorItem

NOT_VALID: Final = 5001
"""The national answer to anything its schema would refuse."""

_BY_CODE: Final = {
    "cert.type_for_nature": 1008,
    "cert.format": 1008,
    "cert.check_digit": 1015,
    "cert.date": 1015,
    "email.format": 1009,
    "phone.landline": 1010,
    "phone.mobile": 1011,
    "subject.kind_nature": 1014,
    "region.unknown": 1019,
    "region.mismatch": 1019,
    "domain.format": 1004,
    "domain.subdomain": 1004,
    "url.host_differs": 1041,
    "image.size": 5010,
    "image.missing": 1055,
}
_BY_FIELD: Final = {("field.enum", "/subject/nature"): 1014, ("field.required", "/principal"): 1044}
_WEBSITE: Final = re.compile(r"/websites/\d+(?=/principal$)")
"""Before the responsible person of a website, who is missed like the subject's."""


def national_code(error: ErrorItem) -> int:
    """Return the national code of a fault: its own where it has one, by code and field otherwise."""
    if error.national is not None:
        return error.national
    field = _WEBSITE.sub("", error.field)
    return _BY_FIELD.get((error.code, field)) or _BY_CODE.get(error.code, NOT_VALID)
