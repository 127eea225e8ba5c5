"""What the number and the page of a value-added telecommunications licence say (domain brief, section 3.9)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from pilot.provinces import ABBREVIATIONS

_PREFIXES = "".join(prefix for prefixes in ABBREVIATIONS.values() for prefix in prefixes)
_SHAPE: Final = re.compile(
    rf"[{_PREFIXES}]?((?:A1|A2|B1|B2)(?:\.(?:A1|A2|B1|B2))*)-(?:19|20)\d{{2}}\d{{4}}(?:-\d{{1,3}})?号?"
)

ACCESS_CATEGORIES: Final = frozenset({"B11", "B12", "B14"})
"""Internet data centre, content delivery, internet access: one of them makes a network access provider."""


def normalise(number: str) -> str:
    """The number in half-width capitals without white space: ``ｂ１-20180123`` → ``B1-20180123``."""
    return "".join(unicodedata.normalize("NFKC", number).split()).upper()


def classes(number: str) -> frozenset[str]:
    """The licence classes a number names (A1, A2, B1, B2); empty when it has not the shape of a licence number."""
    match = _SHAPE.fullmatch(normalise(number))
    return frozenset(match.group(1).split(".")) if match else frozenset()


def number_fault(number: str) -> str | None:
    """Why this is not a licence number, in words; None if it has the shape of one."""
    if classes(number):
        return None
    return _("编号格式不正确，应形如 B1-20180123、A2.B1.B2-20190001 或 粤B1.B2-20190001")


def class_fault(number: str) -> str | None:
    """Why the number shows no licence for access services (condition 1): a B2-only licence does not do."""
    held = classes(number)
    if not held or "B1" in held:
        return None
    return _(
        "编号只含%(classes)s类业务，不含B1类（互联网数据中心、内容分发网络、互联网接入服务均属B1类）"
    ) % {"classes": _("、").join(sorted(held))}


def category_fault(categories: Collection[str]) -> str | None:
    """Why the services listed on the licence do not meet condition 1: none of B11, B12 and B14."""
    if not categories or ACCESS_CATEGORIES & set(categories):
        return None
    return _("业务种类不含B11互联网数据中心、B12内容分发网络、B14互联网接入服务中的任何一种")


def expiry_fault(expires_on: date, *, today: date) -> str | None:
    """Why the licence is not in force: it is valid through the day it names."""
    if expires_on >= today:
        return None
    return _("许可证已于%(day)s到期") % {"day": expires_on.isoformat()}
