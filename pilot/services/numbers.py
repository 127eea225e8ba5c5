"""Readable numbers without gaps inside a series; given out in the transaction that uses them."""

from pilot.models import NumberSequence


def next_in(series: str) -> int:
    """The next number of a series, starting at 1. Two transactions never get the same one."""
    NumberSequence.objects.get_or_create(series=series)
    row = NumberSequence.objects.select_for_update().get(series=series)
    row.last += 1
    row.save(update_fields=["last"])
    return row.last
