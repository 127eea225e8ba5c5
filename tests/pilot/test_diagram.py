import re
from collections.abc import Iterator
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot.diagram import Move, State, layout, mermaid
from pilot.layering import Arc, plan, settle

SVG = "{http://www.w3.org/2000/svg}"
APPLICATION_STATES = [
    State("draft", "草稿"),
    State("submitted", "已提交"),
    State("returned", "退回补正"),
    State("accepted", "已受理"),
    State("refused", "不予受理"),
    State("lapsed", "逾期失效", terminal=True),
    State("recommended", "同意推荐"),
    State("not_recommended", "不予推荐"),
    State("reported", "已汇总报送"),
    State("listed", "列入名单", terminal=True),
    State("not_listed", "未列入名单"),
    State("withdrawn", "已撤回", terminal=True),
]
APPLICATION_MOVES = [
    Move(name, label, source, target)
    for name, label, sources, target in [
        ("submit", "提交", "draft", "submitted"),
        ("accept", "受理", "submitted", "accepted"),
        ("return", "退回", "submitted", "returned"),
        ("resubmit", "补正提交", "returned", "submitted"),
        ("lapse", "逾期", "returned", "lapsed"),
        ("refuse", "不予受理", "submitted", "refused"),
        ("deem_accepted", "视为受理", "submitted", "accepted"),
        ("revert", "撤销", "accepted returned refused", "submitted"),
        (
            "withdraw",
            "撤回",
            "draft submitted returned accepted recommended not_recommended reported",
            "withdrawn",
        ),
        ("recommend", "推荐", "accepted", "recommended"),
        ("disrecommend", "不推荐", "accepted", "not_recommended"),
        ("reopen", "重新审核", "recommended not_recommended", "accepted"),
        ("report", "汇总报送", "recommended not_recommended", "reported"),
        ("admit", "列入", "reported not_listed", "listed"),
        ("decline", "不列入", "reported", "not_listed"),
        ("reinstate", "恢复办理", "refused", "submitted"),
    ]
    for source in sources.split()
]
LOOPED_STATES = [State("assigned", "已指派"), State("concluded", "已结论", terminal=True)]
LOOPED_MOVES = [
    Move("reassign", "改派", "assigned", "assigned"),
    Move("conclude", "结论", "assigned", "concluded"),
]

type Box = tuple[float, float, float, float]


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314  our own output


def drawn(states: list[State], moves: list[Move]) -> ElementTree.Element:
    return parsed(layout(states, moves, title="状态图"))


def boxes(root: ElementTree.Element) -> dict[str, Box]:
    return {
        group.findtext(f"{SVG}title") or "": rectangle(next(group.iter(f"{SVG}rect")))
        for group in root.iter(f"{SVG}g")
    }


