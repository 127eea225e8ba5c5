"""备案号: the numbers the national filing system gives to subjects and websites."""

from __future__ import annotations

import re
from typing import Final

from filings.validators.regions import PROVINCE_BY_SIGN

_NUMBER: Final = re.compile(
    rf"([{''.join(PROVINCE_BY_SIGN)}])ICP(?:备|证)(?:[0-9]{{6}}|[0-9]{{8}}|[0-9]{{10}})号(-[1-9][0-9]{{0,4}}[AX]?)?"
).fullmatch


def province_of(number: str) -> str | None:
    """Return the province code of a 备案号 such as 京ICP备12345678号-1, or ``None`` when it is not one."""
    match = _NUMBER(number)
    return PROVINCE_BY_SIGN[match[1]] if match else None


def subject_number(number: str) -> str:
    """The 备案号 of the subject behind that of a website; any other text stays as it is."""
    match = _NUMBER(number)
    return number.removesuffix(match[2]) if match and match[2] else number
