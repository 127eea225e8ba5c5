import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from math import inf, nan
from xml.etree import ElementTree

import pytest
from django.template import Context, Engine
from hypothesis import given
from hypothesis import strategies as st

from pilot.axes import round_ticks
from pilot.charts import (
    TILE_LAYOUT,
    Bar,
    Mark,
    Series,
    Stage,
    bar_chart,
    funnel,
    line_chart,
    side_by_side,
    sparkline,
    tile_grid,
)
from pilot.enums import Province
from pilot.interval_chart import Span, interval_chart
from pilot.svg import PALETTE, SLIM, Palette, fit_text, for_screens, text_width

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "示例 <script>alert(\"1\")</script> & 'x'"


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314  our own output


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in drawn(svg).iter(f"{SVG}text")]


def description(svg: str) -> str:
    return drawn(svg).findtext(f"{SVG}desc") or ""


CHARTS = {
    "bar": bar_chart(HOSTILE, [Bar(HOSTILE, 3)]),
    "line": line_chart(HOSTILE, [HOSTILE], [Series(HOSTILE, [1.5])], mark=Mark(HOSTILE, 2)),
    "funnel": funnel(HOSTILE, [Stage(HOSTILE, [1])], [HOSTILE]),
    "sides": side_by_side(HOSTILE, [Stage(HOSTILE, [1])], [HOSTILE]),
    "sparkline": sparkline(HOSTILE, [1, 2], desc=HOSTILE),
}


@pytest.mark.parametrize("svg", CHARTS.values(), ids=CHARTS)
def test_a_chart_is_a_named_picture_without_style_or_script(svg: str) -> None:
    root = drawn(svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root.findtext(f"{SVG}title") == HOSTILE
    assert not [node.tag for node in root.iter() if node.tag in (f"{SVG}style", f"{SVG}script")]
    names = {name for node in root.iter() for name in node.attrib}
    assert not {name for name in names if name in ("style", "id") or name.startswith("on")}


@pytest.mark.parametrize("svg", CHARTS.values(), ids=CHARTS)
def test_a_template_prints_a_chart_as_it_is(svg: str) -> None:
    assert Engine().from_string("{{ chart }}").render(Context({"chart": svg})) == svg


def test_bars_are_as_long_as_their_values() -> None:
    svg = bar_chart("退回原因", [Bar("校验位", 40), Bar("邮箱", 10, "10 份"), Bar("无", 0)])
    widths = [float(rect.get("width", "")) for rect in drawn(svg).iter(f"{SVG}rect")]
    assert widths == [widths[0], pytest.approx(widths[0] / 4, abs=0.1), 0]
    assert texts(svg) == ["校验位", "40", "邮箱", "10 份", "无", "0"]
    assert description(svg) == "校验位: 40; 邮箱: 10 份; 无: 0"


@pytest.mark.parametrize("value", [-1, inf, nan])
def test_a_bar_refuses_what_has_no_length(value: float) -> None:
    with pytest.raises(ValueError, match="finite value"):
        bar_chart("示例", [Bar("a", value)])


def test_a_long_label_is_shortened_and_kept_as_title() -> None:
    label = "非常长的标签" * 12
    svg = bar_chart("示例", [Bar(label, 1)])
    assert texts(svg)[0].endswith("…")
    assert drawn(svg).findtext(f"{SVG}g/{SVG}title") == f"{label}: 1"


@given(st.text(max_size=40), st.floats(0, 400))
def test_a_fitted_text_fits(text: str, room: float) -> None:
    fitted = fit_text(text, room)
    assert fitted == text or fitted == "…" or text_width(fitted) <= room


def test_a_trend_breaks_at_a_gap_and_shows_the_mark() -> None:
    svg = line_chart(
        "准确率",
        ["5月", "6月", "7月"],
        [Series("示例甲", [99.9, None, 100]), Series("示例乙", [99.95, 99.96, 99.97])],
        mark=Mark("达标线", 99.95),
        shown="{:.2f}%".format,
    )
    paths = [path.get("d", "") for path in drawn(svg).iter(f"{SVG}path")]
    assert [re.findall("[ML]", path) for path in paths] == [["M", "M"], ["M", "L", "L"]]
    assert {"99.90%", "100.00%", "5月", "7月", "示例甲", "示例乙", "达标线"} <= set(texts(svg))
    assert description(svg) == (
        "示例甲: 5月 99.90%, 6月 --, 7月 100.00%; 示例乙: 5月 99.95%, 6月 99.96%, 7月 99.97%"
    )


def test_lines_differ_by_more_than_colour() -> None:
    svg = line_chart("示例", ["a"], [Series(str(i), [i]) for i in range(5)])
    dashes = [path.get("stroke-dasharray") for path in drawn(svg).iter(f"{SVG}path")]
    assert len(set(dashes)) == len(dashes)


def test_labels_below_a_trend_do_not_overlap() -> None:
    days = [f"6月{day}日" for day in range(1, 31)]
    svg = line_chart("示例", days, [Series("a", range(30))])
    at = [
        (float(node.get("x", "")), text_width(node.text or ""))
        for node in drawn(svg).iter(f"{SVG}text")
        if node.text in days
    ]
    assert len(at) > 3
    assert all(b - a >= width for (a, width), (b, _) in pairwise(at))


def test_a_trend_needs_a_value_per_label() -> None:
    with pytest.raises(ValueError, match="one value per label"):
        line_chart("示例", ["a", "b"], [Series("s", [1])])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_ticks_span_the_values_in_even_steps(values: list[float]) -> None:
    ticks = round_ticks(values)
    slack = 1e-9 * max(1.0, *map(abs, values))
    assert ticks[0] <= min(values) + slack
    assert ticks[-1] >= max(values) - slack
    assert 2 <= len(ticks) <= 7


@pytest.mark.parametrize(("values", "ticks"), [([0, 1], [0, 1]), ([2, 2], [2, 3]), ([0, 0], [0, 1])])
def test_what_is_counted_has_whole_ticks(values: list[int], ticks: list[float]) -> None:
    assert round_ticks(values) == ticks


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([100.0], [50, 100]), ([100.0, 100.0], [50, 100]), ([98.0, 100.0], [98, 98.5, 99, 99.5, 100])],
)
def test_no_tick_lies_above_what_is_possible(values: list[float], ticks: list[float]) -> None:
    assert round_ticks(values, most=100) == ticks


