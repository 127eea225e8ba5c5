"""IPv4 addresses of access: public or not, by the special-purpose registry (RFC 6890 and its updates)."""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import IPv4Network
from typing import Final

_SPECIAL: Final = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_STARTS: Final = [int(block.network_address) for block in _SPECIAL]
_ENDS: Final = [int(block.broadcast_address) for block in _SPECIAL]
_OCTETS: Final = {str(number): number for number in range(256)}

MAX_ADDRESS: Final = 2**32 - 1


def parse_ipv4(value: str) -> int | None:
    """Return a dotted-quad address as an unsigned integer, or ``None``.

    Octets with leading zeros are refused.
    """
    parts = value.split(".")
    if len(parts) != 4:
        return None
    first, second, third, fourth = map(_OCTETS.get, parts)
    if first is None or second is None or third is None or fourth is None:
        return None
    return first << 24 | second << 16 | third << 8 | fourth


def format_ipv4(address: int) -> str:
    """Return the dotted quad of an unsigned 32-bit integer (the V3.0 interface sends addresses so)."""
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def is_public(first: int, last: int | None = None) -> bool:
    """Say whether all addresses from ``first`` to ``last`` (or ``first`` alone) are globally reachable."""
    highest = first if last is None else last
    place = bisect_right(_STARTS, highest) - 1
    return place < 0 or _ENDS[place] < first
