"""Which tiles of a first page stand in sight: open work by urgency, what there is none of only by name."""

from __future__ import annotations

from typing import Final

from pilot.ui import Dashboard, Tile, Tone

URGENCY: Final[tuple[Tone, ...]] = ("danger", "warning", "info", "success", "neutral", "muted")


def leading(board: Dashboard) -> list[Tile]:
    """The tiles in sight: of a person's open work those that count something, the most urgent first."""
    if board.todo is None:  # figures, and no work
        return list(board.tiles)
    return sorted((t for t in board.tiles if not _is_none(t)), key=lambda tile: URGENCY.index(tile.tone))


def idle(board: Dashboard) -> list[Tile]:
    """The open work of which there is none."""
    return [] if board.todo is None else [tile for tile in board.tiles if _is_none(tile)]


def _is_none(tile: Tile) -> bool:
    """Whether it counts nothing; a 0 that matters (the last day of a term) has a tone."""
    return tile.value == "0" and tile.tone == "neutral"