def test_ticks_go_on_below_a_ceiling_that_is_far() -> None:
    assert round_ticks([2, 2], most=100) == [2, 3]


def test_a_trend_and_intervals_at_the_ceiling_end_there() -> None:
    trend = line_chart("准确率", ["5月", "6月"], [Series("M1", [100.0, 100.0])], most=100)
    spans = interval_chart("准确率", [Span("甲", 100.0, 100.0, 100.0, "")], most=100)
    scales = [[text for text in texts(svg) if text.isdecimal()] for svg in (trend, spans)]
    assert scales == [["50", "100"], ["50", "100"]]


def test_a_funnel_stacks_its_parts_and_adds_them_up() -> None:
    svg = funnel("漏斗", [Stage("已提交", [30, 10]), Stage("已受理", [20, 0])], ["通过", "退回"])
    rects = [(float(r.get("x", "")), float(r.get("width", ""))) for r in drawn(svg).iter(f"{SVG}rect")]
    assert rects[1][0] == pytest.approx(sum(rects[0]), abs=0.2)
    assert rects[0][1] == pytest.approx(3 * rects[1][1], abs=0.2)
    middles = [(rects[i][0] + sum(rects[i + 1])) / 2 for i in (0, 2)]
    assert middles[0] == pytest.approx(middles[1], abs=0.2)
    assert description(svg) == "已提交 40: 通过 30, 退回 10; 已受理 20: 通过 20, 退回 0"


