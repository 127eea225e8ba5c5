"""The two clocks (house rule 3): business time may be shifted in a demonstration, security time never is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from pilot.models import BusinessClock


@dataclass(slots=True)
class _Held:
    """The clock's row, once it was read: how far business time is shifted, and whether for a demonstration."""

    row: tuple[timedelta, bool] | None = None


_held: ContextVar[_Held | None] = ContextVar("held", default=None)


@contextmanager
def steady() -> Iterator[None]:
    """Within the block the clock's row is read once, when first asked for: one request or act, one clock."""
    if _held.get() is not None:
        yield
        return
    token = _held.set(_Held())
    try:
        yield
    finally:
        _held.reset(token)


def security_now() -> datetime:
    """Real time: logins, keys, broker, audit stamps."""
    return timezone.now()


def offset() -> timedelta:
    """How far business time is ahead of real time (negative in a demonstration of 2019)."""
    return _row()[0]


def _row() -> tuple[timedelta, bool]:
    held = _held.get()
    if held is not None and held.row is not None:
        return held.row
    found = BusinessClock.objects.filter(pk=1).values_list("offset", "demo").first() or (timedelta(), False)
    if held is not None:
        held.row = found
    return found


def now() -> datetime:
    """Business time: windows, receipt, deadlines, effect dates."""
    return security_now() + offset()


def business(moment: datetime) -> datetime:
    """The business time of a real moment, by the clock as it stands now."""
    return moment + offset()


def real_label(label: str) -> str:
    """The label of a time by the real clock, marked as that where business time is simulated."""
    return _("%(time)s（实际时间）") % {"time": label} if is_demo() else label


def is_demo() -> bool:
    """Whether this database holds the demonstration world (invented organisations, shifted clock, MFA off)."""
    return _row()[1]


def to_real(moment: datetime) -> datetime:
    """The real moment at which business time will be ``moment``."""
    return moment - offset()


def set_business_time(moment: datetime) -> None:
    """Shift the demonstration's clock so that it is ``moment`` now; it ticks on from there.

    It makes the database one of a demonstration, so whoever calls it has first made sure that nothing real is in it.
    """
    BusinessClock.objects.update_or_create(pk=1, defaults={"offset": moment - security_now(), "demo": True})
    if held := _held.get():
        held.row = None
