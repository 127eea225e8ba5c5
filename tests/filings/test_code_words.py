"""Codes of the filing system are shown in words: every code that a form may hold has some."""

from __future__ import annotations

from django.utils import translation

from filings import rules
from filings.pages.code_words import ACCESS_MODES, CERT_TYPES, NATURES, in_words


def test_whatever_a_form_may_hold_has_words() -> None:
    assert set(NATURES) == set(rules.CERT_TYPES_BY_NATURE)
    assert set(CERT_TYPES) == set().union(*rules.CERT_TYPES_BY_NATURE.values())
    assert set(ACCESS_MODES) == rules.ACCESS_MODES


def test_a_code_stands_behind_its_words_and_alone_without_any() -> None:
    assert [in_words(CERT_TYPES, code) for code in (2, 99, None)] == ["居民身份证（2）", "99", ""]
    with translation.override("en"):
        assert in_words(NATURES, 4) == "enterprise (4)"