def test_a_number_too_wide_for_its_part_is_left_out() -> None:
    svg = funnel("漏斗", [Stage("已提交", [10_000, 1])], ["通过", "退回"])
    assert texts(svg)[-1] == "10000"


def test_a_funnel_needs_a_number_per_part() -> None:
    with pytest.raises(ValueError, match="one number per part"):
        funnel("示例", [Stage("a", [1])], ["x", "y"])
    with pytest.raises(ValueError, match="finite value"):
        funnel("示例", [Stage("a", [-1])], ["x"])


def test_sides_stand_beside_one_another_and_are_never_added_up() -> None:
    svg = side_by_side("对比", [Stage("提交", [30, 10]), Stage("受理", [20, 0])], ["北京市", "上海市"])
    rects = list(drawn(svg).iter(f"{SVG}rect"))
    places = [tuple(float(rect.get(name, "")) for name in ("x", "y", "width")) for rect in rects]
    assert len({x for x, _y, _width in places}) == 1
    assert [a[1] + 14 <= b[1] for a, b in pairwise(places)] == [True] * 3
    longest = places[0][2]
    assert [width for _x, _y, width in places] == pytest.approx(
        [longest, longest / 3, longest * 2 / 3, 0], abs=0.1
    )
    assert [rect.get("fill") for rect in rects] == [*PALETTE.series[:2]] * 2
    assert texts(svg) == ["北京市", "上海市", "提交", "30", "10", "受理", "20", "0"]
    assert description(svg) == "提交: 北京市 30, 上海市 10; 受理: 北京市 20, 上海市 0"


def test_sides_need_a_number_each() -> None:
    with pytest.raises(ValueError, match="one number per side"):
        side_by_side("示例", [Stage("a", [1])], ["x", "y"])
    with pytest.raises(ValueError, match="finite value"):
        side_by_side("示例", [Stage("a", [-1])], ["x"])


def test_a_sparkline_marks_its_last_value() -> None:
    root = drawn(sparkline("趋势", [1, None, 3, 2]))
    dots = [(dot.get("cx"), dot.get("cy")) for dot in root.iter(f"{SVG}circle")]
    assert dots == [("103.5", "14")]
    assert root.findtext(f"{SVG}desc") == "1, --, 3, 2"


@pytest.mark.parametrize(
    "svg",
    [
        bar_chart("空", []),
        line_chart("空", [], []),
        line_chart("空", ["a"], [Series("s", [None])]),
        funnel("空", [], []),
        side_by_side("空", [], ["甲", "乙"]),
        sparkline("空", []),
        sparkline("空", [None]),
    ],
)
def test_nothing_to_show_is_said(svg: str) -> None:
    assert texts(svg) == ["--"]


def test_equal_values_still_draw() -> None:
    assert len(list(drawn(sparkline("平", [5, 5, 5])).iter(f"{SVG}circle"))) == 1
    assert len(list(drawn(line_chart("零", ["a"], [Series("s", [0])])).iter(f"{SVG}circle"))) == 1


def test_every_province_has_a_tile_of_its_own() -> None:
    assert set(TILE_LAYOUT) == set(Province)
    assert len({(spot.row, spot.column) for spot in TILE_LAYOUT.values()}) == 31
    assert {spot.row for spot in TILE_LAYOUT.values()} == set(range(1, 9))
    assert {spot.column for spot in TILE_LAYOUT.values()} == set(range(1, 9))
    for province, spot in TILE_LAYOUT.items():
        assert str(Province(province).label).startswith(str(spot.short))


def test_tiles_come_in_official_order_with_their_links() -> None:
    tiles = tile_grid({31: "99.9512%"}, url=lambda p: f"/provinces/{p.value}/", tones={31: "success"})
    assert [tile.code for tile in tiles] == [province.value for province in Province]
    shanghai = tiles[8]
    assert (shanghai.short, shanghai.name, shanghai.value, shanghai.url, shanghai.tone) == (
        "上海",
        "上海市",
        "99.9512%",
        "/provinces/31/",
        "success",
    )
    assert {tile.value for tile in tiles if tile.code != 31} == {"--"}


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", [PALETTE.text, PALETTE.muted, PALETTE.mark, *PALETTE.series])
def test_default_colours_can_be_read(colour: str) -> None:
    assert contrast(colour, PALETTE.paper) >= 4.5


