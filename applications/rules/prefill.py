"""What a filled-in form says, field by field: read surely or not at all. Pure; no files, no models.

A value that could mean two things is never guessed: :class:`Unclear` says why, and a person types it in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from applications.rules import licence, prefill_choices
from applications.rules.form import LONG, SHORT, FormField, Kind, is_blank
from applications.rules.prefill_text import Unclear, clean, narrow

type Found = str | int | float | bool | date | datetime | time | timedelta | frozenset[str]
"""What stands in a file: a text, a cell of another type, or the codes of the boxes that are ticked."""

MAX_LENGTH: Final[Mapping[Kind, int]] = {kind: LONG if kind is Kind.LONG_TEXT else SHORT for kind in Kind}
"""Characters a value may have; the controls of the pages keep to the same."""
MAX_NUMBER: Final = 10**12
UNITS: Final[Mapping[str, tuple[str, ...]]] = {
    "filed_subjects": ("个", "家", "户"),
    "filed_websites": ("个", "家"),
    "daily_capacity": ("件", "件/日", "件/天", "件每日", "件每天"),
    "storage_days": ("天", "日"),
}
"""Units a number may carry: those its label asks for, and none that would change what it means."""

_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+")
_PLAIN: Final = re.compile(r"\d+(?:\.0{1,2})?")
_MYRIADS: Final = re.compile(r"(\d+(?:\.\d+)?)万")
_YEAR_FIRST: Final = re.compile(
    r"(\d{4})\s*(?:年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]|([-/.])\s*(\d{1,2})\s*\4\s*(\d{1,2}))"
    r"(?:[T ]0{1,2}:00(?::00(?:\.0+)?)?)?"
)
_COMPACT: Final = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_SERIAL: Final = re.compile(r"\d{5}")
_CHINESE_DAY: Final = re.compile(
    r"([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})[日号]"
)
_DIGITS: Final = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
EPOCH_1900: Final = date(1899, 12, 30)
EPOCH_1904: Final = date(1904, 1, 1)
_SERIALS: Final = range(29_221, 73_051)  # 1980 to 2099 where days are counted from 1900
_YEARS: Final = range(1980, 2100)

_MOBILE: Final = re.compile(r"(?:(?:\+|00)?86-?)?(1[3-9]\d{9})")
_PHONE: Final = re.compile(r"(?=.*[1-9])\d[\d-]{5,18}\d", re.ASCII)
_AREA_CODE: Final = re.compile(r"\(?(0\d{2,3})\)?[ -]*(\d{3,4})[ -]?(\d{4})(?:-(\d{1,6}))?", re.ASCII)
_SERVICE: Final = re.compile(r"[48]00\d{7}")


def read(field: FormField, found: Found, *, epoch: date = EPOCH_1900) -> Any:
    """The value of ``field`` as a draft keeps it; None when nothing stands there. Raises :class:`Unclear`.

    ``epoch`` is the day from which the workbook counts days.
    """
    if isinstance(found, str) and not (found := clean(found)):
        return None
    if field.kind is Kind.DATE:
        return _day(found, epoch)
    if isinstance(found, frozenset) or field.kind in (Kind.CHOICE, Kind.CHOICES):
        return prefill_choices.read(field, _codes(found))
    if field.kind is Kind.NUMBER:
        return _number(field, found)
    return _READERS.get(field.kind, _text)(field, found)


def is_same(field: FormField, value: Any, current: Any) -> bool:
    """Whether a value that was read is the one the draft holds, however that one was typed."""
    if value == current:
        return True
    if is_blank(current):
        return False
    if field.kind is Kind.CHOICES:
        return isinstance(current, list) and sorted(value) == sorted(current)
    try:
        return bool(read(field, current) == value)
    except Unclear:
        return False


def _codes(found: Found) -> str | frozenset[str]:
    if isinstance(found, str | frozenset):
        return found
    if isinstance(found, bool) or not isinstance(found, int | float) or found != int(found):
        raise Unclear(_("不是选项中的任何一项"))
    return str(int(found))


# --- numbers ------------------------------------------------------------------------------------------------


def _number(field: FormField, found: Found) -> int:
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise Unclear(_("不是数字"))
    number = _counted(_without_unit(field, found)) if isinstance(found, str) else _whole(Decimal(str(found)))
    if not 0 <= number <= MAX_NUMBER:
        raise Unclear(_("数字超出范围"))
    return number


def _without_unit(field: FormField, found: str) -> str:
    text = " ".join(narrow(found).split())
    for unit in sorted(UNITS.get(field.key, ()), key=len, reverse=True):
        if text.endswith(unit):
            return text.removesuffix(unit).strip()
    return text


def _counted(text: str) -> int:
    if _PLAIN.fullmatch(text):
        return int(Decimal(text))
    if _GROUPED.fullmatch(text):
        return int(Decimal(text.replace(",", "").replace(" ", "")))  # int() of a text ends at 4,300 digits
    if myriads := _MYRIADS.fullmatch(text):
        return _whole(Decimal(myriads[1]) * 10_000)
    raise Unclear(_("不是可以确定的整数"))


def _whole(number: Decimal) -> int:
    if number == number.to_integral_value():
        return int(number)
    raise Unclear(_("不是整数"))


# --- dates --------------------------------------------------------------------------------------------------


def _day(found: Found, epoch: date) -> str:
    if isinstance(found, datetime):
        if found.time() != time():
            raise Unclear(_("日期带有时刻，无法确定"))
        return _in_reach(found.date())
    if isinstance(found, date):
        return _in_reach(found)
    if isinstance(found, str):
        return _in_reach(_written_day(narrow(found), epoch))
    if isinstance(found, bool) or not isinstance(found, int | float) or found != int(found):
        raise Unclear(_("不是日期"))
    return _in_reach(_counted_day(int(found), epoch))


def _written_day(text: str, epoch: date) -> date:
    if match := _YEAR_FIRST.fullmatch(text):
        year, *parts = match.groups()
        month, of_month = (parts[0], parts[1]) if parts[0] else (parts[3], parts[4])
        return _calendar_day(int(year), int(month), int(of_month))
    if match := _COMPACT.fullmatch(text):
        return _calendar_day(*map(int, match.groups()))
    if match := _CHINESE_DAY.fullmatch("".join(text.split())):
        digits = "".join(str(_DIGITS[char]) for char in match[1])
        return _calendar_day(int(digits), _chinese_count(match[2]), _chinese_count(match[3]))
    if _SERIAL.fullmatch(text):  # a date cell that was turned into text
        return _counted_day(int(text), epoch)
    raise Unclear(_("日期写法无法确定，请写成 2019-05-16"))


def _calendar_day(year: int, month: int, of_month: int) -> date:
    try:
        return date(year, month, of_month)
    except ValueError:
        raise Unclear(_("没有这一天")) from None


def _counted_day(number: int, epoch: date) -> date:
    if number in _SERIALS:
        return epoch + timedelta(days=number)
    if number > 10_000_000 and (match := _COMPACT.fullmatch(str(number))):
        return _calendar_day(*map(int, match.groups()))
    raise Unclear(_("不是日期"))


def _chinese_count(text: str) -> int:
    """一 to 三十一; anything else is no day of a month."""
    if "十" not in text:
        if len(text) == 1:
            return _DIGITS[text]
        raise Unclear(_("日期写法无法确定，请写成 2019-05-16"))
    tens, _ten, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        raise Unclear(_("日期写法无法确定，请写成 2019-05-16"))
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _in_reach(day: date) -> str:
    if day.year not in _YEARS:
        raise Unclear(_("年份不在合理范围内"))
    return day.isoformat()


# --- texts --------------------------------------------------------------------------------------------------


def _text(field: FormField, found: Found) -> str:
    if not isinstance(found, str):
        raise Unclear(_("单元格不是文本，可能丢失前导零或写法，请改为文本"))
    value = found if field.kind is Kind.LONG_TEXT else re.sub(r"\s*\n\s*", " ", found)
    if not any(char.isalnum() for char in value):
        raise Unclear(_("只有符号，无法确定是否填写"))
    if len(value) > MAX_LENGTH[field.kind]:
        raise Unclear(_("超过 %(n)s 字") % {"n": MAX_LENGTH[field.kind]})
    return value


def _dialled(found: Found) -> str:
    """Digits of a telephone number; a numeric cell has lost any leading zero."""
    if isinstance(found, str):
        text = "".join(char for char in narrow(found) if char.isprintable())
        return re.sub(r"[‐‑‒–—―−-]+", "-", text)
    if isinstance(found, bool) or not isinstance(found, int | float) or found != int(found):
        raise Unclear(_("不是电话号码"))
    digits = str(int(found))
    if _MOBILE.fullmatch(digits) or _SERVICE.fullmatch(digits):
        return digits
    raise Unclear(_("单元格不是文本，可能丢失前导零或写法，请改为文本"))


def _mobile(field: FormField, found: Found) -> str:
    if match := _MOBILE.fullmatch(re.sub(r"[\s()-]", "", _dialled(found))):
        return match[1]
    raise Unclear(_("不是一个11位手机号码"))


def _phone(field: FormField, found: Found) -> str:
    text = _dialled(found).strip()
    if _PHONE.fullmatch(text):
        return text
    if match := _AREA_CODE.fullmatch(text):
        area, exchange, number, extension = match.groups()
        return f"{area}-{exchange}{number}" + (f"-{extension}" if extension else "")
    if match := _MOBILE.fullmatch(re.sub(r"[\s()-]", "", text)):
        return match[1]
    if _SERVICE.fullmatch(joined := "".join(text.split())):
        return joined
    raise Unclear(_("不是一个电话号码"))


def _email(field: FormField, found: Found) -> str:
    text = _text(field, found)
    for candidate in (text, narrow(text)):
        try:
            validate_email(candidate)
        except ValidationError:
            continue
        return candidate
    raise Unclear(_("不是一个邮箱地址"))


def _licence(field: FormField, found: Found) -> str:
    number = licence.normalise(_text(field, found))
    if not licence.classes(number):
        raise Unclear(_("不是许可证编号的写法"))
    return number


_READERS: Final[Mapping[Kind, Callable[[FormField, Found], str]]] = {
    Kind.MOBILE: _mobile,
    Kind.PHONE: _phone,
    Kind.EMAIL: _email,
    Kind.LICENCE: _licence,
}
