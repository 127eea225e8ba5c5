"""The letter form (信函格式) of GB/T 9704-2012, measured in the finished PDF (mm from the upper left corner)."""

from functools import cache
from itertools import pairwise

import pytest

from pilot.pdf import render_pdf
from tests.documents.reading import Box, Line, boxes_of, lines_of, pages
from tests.documents.samples import SAMPLES

LEFT, RIGHT, TOP, BOTTOM = 28, 210 - 26, 37, 297 - 35
LINE_PITCH = 225 / 22
CHARACTER_PITCH = 156 / 28
BODY, TITLE, PAGE_NUMBER = 16, 22, 14


@cache
def letter_pages() -> tuple[list[Line], ...]:
    """A letter of four pages whose first fault is one paragraph of Chinese characters only."""
    _, sample = SAMPLES["letter_correction"]
    context = {
        **sample,
        "faults": [{"place": "材料", "message": "核" * 1500}],
        "demo_mark": False,
    }
    return tuple(lines_of(page) for page in pages(_letter(context)))


def _letter(context: dict[str, object]) -> bytes:
    return render_pdf(
        "documents/letter_correction.html",
        context,
        title="关于补正电子化核验试点申请材料的函",
    )


def _body(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.size == BODY]


def test_paper_is_a4() -> None:
    (page, *_) = pages(_letter(SAMPLES["letter_correction"][1]))
    assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (
        595,
        842,
    )


def test_a_full_page_has_22_lines() -> None:
    assert [len(_body(lines)) for lines in letter_pages()[1:3]] == [22, 22]


def test_a_full_line_has_28_characters_from_margin_to_margin() -> None:
    full = [line for line in _body(letter_pages()[1]) if line.x == pytest.approx(LEFT, abs=0.05)]
    assert {len(line.text) for line in full} == {28}


def test_lines_stand_225_mm_by_22_apart_within_the_type_area() -> None:
    lines = _body(letter_pages()[1])
    gaps = {round(below.y - above.y, 2) for above, below in pairwise(lines)}
    assert gaps == {round(LINE_PITCH, 2)}
    # The text of a line stands in the middle of its pitch: the first line's top and the last line's foot are inside.
    assert TOP + LINE_PITCH / 2 < lines[0].y < TOP + LINE_PITCH
    assert BOTTOM - LINE_PITCH / 2 < lines[-1].y < BOTTOM


def test_a_paragraph_begins_two_characters_in() -> None:
    first = next(line for line in letter_pages()[0] if line.text.startswith("你单位于"))
    assert first.x == pytest.approx(LEFT + 2 * CHARACTER_PITCH, abs=0.1)


def test_addressee_is_flush_left_and_title_is_centred_in_size_2() -> None:
    first = letter_pages()[0]
    addressee = next(line for line in first if line.text == "示例云网络科技有限公司：")
    assert addressee.x == pytest.approx(LEFT, abs=0.05)
    (title,) = (line for line in first if line.size == TITLE)
    width = len(title.text) * TITLE * 25.4 / 72
    assert title.x + width / 2 == pytest.approx((LEFT + RIGHT) / 2, abs=0.2)
    assert addressee.y - title.y == pytest.approx(2 * LINE_PITCH, abs=2)


def test_issuer_begins_30_mm_from_the_edge_and_number_ends_at_the_right_margin() -> None:
    first = letter_pages()[0]
    issuer = next(line for line in first if line.size == 36)
    assert issuer.text == "示例省通信管理局"
    # The baseline of a Chinese face lies at about 0.88 of the character's height.
    assert issuer.y - 0.88 * 36 * 25.4 / 72 == pytest.approx(30, abs=0.7)
    number = next(line for line in first if line.text == "示信管函〔2019〕12号")
    assert LEFT + 90 < number.x < RIGHT


def test_red_double_lines_are_170_mm_long_on_the_first_page_only() -> None:
    first, second = pages(_letter({**SAMPLES["letter_correction"][1]}))
    upper, lower = sorted({box for box in boxes_of(first) if box.height > 1}, key=lambda box: box.y)
    assert (upper, lower) == (Box(20.0, 46.7, 170.0, 1.4), Box(20.0, 275.6, 170.0, 1.4))
    # 20 mm from the lower edge of the paper.
    assert lower.y + lower.height == 297 - 20
    assert boxes_of(second) == set()


def test_page_numbers_are_odd_right_even_left_none_on_the_first() -> None:
    numbers = [
        [(line.text, line.x < 105) for line in lines if line.size == PAGE_NUMBER] for lines in letter_pages()
    ]
    assert numbers == [[], [("— 2 —", True)], [("— 3 —", False)], [("— 4 —", True)]]


def test_page_number_stands_one_character_in_and_7_mm_below_the_type_area() -> None:
    (left,) = (line for line in letter_pages()[1] if line.size == PAGE_NUMBER)
    assert left.x == pytest.approx(LEFT + 14 * 25.4 / 72, abs=0.05)
    assert BOTTOM + 7 < left.y < BOTTOM + 7 + 8


def test_signature_is_never_alone_and_its_place_for_the_seal_is_between_name_and_date() -> None:
    last = [line.text for line in letter_pages()[-1] if line.size == BODY]
    assert last[-5:] == [
        "特此函告。",
        "示例省通信管理局",
        "（印章）",
        "2019年4月16日",
        "（联系人：示例科信息处　电话：010-5550 0100）",
    ]


@pytest.mark.parametrize("attachments", [[], ["试点单位名单（第1号）"]])
def test_no_page_begins_with_the_closing_words(attachments: list[str]) -> None:
    """They would fit on no more than the first page's last line, or not at all: the requirement goes with them."""
    title, sample = SAMPLES["letter_decision"]
    context = {**sample, "requirements": ["核" * 56], "attachments": attachments}
    _first, second = pages(render_pdf("documents/letter_decision.html", context, title=title))
    assert _body(lines_of(second))[0].text.startswith("1. 核核")


def test_name_is_centred_over_the_date_which_ends_four_characters_from_the_margin() -> None:
    lines = {line.text: line for line in letter_pages()[-1]}
    date = lines["2019年4月16日"]
    middle = lines["示例省通信管理局"].x + 8 * CHARACTER_PITCH / 2
    end = 2 * middle - date.x
    assert end == pytest.approx(RIGHT - 4 * CHARACTER_PITCH, abs=CHARACTER_PITCH / 2)


def test_copy_list_stands_at_the_foot_of_the_last_page() -> None:
    title, context = SAMPLES["letter_decision"]
    *_, last = pages(render_pdf("documents/letter_decision.html", context, title=title))
    copies = [line for line in lines_of(last) if line.text.startswith("抄送：")]
    assert [line.size for line in copies] == [14]
    assert BOTTOM - 2 * LINE_PITCH < copies[0].y < BOTTOM
