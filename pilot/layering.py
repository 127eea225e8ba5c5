"""Layered placement of a state machine: who stands in which row, in which order, and where.

After Sugiyama: states go to rows so that most moves lead downwards; each move is cut into pieces from
row to row, with a slot of its own in every row it crosses, so that no line runs through a box or a
label. Moves of the same name to the same state share their slots. Everything is deterministic: the
order of states and moves in the declaration breaks every tie.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Final

SWEEPS: Final = 24
MARGIN: Final = 8.0


@dataclass(frozen=True, slots=True)
class Arc:
    """A move to place: from state to state, named so that equal moves can be drawn together."""

    name: str
    label: str
    source: str
    target: str


@dataclass(eq=False, slots=True)
class Slot:
    """A place in a row: a state's box, a label, or the width of a line that only passes.

    `shared` is how many moves run through it together.
    """

    row: int
    width: float
    state: str = ""
    label: str = ""
    shared: int = 1
    x: float = 0.0
    above: list["Slot"] = field(default_factory=list)
    below: list["Slot"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wire:
    """Moves of one name to one state: pieces between neighbouring rows, drawn from `upper` to `lower`."""

    target: str
    sources: tuple[str, ...]
    rising: bool
    pieces: tuple[tuple[Slot, Slot], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """States stand in the even rows, labels in the odd ones; rows are ordered from left to right.

    No row is empty: between two levels of states at least one move leads down.
    """

    rows: tuple[tuple[Slot, ...], ...]
    wires: tuple[Wire, ...]
    width: float


def plan(
    boxes: Mapping[str, float], arcs: Sequence[Arc], label_width: Mapping[str, float], width: float
) -> Plan:
    """Place boxes of the given widths and the labels of the arcs between them.

    Arcs from a state to itself are left to the caller. The plan is at most `width` wide, or as wide as
    its fullest row. Raises ValueError without boxes.
    """
    if not boxes:
        raise ValueError("a machine has at least one state")
    arcs = [arc for arc in arcs if arc.source != arc.target]
    rising = _rising(list(boxes), arcs)
    level = _levels(list(boxes), [arc for arc in arcs if arc not in rising])
    rows: list[list[Slot]] = [[] for _ in range(2 * max(level.values(), default=0) + 1)]
    states = {name: Slot(2 * level[name], box, state=name) for name, box in boxes.items()}
    for slot in states.values():
        rows[slot.row].append(slot)
    groups: dict[tuple[str, str, str, bool], list[Arc]] = defaultdict(list)
    for arc in arcs:
        groups[arc.name, arc.label, arc.target, arc in rising].append(arc)
    wires = [_wire(group, key[3], states, rows, label_width) for key, group in groups.items()]
    _order(rows)
    needed = max(_taken(row) for row in rows)
    _spread(rows, max(width, needed))
    return Plan(tuple(map(tuple, rows)), tuple(wires), _trim(rows))


def gap(left: Slot, right: Slot) -> float:
    """The least distance between the centres of two neighbours of a row."""
    passing = not (left.state or left.label) or not (right.state or right.label)
    return (left.width + right.width) / 2 + (10 if passing else 20)


def settle(wanted: Sequence[float], gaps: Sequence[float], low: float, high: float) -> list[float]:
    """The places nearest to the wanted ones (least squares) that keep order, gaps and bounds.

    Pools neighbours that come too close, each pool at the mean of what its members want.
    """
    if not wanted:
        return []
    offsets = list(accumulate(gaps, initial=0.0))
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, size = want - offset, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    top = max(low, high - offsets[-1])
    places = [min(max(mean, low), top) for mean, size in pools for _ in range(size)]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def _rising(names: Sequence[str], arcs: Sequence[Arc]) -> set[Arc]:
    """The arcs that close a cycle when the machine is walked from its first state on."""
    leaving: dict[str, list[Arc]] = defaultdict(list)
    for arc in arcs:
        leaving[arc.source].append(arc)
    closing: set[Arc] = set()
    open_states: set[str] = set()
    done: set[str] = set()

    def walk(name: str) -> None:
        open_states.add(name)
        for arc in leaving[name]:
            if arc.target in open_states:
                closing.add(arc)
            elif arc.target not in done:
                walk(arc.target)
        open_states.discard(name)
        done.add(name)

    for name in names:
        if name not in done:
            walk(name)
    return closing


def _levels(names: Sequence[str], falling: Sequence[Arc]) -> dict[str, int]:
    """For each state the length of the longest way down to it."""
    level = dict.fromkeys(names, 0)
    for _ in names:
        for arc in falling:
            level[arc.target] = max(level[arc.target], level[arc.source] + 1)
    return level


def _wire(
    group: Sequence[Arc],
    rising: bool,
    states: Mapping[str, Slot],
    rows: Sequence[list[Slot]],
    label_width: Mapping[str, float],
) -> Wire:
    """Cut the arcs of a group into pieces, with one slot in each row between."""
    step = -1 if rising else 1
    target = states[group[0].target]
    sources = [states[arc.source] for arc in group]
    first = (max if rising else min)(slot.row for slot in sources)
    # A single arc is labelled where it leaves, a shared one where all have come together.
    labelled = first + step if len(group) == 1 else target.row - step
    slots: dict[int, Slot] = {}
    for row in range(first + step, target.row, step):
        label = group[0].label if row == labelled else ""
        slots[row] = Slot(row, label_width[label] if label else 0.0, label=label, shared=len(group))
        rows[row].append(slots[row])
    slots[target.row] = target
    chain = [slots[row] for row in range(first + step, target.row + step, step)]
    steps = [(source, slots[source.row + step]) for source in sources] + list(pairwise(chain))
    pieces = tuple((end, start) if rising else (start, end) for start, end in steps)
    for upper, lower in pieces:
        upper.below.append(lower)
        lower.above.append(upper)
    return Wire(target.state, tuple(slot.state for slot in sources), rising, pieces)


def _order(rows: list[list[Slot]]) -> None:
    """Order every row so that few lines cross; the best of all sweeps stays."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for i in range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1):
            fixed = {slot: place for place, slot in enumerate(rows[i - 1 if downwards else i + 1])}
            keys = {}
            for place, slot in enumerate(rows[i]):
                near = slot.above if downwards else slot.below
                keys[slot] = sum(fixed[other] for other in near) / len(near) if near else place
            rows[i].sort(key=keys.__getitem__)
        _exchange(rows)
        count = _crossings(rows)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    rows[:] = best


