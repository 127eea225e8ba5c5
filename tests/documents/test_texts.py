"""Each template says what it should, word for word.

``expected/NAME.txt`` is the text of the case NAME. After a wanted change: ``python -m tests.documents.renew``, then
read the difference.
"""

from typing import Any

import pytest

from pilot.pdf import render_pdf
from tests.documents.cases import CASES, paper_of
from tests.documents.reading import squeezed, text_of
from tests.documents.renew import EXPECTED
from tests.documents.samples import SAMPLES

DEMO_MARK = "示例：本件由演示环境生成，所涉单位和人员均为虚构，不具有效力。"
HOSTILE = '<img src="file:///etc/hostname"><link rel=attachment href="http://127.0.0.1:9/x">&amp;{{ secret }}'
# Words a template compares with, which choose the form of the letter.
SWITCHES = {"stage"}


@pytest.mark.parametrize("name", CASES)
def test_text_is_exactly_the_expected_one(name: str) -> None:
    assert text_of(paper_of(name)) == (EXPECTED / f"{name}.txt").read_text(encoding="utf-8")


def test_every_expected_text_has_its_case() -> None:
    assert sorted(path.stem for path in EXPECTED.iterdir()) == sorted(CASES)


@pytest.mark.parametrize("name", SAMPLES)
def test_only_the_demo_is_marked(name: str) -> None:
    title, context = SAMPLES[name]
    marked, plain = (
        squeezed(
            text_of(
                render_pdf(
                    f"documents/{name}.html",
                    {**context, "demo_mark": mark},
                    title=title,
                )
            )
        )
        for mark in (True, False)
    )
    assert plain == marked.replace(DEMO_MARK, "")
    assert len(marked) - len(plain) == len(DEMO_MARK)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_markup_in_any_field_stays_text(name: str) -> None:
    """render_pdf would refuse the document if one of the addresses had been read as an address."""
    _, context = SAMPLES[name]
    document = render_pdf(f"documents/{name}.html", _hostile(context), title=HOSTILE)
    assert squeezed(text_of(document)).count(squeezed(HOSTILE)) >= 3


def _hostile(value: Any) -> Any:
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, list):
        return [_hostile(item) for item in value]
    if isinstance(value, dict):
        return {key: item if key in SWITCHES else _hostile(item) for key, item in value.items()}
    return value
