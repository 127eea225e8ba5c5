"""Whatever a draft can hold comes back from the PDF and from the workbook as it went in."""

from __future__ import annotations

import string
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from applications.intake.pdf_form import read_pdf
from applications.intake.xlsx_form import read_xlsx
from applications.rules.form import FIELDS, FormField, Kind
from applications.rules.prefill import read
from applications.selectors.form_schema import labels_of
from applications.writers.form_pdf import form_with
from applications.writers.form_xlsx import form_xlsx
from pilot.models import Programme

LETTERS = (
    "示例甲乙丙丁网络科技有限公司第三级（）—·“”、。，０ｂ𠮷"
    + string.ascii_letters
    + string.digits
    + " -./%&<>'\"#=+@"
)


def _texts(*, lines: bool = False) -> st.SearchStrategy[str]:
    line = (
        st.text(LETTERS, min_size=1, max_size=60)
        .map(str.strip)
        .filter(lambda text: any(map(str.isalnum, text)))
    )
    return st.lists(line, min_size=1, max_size=4).map("\n".join) if lines else line


def _digits(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))


def _values(field: FormField) -> st.SearchStrategy[Any]:
    codes = [code for code, _words in field.choices]
    match field.kind:
        case Kind.CHOICE:
            return st.sampled_from(codes)
        case Kind.CHOICES:
            return st.sets(st.sampled_from(codes), min_size=1).map(
                lambda chosen: [c for c in codes if c in chosen]
            )
        case Kind.NUMBER:
            return st.integers(0, 10**12)
        case Kind.DATE:
            return st.dates(date(1980, 1, 1), date(2099, 12, 31)).map(date.isoformat)
        case Kind.MOBILE:
            return _digits(r"1[3-9][0-9]{9}")
        case Kind.PHONE:
            return _digits(r"0[1-9][0-9]-[0-9]{8}|1[3-9][0-9]{9}|400[0-9]{7}")
        case Kind.EMAIL:
            return _digits(r"[a-z][a-z0-9]{0,9}(\.[a-z0-9]{1,5})?@[a-z]{1,9}\.example\.cn")
        case Kind.LICENCE:
            return _digits(r"(A2\.)?B1(\.B2)?-20[012][0-9][0-9]{4}")
        case _:
            return _texts(lines=field.kind is Kind.LONG_TEXT)


CONTENTS = st.fixed_dictionaries(
    {}, optional={key: _values(field) for key, field in FIELDS.items() if not field.fixed}
)


def _understood(values: Any, **options: Any) -> dict[str, Any]:
    read_values = {key: read(FIELDS[key], found, **options) for key, found in values.items()}
    return {key: value for key, value in read_values.items() if value is not None}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENTS)
def test_a_content_comes_back_from_both_files(programme: Programme, content: dict[str, Any]) -> None:
    from_pdf = read_pdf(form_with(programme, content), FIELDS)
    assert _understood(from_pdf.values) == content
    from_workbook, epoch = read_xlsx(form_xlsx(programme, content), FIELDS, labels_of(programme))
    assert _understood(from_workbook.values, epoch=epoch) == content
    assert from_pdf.marker == from_workbook.marker == "2019-87/0"


def test_the_same_content_gives_the_same_files(programme: Programme) -> None:
    content = {"deletion": "到期自动删除", "provinces": ["44"]}
    for make in (form_with, form_xlsx):
        assert make(programme, content) == make(programme, content)
