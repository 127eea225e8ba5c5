"""Whatever is sent, the portal answers as its OpenAPI description says: no 5xx, no undocumented status or shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pilot.enums import ApiMode
from tests.filings.api.caller import issued

EXAMPLES = 40
"""Per operation, kind of data and key."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.django_db
@pytest.mark.parametrize("mode", ApiMode.values)
def test_the_portal_keeps_what_the_schema_promises(unit: Any, wsgi: Any, settings: Any, mode: str) -> None:
    """Schemathesis, in process, with right and with wrong data and every check it has."""
    import schemathesis
    from schemathesis import GenerationMode

    settings.PILOT_API_RATE = 1_000_000
    headers = {"Authorization": f"Bearer {issued(unit, mode).secret}"}
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", wsgi)
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        for kind in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            tried += answers_as_described(operation.as_strategy(generation_mode=kind), headers)
    assert tried > 0


def answers_as_described(cases: Any, headers: dict[str, str]) -> int:
    """Send cases until enough were answered; returns how many. Raises for the first answer that breaks its word.

    That a body of the right shape is accepted is not promised: what makes a form or a file good is law, not shape.
    """
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    count = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def send(case: Any) -> None:
        nonlocal count
        count += 1
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    send()
    return count
