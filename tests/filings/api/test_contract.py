"""Whatever is sent, the portal answers as its OpenAPI description says: no 5xx, no undocumented status or shape."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings

from pilot import policy
from pilot.enums import ApiMode, ApiScope
from tests.filings.api.caller import issued

REQUESTS = int(os.environ.get("PILOT_CONTRACT_REQUESTS", "80"))
"""Per role; before a release it is run with 10,000 (docs/intake.md)."""
EXAMPLES = 40
"""Per operation, kind of data and round."""
ROLES = {
    "live key": {"mode": ApiMode.LIVE},
    "test key": {"mode": ApiMode.TEST},
    "key that may only read": {"scopes": [ApiScope.FIGURES]},
    "nobody": None,
}


@pytest.mark.slow
@pytest.mark.timeout(1 + REQUESTS)
@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_the_portal_keeps_what_the_schema_promises(unit: Any, wsgi: Any, settings: Any, role: str) -> None:
    """Schemathesis, in process, with right and with wrong data and every check it has, so many requests a role."""
    import schemathesis
    from schemathesis import GenerationMode

    settings.PILOT_API_RATE = 1_000_000
    key = ROLES[role]
    headers = {} if key is None else {"Authorization": f"Bearer {issued(unit, **key).secret}"}
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", wsgi)
    tried = turn = 0
    while tried < REQUESTS:
        turn += 1
        before = tried
        for result in schema.get_all_operations():
            operation = result.ok()
            for kind in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                tried += answers_as_described(operation.as_strategy(generation_mode=kind), headers, turn)
        assert tried > before + 2 * len(policy.api())


def answers_as_described(cases: Any, headers: dict[str, str], turn: int) -> int:
    """Send cases until enough were answered; returns how many. Raises for the first answer that breaks its word.

    That a body of the right shape is accepted is not promised: what makes a form or a file good is law, not shape.
    """
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    count = 0

    @seed(turn)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def send(case: Any) -> None:
        nonlocal count
        assume(all(value != [] for value in (case.query or {}).values()))  # which would not be sent at all
        count += 1
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    send()
    return count