def rectangle(rect: ElementTree.Element) -> Box:
    x, y, width, height = (float(rect.get(name, "")) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def labels(root: ElementTree.Element) -> list[Box]:
    return [rectangle(rect) for rect in root.findall(f"{SVG}rect")]


def overlap(one: Box, other: Box, slack: float = 0.5) -> bool:
    return (
        one[0] + slack < other[2]
        and other[0] + slack < one[2]
        and one[1] + slack < other[3]
        and other[1] + slack < one[3]
    )


def points(root: ElementTree.Element) -> Iterator[tuple[float, float]]:
    """Points along every curve of the lines between states."""
    for path in root.findall(f"{SVG}path"):
        for piece in re.findall(r"M([-\d. ]+)C([-\d. ]+)", path.get("d", "")):
            x, y = ([float(n) for n in " ".join(piece).split()][i::2] for i in (0, 1))
            for step in range(21):
                t = step / 20
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                yield (
                    sum(w * v for w, v in zip(weights, x, strict=True)),
                    sum(w * v for w, v in zip(weights, y, strict=True)),
                )


def test_the_application_machine_is_narrow_enough_and_clear() -> None:
    root = drawn(APPLICATION_STATES, APPLICATION_MOVES)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    assert width <= 700
    assert height <= 900
    placed = [*boxes(root).values(), *labels(root)]
    assert len(boxes(root)) == 12
    assert not [(a, b) for i, a in enumerate(placed) for b in placed[i + 1 :] if overlap(a, b)]
    assert all(x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height for x0, y0, x1, y1 in placed)


def test_no_line_runs_through_a_box() -> None:
    root = drawn(APPLICATION_STATES, APPLICATION_MOVES)
    along = list(points(root))
    assert len(along) > 500
    inside = [
        (label, point)
        for label, (x0, y0, x1, y1) in boxes(root).items()
        for point in along
        if x0 + 0.5 < point[0] < x1 - 0.5 and y0 + 0.5 < point[1] < y1 - 0.5
    ]
    assert inside == []


def test_moves_of_one_name_to_one_state_share_their_label() -> None:
    texts = [node.text for node in drawn(APPLICATION_STATES, APPLICATION_MOVES).findall(f"{SVG}text")]
    assert sorted(map(str, texts)) == sorted({move.label for move in APPLICATION_MOVES})


def test_the_main_way_leads_down() -> None:
    tops = {label: box[1] for label, box in boxes(drawn(APPLICATION_STATES, APPLICATION_MOVES)).items()}
    way = ["草稿", "已提交", "已受理", "同意推荐", "已汇总报送", "列入名单"]
    assert all(tops[a] < tops[b] for a, b in pairwise(way))
    assert tops["同意推荐"] == tops["不予推荐"]


def test_moves_that_lead_back_are_dashed() -> None:
    moves = [Move("go", "去", "a", "b"), Move("back", "回", "b", "a")]
    root = drawn([State("a", "甲"), State("b", "乙")], moves)
    dashes = [p.get("stroke-dasharray") for p in root.findall(f"{SVG}path") if p.get("fill") == "none"]
    assert dashes == ["none", "5 3"]


def test_current_visited_and_terminal_states_differ_by_shape_too() -> None:
    svg = layout(
        APPLICATION_STATES,
        APPLICATION_MOVES,
        current="accepted",
        visited={"draft", "submitted"},
        title="状态图",
    )
    groups = {g.findtext(f"{SVG}title"): g for g in parsed(svg).iter(f"{SVG}g")}
    classes = {label: group.get("class") for label, group in groups.items()}
    assert {label for label, name in classes.items() if name == "state-current"} == {"已受理"}
    assert {label for label, name in classes.items() if name == "state-visited"} == {"草稿", "已提交"}
    ticked = {label for label, group in groups.items() if group.find(f"{SVG}path") is not None}
    assert ticked == {"草稿", "已提交"}
    outlined = {label for label, group in groups.items() if len(group.findall(f"{SVG}rect")) == 2}
    assert outlined == {"逾期失效", "列入名单", "已撤回"}
    bold = {
        g.findtext(f"{SVG}text")
        for g in groups.values()
        if g.find(f"{SVG}text[@font-weight='bold']") is not None
    }
    assert bold == {"已受理"}


def test_the_description_lists_every_move() -> None:
    root = drawn(LOOPED_STATES, LOOPED_MOVES)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "状态图"
    assert root.findtext(f"{SVG}desc") == "已指派 –改派→ 已指派; 已指派 –结论→ 已结论"


def test_a_move_to_itself_is_a_loop_beside_the_box() -> None:
    root = drawn(LOOPED_STATES, LOOPED_MOVES)
    label = next(node for node in root.findall(f"{SVG}text") if node.text == "改派")
    box = boxes(root)["已指派"]
    assert float(label.get("x", "")) > box[2]
    assert float(label.get("x", "")) + 24 <= float(root.get("width", ""))


def test_labels_are_escaped_and_nothing_is_styled_inline() -> None:
    svg = layout([State("a", "<b>&"), State("b", "乙")], [Move("m", "<i>", "a", "b")], title="<t>")
    root = parsed(svg)
    assert "<b>&" in boxes(root)
    assert root.findtext(f"{SVG}title") == "<t>"
    assert not [node for node in root.iter() if "style" in node.attrib or node.tag == f"{SVG}style"]


def test_the_same_machine_is_drawn_the_same() -> None:
    first = layout(APPLICATION_STATES, APPLICATION_MOVES, title="状态图")
    assert layout(list(APPLICATION_STATES), list(APPLICATION_MOVES), title="状态图") == first


def test_a_move_needs_known_states() -> None:
    with pytest.raises(ValueError, match="move m joins an unknown state"):
        layout([State("a", "甲")], [Move("m", "去", "a", "b")], title="状态图")


def test_a_machine_needs_a_state() -> None:
    with pytest.raises(ValueError, match="at least one state"):
        layout([], [], title="状态图")


def test_mermaid_text() -> None:
    assert mermaid(LOOPED_STATES, LOOPED_MOVES) == (
        "stateDiagram-v2\n"
        '    state "已指派" as assigned\n'
        '    state "已结论" as concluded\n'
        "    [*] --> assigned\n"
        "    assigned --> assigned: 改派\n"
        "    assigned --> concluded: 结论\n"
        "    concluded --> [*]\n"
    )


def test_mermaid_labels_cannot_end_their_line() -> None:
    text = mermaid([State("a", 'A "x"\ny')], [Move("m", "go: now; then", "a", "a")])
    assert text.splitlines()[1:] == [
        "    state \"A 'x' y\" as a",
        "    [*] --> a",
        "    a --> a: go： now； then",
    ]


MACHINES = st.integers(1, 14).flatmap(
    lambda size: st.lists(
        st.tuples(st.integers(0, size - 1), st.integers(0, size - 1), st.sampled_from("abcde")),
        max_size=25,
        unique=True,
    ).map(lambda moves: (size, moves))
)


@given(MACHINES)
@settings(max_examples=25, deadline=None)
def test_any_machine_is_drawn_without_overlaps(machine: tuple[int, list[tuple[int, int, str]]]) -> None:
    size, moves = machine
    states = [State(f"s{i}", f"状态{i}") for i in range(size)]
    root = drawn(states, [Move(name, f"动作{name}", f"s{a}", f"s{b}") for a, b, name in moves])
    placed = [*boxes(root).values(), *labels(root)]
    assert len(boxes(root)) == size
    assert not [(a, b) for i, a in enumerate(placed) for b in placed[i + 1 :] if overlap(a, b)]


@given(st.lists(st.tuples(st.floats(0, 700), st.floats(0, 60)), min_size=1, max_size=8))
def test_settled_places_keep_order_and_gaps(items: list[tuple[float, float]]) -> None:
    wanted = [want for want, _ in items]
    gaps = [gap for _, gap in items][1:]
    places = settle(wanted, gaps, 0, 700)
    assert all(b - a >= gap - 1e-6 for (a, b), gap in zip(pairwise(places), gaps, strict=True))
    assert places[0] >= 0
    assert places[-1] <= 700 + 1e-6


def test_settled_places_are_the_wanted_ones_where_there_is_room() -> None:
    assert settle([10, 200, 400], [50, 50], 0, 700) == [10, 200, 400]
    assert settle([100, 100], [40], 0, 700) == [80, 120]
    assert settle([], [], 0, 700) == []


def test_a_shared_wire_has_one_slot_per_row() -> None:
    arcs = [Arc("w", "撤回", source, "z") for source in ("a", "b", "c")] + [
        Arc("x", "去", "a", "b"),
        Arc("y", "去", "b", "c"),
    ]
    placed = plan(dict.fromkeys("abcz", 60.0), arcs, {"撤回": 30.0, "去": 20.0}, 700)
    shared = next(wire for wire in placed.wires if wire.target == "z")
    slots = {slot for piece in shared.pieces for slot in piece if not slot.state}
    assert shared.sources == ("a", "b", "c")
    assert sorted(slot.row for slot in slots) == [1, 2, 3, 4, 5]
    assert [slot.row for slot in slots if slot.label] == [5]
