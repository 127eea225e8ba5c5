"""State machines as pictures: an SVG for pages and documents, Mermaid text for the docs.

The picture is drawn from the declared states and moves alone, so it cannot differ from the code.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.utils.safestring import SafeString

from .layering import Arc, Plan, Slot, plan, settle
from .svg import PALETTE, Palette, drawing, element, text_width

WIDTH: Final = 700
BOX: Final = 36
LABEL: Final = 18
SMALL: Final = 12
ARROW: Final = 7
LOOP: Final = 22


@dataclass(frozen=True, slots=True)
class State:
    """A state of a machine; a terminal one ends the case."""

    name: str
    label: str
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A transition from state to state, by name."""

    name: str
    label: str
    source: str
    target: str


type Ends = Mapping[tuple[Slot, Slot], tuple[float, float]]
"""For each piece of a wire the x of its upper and its lower end."""


@dataclass(frozen=True, slots=True)
class _Geometry:
    plan: Plan
    tops: tuple[float, ...]
    ends: Ends
    height: float


def layout(
    states: Sequence[State],
    moves: Sequence[Move],
    *,
    current: str = "",
    visited: Collection[str] = (),
    title: str,
    palette: Palette = PALETTE,
) -> SafeString:
    """Draw a machine from its first state downwards, the current state filled, visited ones ticked.

    Moves that lead back are dashed. The description lists every move as text.
    Raises ValueError for a move between unknown states.
    """
    labels = {state.name: state.label for state in states}
    for move in moves:
        if move.source not in labels or move.target not in labels:
            raise ValueError(f"move {move.name} joins an unknown state")
    geometry = _geometry(tuple(states), tuple(moves))
    by_name = {state.name: state for state in states}
    parts = list(_wires(geometry, palette))
    for row, top in zip(geometry.plan.rows, geometry.tops, strict=True):
        for slot in row:
            if slot.label:
                parts += _label(slot.label, slot.x, top, palette)
            elif slot.state:
                state = by_name[slot.state]
                parts += _loop(slot, state, moves, top, palette)
                parts.append(_box(slot, state, top, state.name == current, state.name in visited, palette))
    summary = "; ".join(f"{labels[m.source]} –{m.label}→ {labels[m.target]}" for m in moves)
    return drawing(
        title, summary, geometry.plan.width, geometry.height, *parts, palette=palette, class_="state-diagram"
    )


def mermaid(states: Sequence[State], moves: Sequence[Move]) -> str:
    """The machine as a Mermaid state diagram, with start and end marks."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{_mermaid_text(state.label)}" as {state.name}' for state in states]
    lines += [f"    [*] --> {state.name}" for state in states[:1]]
    lines += [f"    {move.source} --> {move.target}: {_mermaid_text(move.label)}" for move in moves]
    lines += [f"    {state.name} --> [*]" for state in states if state.terminal]
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """A label without the characters that end one in Mermaid."""
    return " ".join(text.replace('"', "'").replace(":", "：").replace(";", "；").split())


@lru_cache(maxsize=64)
def _geometry(states: tuple[State, ...], moves: tuple[Move, ...]) -> _Geometry:
    """Placing depends on the machine only, so it is kept for the next page."""
    boxes = {state.name: _box_width(state) + 2 * _loop_width(state, moves) for state in states}
    widths = {move.label: text_width(move.label, SMALL) + 8 for move in moves}
    arcs = [Arc(move.name, move.label, move.source, move.target) for move in moves]
    placed = plan(boxes, arcs, widths, WIDTH)
    ends = _ends(placed, {state.name: _box_width(state) for state in states})
    tops, bottom = [], 10.0
    for i, row in enumerate(placed.rows):
        tops.append(bottom)
        bottom += (LABEL if i % 2 else BOX) + _channel(row, ends)
    return _Geometry(placed, tuple(tops), ends, tops[-1] + BOX + 10)


def _box_width(state: State) -> float:
    return text_width(state.label) + 36


def _loop_width(state: State, moves: Sequence[Move]) -> float:
    """What the moves from a state to itself need beside its box."""
    labels = [move.label for move in moves if move.source == move.target == state.name]
    return LOOP + text_width("、".join(labels), SMALL) + 4 if labels else 0.0


def _ends(placed: Plan, boxes: Mapping[str, float]) -> Ends:
    """Where each piece leaves and enters: spread over the edge of a box, at the centre of a slot."""
    upper: dict[tuple[Slot, Slot], float] = {}
    lower: dict[tuple[Slot, Slot], float] = {}
    for slot in (slot for row in placed.rows for slot in row):
        for others, ends in ((slot.below, upper), (slot.above, lower)):
            near = sorted(others, key=lambda other: other.x)
            half = boxes[slot.state] / 2 - 10 if slot.state else 0.0
            apart = min(14.0, 2 * half / max(len(near) - 1, 1))
            places = settle([n.x for n in near], [apart] * (len(near) - 1), slot.x - half, slot.x + half)
            ends.update({(slot, other): x for other, x in zip(near, places, strict=True)})
    return {pair: (upper[pair], lower[pair[1], pair[0]]) for pair in upper}


def _channel(row: Sequence[Slot], ends: Ends) -> float:
    """The height below a row: more where pieces run far to the side."""
    far = max((abs(a - b) for slot in row for other in slot.below for a, b in [ends[slot, other]]), default=0)
    return 16 + min(far * 0.1, 26)


def _wires(geometry: _Geometry, palette: Palette) -> Iterator[SafeString]:
    """All lines, and the arrow heads where they arrive."""
    for wire in geometry.plan.wires:
        colour = palette.muted if wire.rising else palette.text
        path, heads = [], {}
        for upper, lower in wire.pieces:
            start, end = geometry.ends[upper, lower]
            top, bottom = geometry.tops[upper.row] + _height(upper.row), geometry.tops[lower.row]
            arrives = upper if wire.rising else lower
            if arrives.state:
                heads[start if wire.rising else end] = top if wire.rising else bottom
            through = "" if upper.state else f"M{start:.1f} {geometry.tops[upper.row]:.1f}V{top:.1f}"
            path.append(through + _curve(start, top, end, bottom))
        dashes = "5 3" if wire.rising else "none"
        yield element(
            "path", d="".join(path), fill="none", stroke=colour, stroke_width=1.3, stroke_dasharray=dashes
        )
        for x, y in heads.items():
            back = y + ARROW if wire.rising else y - ARROW
            yield element("path", d=f"M{x:.1f} {y:.1f}L{x - 4:.1f} {back:.1f}H{x + 4:.1f}Z", fill=colour)


def _height(row: int) -> int:
    return LABEL if row % 2 else BOX


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line that leaves and arrives upright."""
    middle = (y1 + y2) / 2
    return f"M{x1:.1f} {y1:.1f}C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"


