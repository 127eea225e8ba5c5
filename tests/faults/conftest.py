"""Faults are tried on the run phase's small world."""

from tests.filings.conftest import unit

__all__ = ["unit"]
