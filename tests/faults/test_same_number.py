"""Two units number their forms alike: each has its own, and neither hears of the other's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from filings.models import VerificationForm
from tests.factories import world
from tests.filings import builders
from tests.filings.api.caller import Caller, forms, issued

ROWS, PATIENCE = 3, 60


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_units_send_the_same_numbers_at_once(unit: Any, programme: Any) -> None:
    """The same forms under the same key at the same moment; then each sends them again, and one of them changed."""
    world.at("2019-05-20 09:00")
    other = builders.enrol(programme, world.provider(), since="2019-05-20 00:00")
    world.at("2019-07-01 09:00")
    rows, together = forms(ROWS), Barrier(2)
    secrets = [issued(each).secret for each in (unit, other)]

    def send(secret: str) -> Any:
        together.wait(PATIENCE)
        try:
            return Caller(secret).post("forms/", rows, key="same").json()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first = list(pool.map(send, secrets))
    assert [(told["accepted"], told["duplicates"], told["rejected"]) for told in first] == [(ROWS, 0, [])] * 2
    again = [Caller(secret).post("forms/", rows, key="again").json() for secret in secrets]
    assert [(told["accepted"], told["duplicates"]) for told in again] == [(0, ROWS)] * 2
    changed = {**rows[0], "verifier_name": "示例改"}
    told = Caller(secrets[1]).post("forms/", changed).json()
    assert [error["code"] for row in told["rejected"] for error in row["errors"]] == ["form_no.conflict"]
    for each in (unit, other):
        numbers = VerificationForm.unscoped.filter(unit=each).values_list("form_no", flat=True)
        assert sorted(numbers) == sorted(row["form_no"] for row in rows)
