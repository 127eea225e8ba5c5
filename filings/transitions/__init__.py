"""State changes of the run phase: what each transition requires and what it brings about; one file per aggregate."""

from filings.transitions import (
    alerts,
    bulletins,
    coordination,
    counted,
    faq,
    findings,
    inspections,
    rectifications,
    sanctions,
    uploads,
)

__all__ = [
    "alerts",
    "bulletins",
    "coordination",
    "counted",
    "faq",
    "findings",
    "inspections",
    "rectifications",
    "sanctions",
    "uploads",
]
