"""Names of subjects, people and websites."""

from __future__ import annotations

from typing import Final

from filings.validators.domains import check_domain, to_ascii
from filings.validators.text import narrow

_BRACKETS: Final = str.maketrans("（）", "()")


def is_improper(name: str) -> bool:
    """Say whether a name is a domain, or digits only (备案信息填报真实性和规范性的有关要求)."""
    if "." in name or "。" in name or "．" in name:
        return check_domain(name)[1] != "domain.format"
    if 0x4E00 <= ord(name[0]) <= 0x9FFF:
        return False  # a Chinese character is no digit, however it is normalised
    return narrow(name).replace(" ", "").isdigit()


def is_domain_itself(site_name: str, domain: str) -> bool:
    """Say whether a website's name merely repeats its domain (given as A-labels)."""
    if "." not in site_name and "。" not in site_name and "．" not in site_name:
        return False
    return to_ascii(site_name) == domain


def comparable_name(name: str) -> str:
    """A name as it is compared with the authority's: trimmed, full-width brackets as half-width ones."""
    return name.strip().translate(_BRACKETS)


def has_rare_characters(name: str) -> bool:
    """Say whether a name holds characters that systems write differently from each other.

    Those are the characters outside GBK, the encoding of the national system, and of its private use area: what stands
    in their place (a look-alike, pinyin, a blank) differs from system to system, so an unequal name proves nothing.
    """
    try:
        name.encode("gbk")
    except UnicodeEncodeError:
        return True
    return False
