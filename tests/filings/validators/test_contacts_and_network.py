"""Phones, e-mail and addresses: the standard bad examples of the filing rules, and the borders."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filings.validators.contacts import is_email, is_landline, is_mobile
from filings.validators.network import format_ipv4, is_public, parse_ipv4


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("13800138000", True),
        ("19912345678", True),
        ("1|800138000", False),
        ("12800138000", False),
        ("1380013800", False),
        ("138001380000", False),
        ("+8613800138000", False),
        ("138 0013 8000", False),
        ("１3800138000", False),
        ("13800138000\n", False),
    ],
)
def test_mobile(value: str, verdict: bool) -> None:
    assert is_mobile(value) is verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("010-12345678", True),
        ("0571-87654321", True),
        ("0571-87654321-802", True),
        ("01012345678", True),
        ("010-00000000", False),
        ("0571-00000000", False),
        ("01000000000", False),
        ("02000000000", False),
        ("00000000000", False),
        ("010-123456", False),
        ("010 12345678", False),
        ("+86-10-12345678", False),
        ("-10-12345678", False),
        ("0" + "1" * 127, True),
        ("0" + "1" * 128, False),
    ],
)
def test_landline(value: str, verdict: bool) -> None:
    assert is_landline(value) is verdict


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("a@b.cn", True),
        ("first.last+tag@mail.example.cn", True),
        ("nobody.example.cn", False),
        ("a@@b.cn", False),
        ("a@b@c.cn", False),
        ("a@b", False),
        ("@b.com", False),
        (".a@b.cn", False),
        ("a..b@c.cn", False),
        ("a@-b.cn", False),
        ("a b@c.cn", False),
        ("a@b.c", False),
        ("a" * 64 + "@example.cn", True),
        ("a" * 65 + "@example.cn", False),
        ("a@" + "b" * 61 + "." + "c" * 61 + ".cn", True),
        ("ab@" + "b" * 61 + "." + "c" * 61 + ".cn", False),
        ("示例@example.cn", False),
    ],
)
def test_email(value: str, verdict: bool) -> None:
    assert is_email(value) is verdict


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("47.89.99.10", 794387210),
        ("0.0.0.0", 0),  # noqa: S104
        ("255.255.255.255", 2**32 - 1),
        ("256.1.1.1", None),
        ("1.1.1", None),
        ("1.1.1.1.1", None),
        ("01.1.1.1", None),
        ("1.1.1.-1", None),
        ("1.1.1.", None),
        ("１.1.1.1", None),
        ("::1", None),
    ],
)
def test_parse_ipv4(value: str, address: int | None) -> None:
    assert parse_ipv4(value) == address
    assert address is None or format_ipv4(address) == value


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("0.0.0.0", False),  # noqa: S104
        ("9.255.255.255", True),
        ("10.0.0.0", False),
        ("10.255.255.255", False),
        ("11.0.0.0", True),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("169.254.1.1", False),
        ("172.15.255.255", True),
        ("172.16.0.0", False),
        ("172.32.0.0", True),
        ("192.168.1.10", False),
        ("198.18.0.1", False),
        ("203.0.113.9", False),
        ("223.255.255.255", True),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
    ],
)
def test_public_addresses(value: str, verdict: bool) -> None:
    address = parse_ipv4(value)
    assert address is not None
    assert is_public(address) is verdict


@given(st.integers(0, 2**32 - 1))
def test_whatever_we_call_public_the_standard_library_does(address: int) -> None:
    assert not is_public(address) or IPv4Address(address).is_global
    assert parse_ipv4(format_ipv4(address)) == address


def test_a_range_is_public_only_throughout() -> None:
    assert is_public(int(IPv4Address("11.0.0.0")), int(IPv4Address("11.0.0.255")))
    assert not is_public(int(IPv4Address("9.0.0.0")), int(IPv4Address("11.0.0.0")))
    assert not is_public(int(IPv4Address("8.0.0.0")), int(IPv4Address("10.0.0.0")))