def _exchange(rows: list[list[Slot]]) -> None:
    """Exchange neighbours wherever that alone saves crossings."""
    for i, row in enumerate(rows):
        around = rows[max(i - 1, 0) : i + 2]
        count = _crossings(around)
        for j in range(len(row) - 1):
            row[j], row[j + 1] = row[j + 1], row[j]
            changed = _crossings(around)
            if changed < count:
                count = changed
            else:
                row[j], row[j + 1] = row[j + 1], row[j]


def _crossings(rows: Iterable[Sequence[Slot]]) -> int:
    """How many pairs of pieces cross between the given neighbouring rows."""
    count = 0
    for upper, lower in pairwise(rows):
        place = {slot: i for i, slot in enumerate(lower)}
        ends = [sorted(place[slot] for slot in start.below) for start in upper]
        flat = [(i, end) for i, group in enumerate(ends) for end in group]
        count += sum(a < c and d < b for n, (a, b) in enumerate(flat) for c, d in flat[n + 1 :])
    return count


def _taken(row: Sequence[Slot]) -> float:
    """The width a row needs at least."""
    inner = sum(gap(left, right) for left, right in pairwise(row))
    return inner + (row[0].width + row[-1].width) / 2 + 2 * MARGIN


def _spread(rows: Sequence[Sequence[Slot]], width: float) -> None:
    """Give every slot its x, near its neighbours in the rows around it; lines as straight as possible."""
    for row in rows:
        places = settle([width / 2] * len(row), [gap(a, b) for a, b in pairwise(row)], 0, width)
        for slot, x in zip(row, places, strict=True):
            slot.x = x
    for sweep in range(20 * SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [_pull(slot) for slot in row]
            gaps = [gap(a, b) for a, b in pairwise(row)]
            low, high = row[0].width / 2 + MARGIN, width - row[-1].width / 2 - MARGIN
            for slot, x in zip(row, settle(wanted, gaps, low, high), strict=True):
                slot.x = x


def _pull(slot: Slot) -> float:
    """Where a slot would like to be: the mean of its neighbours, weighted so that long lines run straight.

    A box follows its own moves and hardly those it shares with many others.
    """
    near = [*slot.above, *slot.below]
    if not near:
        return slot.x
    weights = [2 / (slot.shared * other.shared) if slot.state or other.state else 40.0 for other in near]
    return sum(w * other.x for w, other in zip(weights, near, strict=True)) / sum(weights)


def _trim(rows: Sequence[Sequence[Slot]]) -> float:
    """Move everything to the left margin and return the width that is really used."""
    left = min(row[0].x - row[0].width / 2 for row in rows) - MARGIN
    for slot in (slot for row in rows for slot in row):
        slot.x -= left
    return max(row[-1].x + row[-1].width / 2 for row in rows) + MARGIN
