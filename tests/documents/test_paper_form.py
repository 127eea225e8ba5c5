"""What GB/T 9704-2012 asks of every kind of paper, measured in the finished PDF (mm from the upper left corner)."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from pylopdf_fonts_zh_cn import sans_path

from pilot.pdf import render_pdf
from pilot.pdf_engine import Engine
from tests.documents.cases import CASES, paper_of
from tests.documents.reading import Box, Line, ink_of, lines_of, pages, text_of
from tests.documents.samples import SAMPLES

TURNED = {"provincial_report"}
LETTERS = {name for name in SAMPLES if name.startswith("letter_")}
ISSUES = {"bulletin", "final_report"}
# Left, top, right and bottom of the type area, upright and turned (the upright paper's left edge is above).
UPRIGHT, LYING = (28, 37, 184, 262), (35, 28, 260, 184)
LINE_PITCH, CHARACTER_PITCH = 225 / 22, 156 / 28
POINT = 25.4 / 72
NUMBER = re.compile("— [0-9]+ —")
LONG_WORDS = "核" * 300


@cache
def pages_of(name: str) -> list[list[Line]]:
    return [lines_of(page) for page in pages(paper_of(name))]


def _is_outside(box: Box, area: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = area
    across = left - 0.3 <= box.x and box.x + box.width <= right + 0.3
    return not (across and top - 0.1 <= box.y and box.y + box.height <= bottom + 0.1)


@pytest.mark.parametrize("name", SAMPLES)
def test_text_stands_within_156_by_225_mm_but_the_page_number_and_a_letters_issuer(name: str) -> None:
    area = LYING if name in TURNED else UPRIGHT
    sheets = ink_of(paper_of(name))
    for number, (ink, lines) in enumerate(zip(sheets, pages_of(name), strict=True), start=1):
        outside = [box for box in ink if _is_outside(box, area)]
        shown = "".join(line.text for line in lines if NUMBER.fullmatch(line.text)).replace(" ", "")
        if name in TURNED:  # turned with the paper, so that no line of it reads as a number
            shown = f"—{number}—"
        issuer = str(SAMPLES[name][1]["issuer"]) if name in LETTERS and number == 1 else ""
        assert len(outside) == len(shown) + len(issuer)


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - TURNED))
def test_page_number_is_of_size_4_at_the_outer_side(name: str) -> None:
    inks = ink_of(paper_of(name))
    for number, (ink, lines) in enumerate(zip(inks, pages_of(name), strict=True), start=1):
        found = [line for line in lines if NUMBER.fullmatch(line.text)]
        if number == 1 and name in LETTERS:
            assert found == []
            continue
        (line,) = found
        assert (line.text, line.size, line.face) == (f"— {number} —", 14, "Pilot-Serif")
        assert 262 + 7 < line.y < 262 + 7 + 14 * POINT * 1.5
        dashes = [box for box in ink if box.y > 268]
        if number % 2:
            assert dashes[-1].x + dashes[-1].width == pytest.approx(184 - 14 * POINT, abs=0.5)
        else:
            assert dashes[0].x == pytest.approx(28 + 14 * POINT, abs=0.5)


def test_page_number_of_a_turned_table_stands_where_the_upright_paper_has_it() -> None:
    title, sample = SAMPLES["provincial_report"]
    many = render_pdf(
        "documents/provincial_report.html", {**sample, "rows": sample["rows"] * 10}, title=title
    )
    first, second, *_ = ([box for box in ink if box.x + box.width < 35 - 6.9] for ink in ink_of(many))
    # Read from the right: 7 mm beside the table; odd ends one character above the foot, even begins so below the head.
    assert max(box.y + box.height for box in first) == pytest.approx(184 - 14 * POINT, abs=0.5)
    assert min(box.y for box in second) == pytest.approx(28 + 14 * POINT, abs=0.5)
    assert {len(first), len(second)} == {3}
    heads = [[line.text for line in lines_of(page)][:2] for page in pages(many)[1:]]
    assert heads == [["序号", "单位名称"]] * len(heads)  # a table goes on under its head


@pytest.mark.parametrize("name", SAMPLES)
def test_title_is_of_size_2(name: str) -> None:
    title = SAMPLES[name][0]
    found = [line for line in pages_of(name)[0] if line.size == 22]
    assert "".join(line.text for line in found) == title
    left, _top, right, _bottom = LYING if name in TURNED else UPRIGHT
    for line in found:
        assert line.x + len(line.text) * 22 * POINT / 2 == pytest.approx((left + right) / 2, abs=0.3)


@pytest.mark.parametrize(
    ("name", "key", "words"),
    [
        ("approval_list", "change", LONG_WORDS),
        ("assessment_report", "comments", [LONG_WORDS]),
        ("inspection_report", "conclusion", LONG_WORDS),
        ("bulletin", "adjustments", [LONG_WORDS]),
        ("final_report", "conclusions", [LONG_WORDS]),
        ("receipt", "next_step", LONG_WORDS),
    ],
)
def test_words_of_a_report_are_of_size_3_in_28_characters_at_22_lines_a_page(
    name: str, key: str, words: object
) -> None:
    title, sample = SAMPLES[name]
    paper = render_pdf(f"documents/{name}.html", {**sample, key: words}, title=title)
    lines = [line for page in pages(paper) for line in lines_of(page) if re.fullmatch("核{27,28}", line.text)]
    assert {(len(line.text), line.size, round(line.x, 1)) for line in lines} == {(28, 16, 28.0)}
    gaps = {round(below.y - above.y, 2) for above, below in pairwise(lines) if below.y > above.y}
    assert gaps == {round(LINE_PITCH, 2)}


def test_each_role_has_its_face(settings: Any, tmp_path: Path) -> None:
    """With the agency's faces: 仿宋 body, 小标宋 title, 黑体 and 楷体 headings, 宋体 tables and page numbers."""
    for face in ("仿宋", "小标宋", "黑体", "楷体", "宋体"):
        (tmp_path / f"{face}.otf").symlink_to(sans_path())
    settings.PILOT_FONTS = str(tmp_path)
    title, sample = SAMPLES["final_report"]
    html = render_to_string("documents/final_report.html", {**sample, "document_title": title})
    lines = [line for page in pages(Engine().write(html)) for line in lines_of(page)]
    faces = {line.text: (line.face, line.size) for line in reversed(lines)}
    said = {
        "电子化核验试点总结报告": ("Pilot-XiaoBiaoSong", 22),
        "建议总结经验后推广（示例）。": ("Pilot-FangSong", 16),
        "一、总结意见": ("Pilot-HeiTi", 16),
        "（一）参与情况": ("Pilot-KaiTi", 16),
        "提交申请": ("Pilot-HeiTi", 10.5),
        "北示例市": ("Pilot-Song", 10.5),
        "— 1 —": ("Pilot-Song", 14),
        "2019年7月5日": ("Pilot-FangSong", 16),
    }
    assert {words: faces.get(words) for words in said} == said


