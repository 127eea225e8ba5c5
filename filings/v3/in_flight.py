"""How much the calls that are being answered at this moment may hold together, in this process.

A call of the largest size takes some 150 MB while it is unpacked, and the web server has several threads; without a
bound a handful of calls would take the machine's memory. A call for which nothing is left is told to come again (15).
"""

from __future__ import annotations

from threading import Lock
from typing import Final

from filings.intake.v3 import MAX_FILE
from filings.v3.codes import CallRefused, MsgCode


class Budget:
    """Bytes that several threads share."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self._lock = Lock()

    def take(self, amount: int) -> bool:
        """Take so many bytes, unless fewer are left."""
        with self._lock:
            if amount > self.left:
                return False
            self.left -= amount
            return True

    def give_back(self, amount: int) -> None:
        """Return what was taken."""
        with self._lock:
            self.left += amount


CALLERS: Final = Budget(2 * MAX_FILE)
STRANGERS: Final = Budget(MAX_FILE)
"""For calls that say who calls only after their file, so that nobody unknown can use up what callers need."""
FREE: Final = 64 * 1024
"""Of each call: as much comes in with its head, before anybody can tell who calls."""


class Reservation:
    """What one call holds, to be released when its answer has left."""

    def __init__(self) -> None:
        self._budget = STRANGERS
        self._free = FREE
        self._held = 0

    def take(self, amount: int) -> None:
        """Hold so many bytes more. Raises :class:`CallRefused` (15) when they are not there."""
        free = min(amount, self._free)
        if not self._budget.take(amount - free):
            raise CallRefused(MsgCode.TOO_MANY_WAITING)
        self._free -= free
        self._held += amount - free

    def vouch(self) -> None:
        """It is known who calls: hold the same from the callers' share. Raises as :meth:`take`."""
        held, strangers = self._held, self._budget
        self._budget, self._held = CALLERS, 0
        strangers.give_back(held)
        self.take(held)

    def release(self) -> None:
        """Return everything; doing so again changes nothing."""
        self._budget.give_back(self._held)
        self._held = 0