def _label(text: str, x: float, top: float, palette: Palette) -> Iterator[SafeString]:
    """A move's name on its line, on a plate that keeps the line off the text."""
    width = text_width(text, SMALL) + 6
    yield element("rect", x=x - width / 2, y=top, width=width, height=LABEL, fill=palette.paper)
    yield element("text", text, x=x, y=top + 13, text_anchor="middle", font_size=SMALL)


def _box(slot: Slot, state: State, top: float, current: bool, visited: bool, palette: Palette) -> SafeString:
    """A state; a second outline marks an end, a tick a state gone through, the fill the current one."""
    width = _box_width(state)
    left = slot.x - width / 2
    accent = palette.colour(0)
    outline = element(
        "rect",
        x=left,
        y=top,
        width=width,
        height=BOX,
        rx=8,
        fill=accent if current else palette.tint if visited else palette.paper,
        stroke=accent if current or visited else palette.text,
        stroke_width=2 if current else 1.3,
    )
    ink = palette.paper if current else palette.text
    inner = element(
        "rect", x=left + 3, y=top + 3, width=width - 6, height=BOX - 6, rx=6, fill="none", stroke=ink
    )
    tick = f"M{left + 7:.1f} {top + 18:.1f}l3 4 5 -8"
    name = "state-current" if current else "state-visited" if visited else "state"
    return element(
        "g",
        element("title", state.label),
        outline,
        *([inner] if state.terminal else []),
        *([element("path", d=tick, fill="none", stroke=ink, stroke_width=2)] if visited else []),
        element(
            "text",
            state.label,
            x=slot.x,
            y=top + 23,
            text_anchor="middle",
            fill=ink,
            font_weight="bold" if current else "normal",
        ),
        class_=name,
    )


def _loop(
    slot: Slot, state: State, moves: Sequence[Move], top: float, palette: Palette
) -> Iterator[SafeString]:
    """Moves from a state to itself: one loop beside the box, with all their names."""
    names = "、".join(move.label for move in moves if move.source == move.target == state.name)
    if not names:
        return
    x, upper, lower = slot.x + _box_width(state) / 2, top + 9, top + BOX - 9
    out = x + LOOP
    path = f"M{x:.1f} {upper}C{out:.1f} {upper - 6} {out:.1f} {lower + 6} {x + ARROW:.1f} {lower}"
    yield element("path", d=path, fill="none", stroke=palette.text, stroke_width=1.3)
    yield element("path", d=f"M{x:.1f} {lower}L{x + ARROW:.1f} {lower - 4}V{lower + 4}Z", fill=palette.text)
    yield element("text", names, x=out, y=top + 22, font_size=SMALL)
