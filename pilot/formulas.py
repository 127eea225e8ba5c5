"""Cells of a CSV that no spreadsheet takes for formulas (S12), and what they were before. Pure."""

from __future__ import annotations

import re
from typing import Final

# What spreadsheets take for the beginning of a formula, half-width and, in Chinese settings, full-width.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_STARTS: Final = f"[{re.escape(''.join(FORMULA_STARTS))}]"
# A cell that begins like one made inert is prefixed as well, or nobody could tell the two apart.
_PREFIXED: Final = re.compile(f"'*{_STARTS}").match
_INERT: Final = re.compile(f"'+{_STARTS}").match


def inert(cell: str) -> str:
    """A cell of a CSV that no spreadsheet takes for a formula; :func:`restored` undoes it."""
    return f"'{cell}" if _PREFIXED(cell) else cell


def restored(cell: str) -> str:
    """The cell that was made :func:`inert`."""
    return cell[1:] if _INERT(cell) else cell
