"""Codes of the filing system are shown in words: every code that a form may hold has some."""

from __future__ import annotations

from datetime import datetime

from django.utils import translation

from filings import rules
from filings.intake.decode import FileFormat
from filings.pages import form_content
from filings.pages.code_words import ACCESS_MODES, CERT_TYPES, FORMATS, NATURES, coded, in_words


def test_whatever_a_form_may_hold_has_words() -> None:
    assert set(NATURES) == set(rules.CERT_TYPES_BY_NATURE)
    assert set(CERT_TYPES) == set().union(*rules.CERT_TYPES_BY_NATURE.values())
    assert set(ACCESS_MODES) == rules.ACCESS_MODES
    assert set(FORMATS) == set(FileFormat)


def test_a_code_stands_behind_its_words_and_alone_without_any() -> None:
    assert [in_words(CERT_TYPES, code) for code in (2, 99, None)] == ["居民身份证（2）", "99", ""]
    with translation.override("en"):
        assert in_words(NATURES, 4) == "enterprise (4)"


def test_on_the_page_of_a_form_the_code_stands_below_its_words() -> None:
    facts = [coded("单位性质", NATURES, code) for code in (4, 99, None)]
    assert [(fact.value, fact.hint) for fact in facts] == [("企业", "代码 4"), ("99", ""), ("", "")]


def test_a_moment_is_written_as_everywhere_and_what_is_none_as_it_was_sent() -> None:
    record = {
        "collection_methods": ["face"],
        "collected_at": "2019-06-18T09:30:00+08:00",
        "verifier_promise_at": "示例",
    }
    facts = {fact.label: fact.value for section in form_content.sections(record) for fact in section.facts}
    moment = datetime.fromisoformat("2019-06-18T09:30:00+08:00")
    assert (facts["采集时间"], facts["核验承诺时间"]) == (moment, "示例")