@pytest.mark.parametrize("name", CASES)
def test_dates_are_written_without_zeros(name: str) -> None:
    assert re.findall("[年月]0[0-9]*[月日]", text_of(paper_of(name))) == []


@pytest.mark.parametrize("name", sorted(ISSUES))
def test_what_the_ministry_issues_has_a_red_head_and_an_imprint(name: str) -> None:
    """7.2: issuer 35 mm below the type area's edge, its number; 7.4: the imprint is the last line."""
    first, last = pages_of(name)[0], pages_of(name)[-1]
    issuer = first[0]
    assert (issuer.text, issuer.size) == ("工业和信息化部信息通信管理局", 27)
    assert issuer.y - 0.88 * 27 * POINT == pytest.approx(37 + 35, abs=1.5)
    imprint = [line for line in last if line.size == 14 and not NUMBER.fullmatch(line.text)]
    assert [line.text for line in imprint] == ["工业和信息化部信息通信管理局", "2019年7月5日印发"]
    assert {round(line.y, 1) for line in imprint} == {round(imprint[0].y, 1)}
    assert 262 - LINE_PITCH < imprint[0].y < 262


@pytest.mark.parametrize("name", ["approval_list", "assessment_report", "inspection_report", "bulletin"])
def test_name_of_a_report_stands_over_its_date_four_characters_in(name: str) -> None:
    lines = [line for page in pages_of(name) for line in page if line.size == 16]
    place = max(i for i, line in enumerate(lines) if line.text == "（印章）")
    issuer, _seal, date = lines[place - 1 : place + 2]
    assert issuer.text == SAMPLES[name][1]["issuer"]
    assert re.fullmatch("2019年[1-9]月[0-9]+日", date.text)
    middle = issuer.x + len(issuer.text) * CHARACTER_PITCH / 2
    assert 2 * middle - date.x == pytest.approx(184 - 4 * CHARACTER_PITCH, abs=CHARACTER_PITCH / 2)
