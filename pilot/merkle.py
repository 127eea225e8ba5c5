"""Merkle trees as RFC 6962 (section 2.1) builds them: SHA-256, leaves and nodes marked apart. Pure; no models.

A list of nodes stands for the roots of equally large full subtrees, the last of which may be smaller: the whole
tree's root and paths come out the same, so that a long log needs the roots of its blocks only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

EMPTY: Final = hashlib.sha256(b"").digest()


def leaf(content: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(nodes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes or subtree roots."""
    frontier = Frontier()
    for each in nodes:
        frontier.append(each)
    return frontier.root()


def path(nodes: Sequence[bytes], index: int) -> list[bytes]:
    """The neighbours that lead from node ``index`` (from 0) up to the root. Raises IndexError outside the tree."""
    if not 0 <= index < len(nodes):
        raise IndexError(index)
    if len(nodes) == 1:
        return []
    split = 1 << (len(nodes) - 1).bit_length() - 1
    if index < split:
        return [*path(nodes[:split], index), root(nodes[split:])]
    return [*path(nodes[split:], index - split), root(nodes[:split])]


def climb(start: bytes, index: int, size: int, steps: Sequence[bytes]) -> bytes:
    """The root to which a path leads (RFC 9162, 2.1.3.2). Raises ValueError for one of another length."""
    place, last, result = index, size - 1, start
    for step in steps:
        if last == 0:
            raise ValueError("the path is too long")
        if place & 1 or place == last:
            result = node(step, result)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            result = node(result, step)
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return result


class Frontier:
    """A tree that only grows: the roots of its full subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, each: bytes) -> None:
        """Add the hash of the next leaf."""
        self.size += 1
        full = self.size
        while not full & 1:
            each = node(self._peaks.pop(), each)
            full >>= 1
        self._peaks.append(each)

    def root(self) -> bytes:
        """The root as the tree stands."""
        if not self._peaks:
            return EMPTY
        result = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            result = node(peak, result)
        return result
