"""Domains, names, home URLs, provinces and 备案号."""

from __future__ import annotations

import pytest

from filings.validators.domains import check_domain, host_of, is_at_or_below
from filings.validators.icp_numbers import province_of
from filings.validators.names import is_domain_itself, is_improper
from filings.validators.pictures import is_jpeg, is_png
from filings.validators.regions import PROVINCE_BY_SIGN, PROVINCES, is_region_code
from filings.validators.text import narrow


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("shili.cn", "shili.cn"),
        ("SHILI.COM.CN", "shili.com.cn"),
        ("ｓｈｉｌｉ．ｃｎ", "shili.cn"),
        ("测试.中国", "xn--0zwm56d.xn--fiqs8s"),
        ("例子。公司", "xn--fsqu00a.xn--55qx5d"),
        ("通信管理局.政务", "xn--vuq841awrsr4gxu0a.xn--zfr164b"),
        ("xn--0zwm56d.xn--fiqs8s", "xn--0zwm56d.xn--fiqs8s"),
        ("a-b.gov.cn", "a-b.gov.cn"),
    ],
)
def test_registrable_domains_are_stored_as_a_labels(typed: str, stored: str) -> None:
    assert check_domain(typed) == (stored, None)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("www.shili.cn", "domain.subdomain"),
        ("a.b.com.cn", "domain.subdomain"),
        ("博客.测试.中国", "domain.subdomain"),
        ("com.cn", "domain.format"),
        ("cn", "domain.format"),
        ("shili", "domain.format"),
        ("shili.nosuchtoplevel", "domain.format"),
        ("shi_li.cn", "domain.format"),
        ("-shili.cn", "domain.format"),
        ("shili-.cn", "domain.format"),
        ("shi li.cn", "domain.format"),
        ("shili..cn", "domain.format"),
        ("shili.cn.", "domain.format"),
        ("http://shili.cn", "domain.format"),
        ("47.89.99.10", "domain.format"),
        ("shіli.cn", "domain.format"),
        ("xn--shli-8vd.cn", "domain.format"),
        ("xn--zzzzzzzzz.cn", "domain.format"),
        ("a" * 64 + ".cn", "domain.format"),
        (".".join(["a" * 61, "b" * 60, "com.cn"]), "domain.format"),
        ("", "domain.format"),
    ],
)
def test_what_is_no_registrable_domain(typed: str, code: str) -> None:
    assert check_domain(typed) == (None, code)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("www.shili.cn", "www.shili.cn"),
        ("http://shili.cn:8080/a?b#c", "shili.cn"),
        ("HTTPS://WWW.Shili.CN/", "www.shili.cn"),
        ("https://测试.中国/首页", "xn--0zwm56d.xn--fiqs8s"),
        ("ftp://shili.cn", None),
        ("javascript:alert(1)", None),
        ("http://shili.cn@example.cn/", None),
        ("http://", None),
        ("http://shi li.cn", None),
    ],
)
def test_hosts_of_home_urls(url: str, host: str | None) -> None:
    assert host_of(url) == host


def test_at_or_below() -> None:
    assert is_at_or_below("shili.cn", "shili.cn")
    assert is_at_or_below("a.b.shili.cn", "shili.cn")
    assert not is_at_or_below("notshili.cn", "shili.cn")
    assert not is_at_or_below("cn", "shili.cn")


@pytest.mark.parametrize(
    ("name", "improper"),
    [
        ("示例网络科技有限公司", False),
        ("阿依·示例", False),
        ("Shili Technology Co., Ltd.", False),
        ("示例3.0俱乐部", False),
        ("shili.cn", True),
        ("www.shili.com.cn", True),
        ("测试.中国", True),
        ("12345", True),
        ("１２３ ４５", True),
    ],
)
def test_improper_names(name: str, improper: bool) -> None:
    assert is_improper(name) is improper


def test_a_site_named_by_its_domain() -> None:
    assert is_domain_itself("Shili.CN", "shili.cn")
    assert is_domain_itself("测试。中国", "xn--0zwm56d.xn--fiqs8s")
    assert not is_domain_itself("示例", "shili.cn")
    assert not is_domain_itself("other.cn", "shili.cn")


def test_the_31_provinces() -> None:
    assert len(PROVINCES) == len(PROVINCE_BY_SIGN) == 31
    assert list(PROVINCES) == sorted(PROVINCES)
    assert PROVINCES["510000"] == ("蜀", "四川省")
    assert [code for code in ("710000", "810000", "820000") if code in PROVINCES] == []


@pytest.mark.parametrize(
    ("value", "verdict"),
    [("330100", True), ("033010", False), ("3301", False), ("33010a", False), ("３30100", False)],
)
def test_region_codes(value: str, verdict: bool) -> None:
    assert is_region_code(value) is verdict


@pytest.mark.parametrize(
    ("number", "province"),
    [
        ("京ICP备12345678号", "110000"),
        ("京ICP备12345678号-1", "110000"),
        ("陇ICP备2021003158号-1", "620000"),
        ("京ICP证030173号", "110000"),
        ("浙ICP备12345678号-0", None),
        ("川ICP备12345678号", None),
        ("京ICP备1234567号", None),
        ("萌ICP备20257012号", None),
    ],
)
def test_filing_numbers(number: str, province: str | None) -> None:
    assert province_of(number) == province


def test_narrowing() -> None:
    assert narrow("　１１０ａＢ＠ ") == "110aB@"
    assert narrow(" ab ") == "ab"


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xda\x00"]
)
def test_fragments_are_no_pictures(content: bytes) -> None:
    assert not is_jpeg(content)
    assert not is_png(content)
