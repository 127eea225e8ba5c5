"""What the programme asks of the figures."""

from __future__ import annotations

from filings.accuracy import thresholds
from filings.accuracy.thresholds import Threshold
from pilot.models import Programme
from pilot.selectors import programmes


def targets(programme: Programme) -> tuple[Threshold, Threshold]:
    """The programme's thresholds of M1 and M2 (87号 一（一）、一（二） where it sets none of its own)."""
    return (
        _target(programme, "identity_accuracy", thresholds.M1),
        _target(programme, "form_accuracy", thresholds.M2),
    )


def _target(programme: Programme, key: str, default: Threshold) -> Threshold:
    value = programmes.rule(programme, key)
    return Threshold(allowed=value["errors"], per=value["out_of"]) if value else default
