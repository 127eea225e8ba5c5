"""Pieces of a file: one that does not follow, or is too large, is told where to go on."""

from __future__ import annotations

import pytest

from pilot.errors import Refused
from pilot.pieces import WrongOffset, check_piece
from pilot.views.pieces import number


@pytest.mark.parametrize(
    ("offset", "length", "error"),
    [(4, 6, None), (4, 0, None), (3, 1, WrongOffset), (5, 1, WrongOffset), (4, 7, Refused), (4, 9, Refused)],
)
def test_a_piece_follows_what_has_come(offset: int, length: int, error: type[Exception] | None) -> None:
    piece = {"received": 4, "size": 10, "offset": offset, "length": length, "most": 8}
    if error is None:
        check_piece(**piece)
        return
    with pytest.raises(error) as refusal:
        check_piece(**piece)
    assert getattr(refusal.value, "received", 4) == 4


def test_sizes_are_plain_digits() -> None:
    assert number("0012") == 12
    for text in ("", "-1", "1e3", "１２", "1" * 13):
        with pytest.raises(Refused):
            number(text)