def test_text_on_a_tint_can_be_read() -> None:
    assert contrast(PALETTE.text, PALETTE.tint) >= 4.5


SLIM_CHARTS = {
    "bar": partial(bar_chart, "示例", [Bar("示例省通信管理局有限公司甲", 42, "42 份"), Bar("乙", 1)]),
    "line": partial(line_chart, "示例", [f"6月{day}日" for day in range(1, 31)], [Series("a", range(30))]),
    "funnel": partial(funnel, "漏斗", [Stage("已接收并已判定", [30, 10])], ["广东省", "全国"]),
    "lists": partial(
        funnel, "漏斗", [Stage("决定", [2, 1])], ["试点单位名单（第 1 号）", "试点单位名单（第 2 号）"]
    ),
    "sides": partial(
        side_by_side,
        "对比",
        [Stage("决定", [200, 1])],
        ["试点单位名单（第 1 号）", "试点单位名单（第 2 号）"],
    ),
    "trends": partial(
        line_chart,
        "趋势",
        ["4月", "5月"],
        [Series("试点单位名单（第 1 号）", [1, 2]), Series("试点单位名单（第 2 号）", [2, 3])],
    ),
    "interval": partial(
        interval_chart,
        "示例",
        [Span("示例云天市网络科技有限公司", 99.9876, 99.9521, 99.9987, "99.9876")],
        mark=Mark("达标线 99.95%", 99.95),
    ),
}


@pytest.mark.parametrize("draw", SLIM_CHARTS.values(), ids=SLIM_CHARTS)
def test_a_slim_drawing_keeps_every_word_inside_and_apart(draw: Callable[..., str]) -> None:
    places: dict[float, list[tuple[float, float]]] = {}
    for node in drawn(draw(width=SLIM)).iter(f"{SVG}text"):
        width, x = text_width(node.text or ""), float(node.get("x", ""))
        start = x - width * {"middle": 0.5, "end": 1.0}.get(node.get("text-anchor", ""), 0.0)
        places.setdefault(float(node.get("y", "")), []).append((start, start + width))
    for line in places.values():
        ends = sorted(line)
        assert (ends[0][0] >= 0, ends[-1][1] <= SLIM) == (True, True)
        assert [a[1] <= b[0] for a, b in pairwise(ends)] == [True] * (len(ends) - 1)


@pytest.mark.parametrize("width", [SLIM, 640])
def test_intervals_are_drawn_where_there_is_room_for_no_scale(width: int) -> None:
    for length in range(120):
        spans = [Span("甲", 0.5, 0.1, 0.9, "." * length)]
        assert drawn(interval_chart("示例", spans, width=width)).get("width") == str(width)


def test_for_screens_a_chart_is_drawn_wide_and_slim() -> None:
    draw = SLIM_CHARTS["funnel"]
    assert for_screens(draw) == draw() + draw(width=SLIM)


def test_the_names_of_a_slim_chart_stand_above_their_bars() -> None:
    svg = drawn(bar_chart("示例", [Bar("抽查", 4), Bar("投诉举报", 2)], width=SLIM))
    heads = [(node.text, node.get("x"), float(node.get("y", ""))) for node in svg.iter(f"{SVG}text")][::2]
    tops = [float(rect.get("y", "")) for rect in svg.iter(f"{SVG}rect")]
    assert heads == [("抽查", "0", tops[0] - 10), ("投诉举报", "0", tops[1] - 10)]


def test_colours_are_parameters() -> None:
    svg = bar_chart("示例", [Bar("a", 1)], palette=Palette(series=("#123456",)))
    assert [rect.get("fill") for rect in drawn(svg).iter(f"{SVG}rect")] == ["#123456"]
