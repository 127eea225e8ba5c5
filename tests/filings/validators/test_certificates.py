"""Certificate numbers against the standards' own examples, and against an independent implementation."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import exceptions
from stdnum.cn import ric, uscc

from filings.rules import CERT_TYPES_BY_NATURE, PERSONAL_CERT_TYPES
from filings.validators.certificates import (
    USCC_ALPHABET,
    certificate_faults,
    id_check_character,
    uscc_check_character,
    uscc_faults,
)

TODAY = date(2019, 6, 30)
FORMAT, CHECK_DIGIT, DATE = ("cert.format",), ("cert.check_digit",), ("cert.date",)


@pytest.mark.parametrize(
    ("number", "faults"),
    [
        ("91350100M000100Y43", ()),
        ("91350100M000100Y4Z", FORMAT),
        ("9144030071526726XG", ()),
        ("91330106673959654P", ()),
        ("914403001922038216", ()),
        ("51420000MJH2003604", ()),
        ("52420000MJH233410E", ()),
        ("53420000MJH2448303", ()),
        ("91310115MA1H8R7C6D", CHECK_DIGIT),
        ("91110108MA01ABCD5T", ()),
        ("92110108MA01SBCD5T", FORMAT),
        ("91110108MA01ABCD5", FORMAT),
        ("91110108ma01abcd5t", FORMAT),
        ("", FORMAT),
    ],
)
@pytest.mark.parametrize("cert_type", [1, 13, 15, 24, 36])
def test_unified_social_credit_codes(cert_type: int, number: str, faults: tuple[str, ...]) -> None:
    assert certificate_faults(cert_type, number, TODAY) == faults


@pytest.mark.parametrize(
    ("number", "faults"),
    [
        ("11010519491231002X", ()),
        ("440524188001010014", ()),
        ("110105194912310021", CHECK_DIGIT),
        ("11010120000229000X", ()),
        ("440300199902300002", DATE),
        ("440300199902300003", CHECK_DIGIT + DATE),
        ("810000199001010000", FORMAT),
        ("990105194912310021", FORMAT),
        ("110105491231002", FORMAT),
        ("11010519491231002x", FORMAT),
        ("１１010519491231002X", FORMAT),
    ],
)
def test_citizen_identity_numbers(number: str, faults: tuple[str, ...]) -> None:
    assert certificate_faults(2, number, TODAY) == faults


def test_a_birth_date_may_be_today_but_not_tomorrow() -> None:
    body = "11010520190630001"
    number = body + id_check_character(body)
    assert certificate_faults(2, number, TODAY) == ()
    assert certificate_faults(2, number, date(2019, 6, 29)) == DATE


@pytest.mark.parametrize(
    ("cert_type", "number", "faults"),
    [
        (41, "810000199001010000", ()),
        (41, "820000199001010002", ()),
        (41, "830000199001010004", FORMAT),
        (42, "830000199001010004", ()),
        (42, "830000199001010005", CHECK_DIGIT),
        (42, "810000199001010000", FORMAT),
        (7, "E12345678", ()),
        (7, "EA1234567", ()),
        (7, "L898902C3", ()),
        (7, "E123", FORMAT),
        (7, "E-12345678", FORMAT),
        (14, "H12345678", ()),
        (14, "M1234567801", ()),
        (14, "T12345678", FORMAT),
        (11, "12345678", ()),
        (11, "1234567890", ()),
        (11, "T12345678", ()),
        (11, "123", FORMAT),
        (30, "USA123456789012", ()),
        (30, "US1234567890123", FORMAT),
        (30, "110105194912310021", FORMAT),
        (9, "示例字第 12 号", ()),
        (9, " ", FORMAT),
    ],
)
def test_permits_passports_and_the_rest(cert_type: int, number: str, faults: tuple[str, ...]) -> None:
    assert certificate_faults(cert_type, number, TODAY) == faults


def test_permanent_residence_of_2023_has_a_check_digit() -> None:
    body = "91184019900101001"
    assert certificate_faults(30, body + id_check_character(body), TODAY) == ()
    wrong = "0" if id_check_character(body) != "0" else "1"
    assert certificate_faults(30, body + wrong, TODAY) == CHECK_DIGIT


@given(st.text(USCC_ALPHABET, min_size=9, max_size=9), st.sampled_from(USCC_ALPHABET))
def test_social_credit_codes_agree_with_python_stdnum(organisation: str, last: str) -> None:
    number = f"91110108{organisation}{last}"
    try:
        uscc.validate(number)
        expected = ()
    except exceptions.InvalidChecksum:
        expected = CHECK_DIGIT
    assert uscc_faults(number) == expected
    assert uscc_check_character(number[:17]) == uscc.calc_check_digit(number[:17])


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999), st.sampled_from("0123456789X"))
def test_citizen_ids_agree_with_python_stdnum(birth: date, order: int, last: str) -> None:
    body = f"110105{birth:%Y%m%d}{order:03d}"
    assert id_check_character(body) == ric.calc_check_digit(body + last)
    assert certificate_faults(2, body + last, TODAY) == (
        () if last == id_check_character(body) else CHECK_DIGIT
    )


@given(st.data())
def test_any_single_wrong_digit_is_found(data: st.DataObject) -> None:
    number = "11010519491231002X"
    place = data.draw(st.integers(14, 16))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    assert certificate_faults(2, number[:place] + digit + number[place + 1 :], TODAY) == CHECK_DIGIT


def test_types_belong_to_natures() -> None:
    assert set(CERT_TYPES_BY_NATURE) == {*range(1, 7), *range(9, 21)}
    assert CERT_TYPES_BY_NATURE[5] == PERSONAL_CERT_TYPES == {2, 7, 11, 14, 30, 41, 42}
    every_type = [cert_type for types in CERT_TYPES_BY_NATURE.values() for cert_type in types]
    assert len(every_type) == len(set(every_type)) == 38
