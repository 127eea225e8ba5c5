"""The parts of a list: the cells of its rows, its filter, its pages, its sorting heads."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.http import QueryDict
from lxml import html

from pilot import masking
from pilot.templatetags import cells
from pilot.ui import Column, Link, Row, Tag
from pilot.ui_samples import list_page
from tests.pilot.test_ui import find, get, render, same


def test_table_refuses_rows_of_another_length() -> None:
    with pytest.raises(ValueError, match="shorter"):
        cells.row_cells(Row("", ["一"]), cells.as_heads([Column("a", "甲"), Column("b", "乙")]))


def test_a_rows_cells_name_their_columns_and_the_first_leads_to_its_page() -> None:
    heads = cells.as_heads([Column("a", "甲<"), Column("b", "乙", align="end")])
    assert cells.row_cells(Row("/x/1/", ["<i>", 1234]), heads) == (
        '<td class="start" data-label="甲&lt;"><a href="/x/1/">&lt;i&gt;</a></td>\n'
        '<td class="end" data-label="乙">1,234</td>'
    )
    values = ("SL2019-44-00001", Link("PU-01", "/x/"), "2019", 7, "a-b")
    assert [*filter(cells._is_number, values)] == [*values[:2]]
    assert cells.row_cells(Row("", ["一", None]), heads) == (
        '<td class="start" data-label="甲&lt;">一</td>\n<td class="end blank" data-label="乙">--</td>'
    )


@pytest.mark.parametrize(
    ("first", "classes"),
    [
        ("示例甲", "start"),
        ("HYD-01", "start number"),
        (Link("示例甲", "/x/"), "start"),
        (Tag("已受理"), "start"),
        (masking.account("示例甲"), "start"),
        (3, "start told"),
        ("2019-06", "start told"),
        (Link("1", "/x/"), "start told"),
        (date(2019, 4, 3), "start told"),
        (None, "start told"),
        ("--", "start told"),
    ],
)
def test_a_first_cell_that_names_no_row_is_told_with_its_label(first: Any, classes: str) -> None:
    printed = cells.row_cells(Row("", [first, 1]), cells.as_heads([Column("a", "甲"), Column("b", "乙")]))
    shown = find(html.fromstring(f"<table><tr>{printed}</tr></table>"), "td")
    assert [cell.get("class") for cell in shown] == [classes, "start"]


def test_filter_bar_shows_three_fields_folds_the_rest_and_names_what_is_set() -> None:
    request = get("/cases/?q=甲&state=1&until=2019-04-30&page=3")
    page = list_page(request.GET)
    root = html.fromstring(render("{% filter_bar page %}", request, page=page))
    fields = ".filter-fields [name]"
    assert [e.get("name") for e in find(root, f"form > details.fold > {fields}")] == [
        "q",
        "state",
        "province",
    ]
    assert [e.get("name") for e in find(root, f".filter-more[open] {fields}")] == ["since", "until"]
    chips = [
        ("".join(a.text_content().split()), dict(QueryDict(a.get("href")[1:]).items()))
        for a in find(root, ".chips a")
    ]
    assert chips == [
        ("流水号或单位名称：甲移除此条件", {"state": "1", "until": "2019-04-30"}),
        ("状态：已受理移除此条件", {"q": "甲", "until": "2019-04-30"}),
        ("提交日期至：2019-04-30移除此条件", {"q": "甲", "state": "1"}),
    ]
    assert root.get("novalidate") == ""
    assert find(root, "details.fold > summary")[0].text_content() == "筛选（3 项）"


def test_a_filter_that_is_objected_to_stands_open() -> None:
    """On a phone, too, what is wrong is read without a click."""
    found = {}
    for query in ("state=1", "state=99", "since=x"):
        request = get(f"/cases/?{query}")
        root = html.fromstring(render("{% filter_bar page %}", request, page=list_page(request.GET)))
        found[query] = [fold.get("open") is not None for fold in find(root, "details")]
    assert found == {"state=1": [False, False], "state=99": [True, False], "since=x": [True, True]}


def test_a_filter_with_nothing_set_says_only_what_it_is() -> None:
    request = get("/cases/")
    root = html.fromstring(render("{% filter_bar page %}", request, page=list_page(request.GET)))
    assert find(root, "details.fold > summary")[0].text_content() == "筛选"


def test_pagination_keeps_the_filter_in_every_address() -> None:
    request = get("/cases/?q=a&page=2")
    root = html.fromstring(render("{% pagination page %}", request, page=list_page(request.GET)))
    pages = [(a.text_content(), a.get("href")) for a in find(root, ".pages:not(.page-sizes) a")]
    assert pages == [
        ("上一页", "?q=a&page=1"),
        ("1", "?q=a&page=1"),
        ("3", "?q=a&page=3"),
        ("4", "?q=a&page=4"),
        ("12", "?q=a&page=12"),
        ("13", "?q=a&page=13"),
        ("下一页", "?q=a&page=3"),
    ]
    assert [e.text_content() for e in find(root, "[aria-current=page]")] == ["2"]
    assert [a.get("href") for a in find(root, ".page-sizes a")] == [
        "?q=a&size=10",
        "?q=a&size=50",
        "?q=a&size=100",
    ]
    assert [(e.get("name"), e.get("value")) for e in find(root, "form [type=hidden]")] == [("q", "a")]
    assert find(root, "nav > p")[0].text_content() == "共 243 条"


def one_page(rows: int) -> SimpleNamespace:
    return SimpleNamespace(total=rows, page=Paginator(range(rows), 20).page(1))


def test_a_single_page_is_not_counted_twice() -> None:
    told = "{% pagination page told=True %}"
    assert render(told, page=one_page(10)).strip() == ""
    parts = [
        [child.get("class") for child in html.fromstring(render(source, page=one_page(rows)))]
        for source, rows in ((told, 11), ("{% pagination page %}", 10))
    ]
    assert parts == [["pages page-sizes"], [None]]  # the second one says how many there are


@pytest.mark.parametrize(
    ("query", "aria", "href"),
    [
        ("", None, "?sort=number"),
        ("?sort=number&page=2", "ascending", "?sort=-number"),
        ("?sort=-number", "descending", "?sort=number"),
    ],
)
def test_sort_header_turns_the_order_round(query: str, aria: str | None, href: str) -> None:
    column = Column("number", "流水号", sort="number")
    printed = render("{% sort_header column %}", get(f"/cases/{query}"), column=column)
    (head,) = find(html.fromstring(f"<table><tr>{printed}</tr></table>"), "th")
    assert (head.get("aria-sort"), [a.get("href") for a in find(head, "a")]) == (aria, [href])


def test_a_column_that_does_not_sort_is_plain_text() -> None:
    printed = render("{% sort_header column %}", column=Column("n", "数量", "end"))
    assert same(printed, '<th scope="col" class="end">数量</th>')
