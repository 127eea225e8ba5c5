"""Certificate numbers: 统一社会信用代码 (GB 32100-2015), 公民身份号码 (GB 11643-1999) and the personal permits.

Every function takes a normalised number (half-width, upper case) and returns the codes of its faults,
``()`` when there are none. The tables are laid out for speed: these run on every row of a bulk file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Final

from filings.rules import USCC_CERT_TYPES, CertType
from filings.validators.regions import PROVINCE_PREFIXES

Faults = tuple[str, ...]

NO_FAULTS: Final[Faults] = ()
FORMAT: Final[Faults] = ("cert.format",)
CHECK_DIGIT: Final[Faults] = ("cert.check_digit",)
DATE: Final[Faults] = ("cert.date",)

USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: no I, O, S, V, Z; a character's value is its place here."""
_USCC_DIGITS: Final = bytes.maketrans(USCC_ALPHABET.encode(), b"0123456789abcdefghijklmnopqrstu")
"""To the digits of the same value that ``int`` reads."""
_USCC_SHAPE: Final = re.compile(r"[1-9ANY][0-9A-HJ-NP-RTUWXY][0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}").fullmatch

_ID_CHECKS: Final = "10X98765432"
_ID_SHAPE: Final = re.compile(r"[0-9]{17}[0-9X]").fullmatch

_PASSPORT: Final = re.compile(r"[A-Z0-9]{5,17}").fullmatch
_HONG_KONG_MACAO_PERMIT: Final = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?").fullmatch
_TAIWAN_PERMIT: Final = re.compile(r"[0-9]{8}|[0-9]{10}|[A-Z][0-9]{7,9}|[0-9]{10}\([A-Z]\)").fullmatch
_RESIDENT_2017: Final = re.compile(r"[A-Z]{3}[0-9]{12}").fullmatch
_OTHER: Final = re.compile(r"[^\s]{1,255}(?: [^\s]+)*").fullmatch


def uscc_check_character(body: str) -> str:
    """Return the 18th character for the first 17 of a unified social credit code (weights 3^(i-1) mod 31)."""
    # Those weights are the places of a number to base 3 read from its end; 34 is 3 mod 31, and has all the digits.
    total = int(body.encode("ascii").translate(_USCC_DIGITS)[::-1], 34)
    return USCC_ALPHABET[-total % 31]


def id_check_character(body: str) -> str:
    """Return the 18th character for the first 17 digits of a citizen identity number (ISO 7064 MOD 11-2)."""
    # The weights 2^17 … 2^1 are the places of a number to base 2, once more by 2; 13 is 2 mod 11, and has all digits.
    return _ID_CHECKS[int(body, 13) * 2 % 11]


def uscc_faults(number: str) -> Faults:
    """Judge a 统一社会信用代码; the inner 组织机构代码 check is no reason for refusal and is not made."""
    if not _USCC_SHAPE(number):
        return FORMAT
    return NO_FAULTS if uscc_check_character(number[:17]) == number[17] else CHECK_DIGIT


def _eighteen_digit_faults(number: str, today: date) -> Faults:
    """Judge birth date and check digit of a number laid out as GB 11643; the address code is the caller's."""
    try:
        dated = date.fromisoformat(number[6:14]) <= today
    except ValueError:
        dated = False
    if id_check_character(number[:17]) == number[17]:
        return NO_FAULTS if dated else DATE
    return CHECK_DIGIT if dated else CHECK_DIGIT + DATE


def citizen_id_faults(number: str, today: date) -> Faults:
    """Judge a 公民身份号码: one of 31 provinces, a real birth date not after ``today``, check digit.

    Numbers of 15 digits are void since 2013.
    """
    if not _ID_SHAPE(number) or number[:2] not in PROVINCE_PREFIXES:
        return FORMAT
    return _eighteen_digit_faults(number, today)


def hong_kong_macao_residence_faults(number: str, today: date) -> Faults:
    """Judge a 港澳居民居住证 number: address code 810000 or 820000."""
    if not _ID_SHAPE(number) or number[:6] not in ("810000", "820000"):
        return FORMAT
    return _eighteen_digit_faults(number, today)


def taiwan_residence_faults(number: str, today: date) -> Faults:
    """Judge a 台湾居民居住证 number: address code 830000."""
    if not _ID_SHAPE(number) or number[:6] != "830000":
        return FORMAT
    return _eighteen_digit_faults(number, today)


def permanent_residence_faults(number: str, today: date) -> Faults:
    """Judge a 外国人永久居留身份证: 15 characters (2017 style), or 18 digits from 9 on (2023 style)."""
    if _RESIDENT_2017(number):
        return NO_FAULTS
    if not _ID_SHAPE(number) or number[0] != "9":
        return FORMAT
    return _eighteen_digit_faults(number, today)


def _shape_only(shape: Callable[[str], object]) -> Callable[[str, date], Faults]:
    return lambda number, today: NO_FAULTS if shape(number) else FORMAT


def _uscc(number: str, today: date) -> Faults:
    return uscc_faults(number)


_OTHER_FAULTS: Final = _shape_only(_OTHER)
_BY_TYPE: Final[dict[int, Callable[[str, date], Faults]]] = {
    **dict.fromkeys(USCC_CERT_TYPES, _uscc),
    CertType.CITIZEN_ID: citizen_id_faults,
    CertType.PASSPORT: _shape_only(_PASSPORT),
    CertType.TAIWAN_PERMIT: _shape_only(_TAIWAN_PERMIT),
    CertType.HONG_KONG_MACAO_PERMIT: _shape_only(_HONG_KONG_MACAO_PERMIT),
    CertType.FOREIGNER_PERMANENT_RESIDENCE: permanent_residence_faults,
    CertType.HONG_KONG_MACAO_RESIDENCE: hong_kong_macao_residence_faults,
    CertType.TAIWAN_RESIDENCE: taiwan_residence_faults,
}


def certificate_faults(cert_type: int, number: str, today: date) -> Faults:
    """Judge ``number`` by the rules of its certificate type; a type without rules only needs some text.

    ``today`` is the day of receipt: a birth date after it is a fault.
    """
    return _BY_TYPE.get(cert_type, _OTHER_FAULTS)(number, today)
