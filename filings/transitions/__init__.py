"""State changes of the run phase: what each transition requires and what it brings about; one file per aggregate."""

from filings.transitions import (
    bulletins,
    coordination,
    findings,
    inspections,
    rectifications,
    sanctions,
    uploads,
)

__all__ = ["bulletins", "coordination", "findings", "inspections", "rectifications", "sanctions", "uploads"]
