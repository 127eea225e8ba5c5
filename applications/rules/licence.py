"""What the number and the page of a value-added telecommunications licence say (domain brief, section 3.9)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from pilot.enums import Province
from pilot.provinces import ABBREVIATIONS

_PROVINCES: Final = {sign: province for province, signs in ABBREVIATIONS.items() for sign in signs}
_SHAPE: Final = re.compile(
    rf"([{''.join(_PROVINCES)}])?((?:A1|A2|B1|B2)(?:\.(?:A1|A2|B1|B2))*)-(?:19|20)\d{{2}}\d{{4}}(-\d{{1,3}})?号?"
)
VALIDITY_YEARS: Final = 5
"""Value-added licences run for five years (电信业务经营许可管理办法)."""

ACCESS_CATEGORIES: Final = frozenset({"B11", "B12", "B14"})
"""Internet data centre, content delivery, internet access: one of them makes a network access provider."""


def normalise(number: str) -> str:
    """The number in half-width capitals without white space: ``ｂ１-20180123`` → ``B1-20180123``."""
    return "".join(unicodedata.normalize("NFKC", number).split()).upper()


def classes(number: str) -> frozenset[str]:
    """The licence classes a number names (A1, A2, B1, B2); empty when it has not the shape of a licence number."""
    match = _SHAPE.fullmatch(normalise(number))
    return frozenset(match.group(2).split(".")) if match else frozenset()


def province_of(number: str) -> Province | None:
    """The province whose bureau issued the licence; None for the ministry's own, which hold across provinces."""
    match = _SHAPE.fullmatch(normalise(number))
    return _PROVINCES.get(match.group(1)) if match else None


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


def plain_name(name: str) -> str:
    """A company name for comparing: half-width, capitals, without white space; all brackets alike."""
    half = unicodedata.normalize("NFKC", name).upper()
    return "".join(half.split()).translate(str.maketrans("〔〕［］【】[]", "()()()()"))


def holder_fault(holder: str, applicant: str) -> str | None:
    """Why the licence is not the applicant's: a branch or a company that only resells has none of its own."""
    if plain_name(holder) == plain_name(applicant):
        return None
    return _("许可证持有者与申请单位“%(name)s”不一致；单位更名的，请先办理许可证变更") % {"name": applicant}


def coverage_fault(number: str, coverage: str) -> str | None:
    """Why number and coverage contradict: a number with a province's sign holds in that province only."""
    province = province_of(number)
    if province is None or coverage != "national":
        return None
    return _("编号为%(province)s许可，覆盖范围不能是全国") % {"province": province.label}


def registration_fault(number: str, registered: int | None) -> str | None:
    """Why a province's licence does not serve a provider that is registered elsewhere."""
    province = province_of(number)
    if province is None or registered is None or province == registered:
        return None
    return _("编号为%(province)s许可，与单位注册地%(registered)s不一致") % {
        "province": province.label,
        "registered": Province(registered).label,
    }


def territory_fault(
    number: str, coverage: str, provinces: Collection[str], registered: int | None
) -> str | None:
    """Why the pilot cannot run in all the provinces named: a licence of one province ends at its border."""
    home = province_of(number) or (registered if coverage == "province" else None)
    if home is None:
        return None
    beyond = [Province(int(code)).label for code in provinces if code.isdigit() and int(code) != home]
    if not beyond:
        return None
    return _("许可覆盖范围仅为%(home)s，不含%(beyond)s") % {
        "home": Province(home).label,
        "beyond": _("、").join(str(label) for label in beyond),
    }


def issue_fault(issued_on: date, expires_on: date | None, *, today: date) -> str | None:
    """Why the day of issue cannot be right: it lies ahead, or not before the day of expiry."""
    if issued_on > today:
        return _("发证日期晚于今天")
    if expires_on is not None and issued_on >= expires_on:
        return _("发证日期应早于有效期至")
    return None


def notes(number: str, issued_on: date | None, expires_on: date | None) -> list[str]:
    """What is no fault, but for the bureau to look at: a number of a site under the licence, an unusual validity."""
    found = []
    match = _SHAPE.fullmatch(normalise(number))
    if match and match.group(3):
        found.append(_("编号带子号“%(part)s”，请核对是否为许可证本身的编号") % {"part": match.group(3)})
    if issued_on and expires_on and expires_on > _years_later(issued_on, VALIDITY_YEARS):
        found.append(_("有效期超过%(years)s年，请核对") % {"years": VALIDITY_YEARS})
    return found


def _years_later(start: date, years: int) -> date:
    """The same day some years on; of 29 February the 1st of March."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 3, 1)
