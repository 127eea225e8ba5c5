"""Room for the frames of a deep call in one piece: what CPython does wrongly up to 3.13.12 and 3.14.3 (gh-142183).

Frames lie in pieces of 16 KiB. A call that crosses the end of one maps the next, and unmaps it when it returns; where a
loop stands just before such an end, every call in it pays for that. So a page took three times as long whenever what
it draws a thousand times stood at that depth, and a frame more or less on the way there decided which page it was.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final

# Places for values; a frame that says it needs so many gets a piece of 1 MiB, of which those below it use the rest.
ROOM: Final = 2**16


def in_one_piece[**P, T](act: Callable[P, T]) -> Callable[P, T]:
    """The same, called with room for all the calls that it makes; also a middleware, the outermost one."""

    def with_room(*args: P.args, **kwargs: P.kwargs) -> T:
        return act(*args, **kwargs)

    with_room.__code__ = with_room.__code__.replace(co_stacksize=ROOM)
    return wraps(act)(with_room)
