"""Calls whose arguments stand apart from them, and what all calls together may hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from filings.models import UploadJob
from filings.v3 import in_flight
from tests.filings.v3_service.client import System

pytestmark = pytest.mark.django_db


def test_a_system_that_writes_by_section_5(
    system: System, document: Any, filing: Any, work: Callable[[], None]
) -> None:
    axis = System(**{**system.__dict__, "encoded": True})
    assert axis.upload(1, document(filing(1))).code == 0
    assert axis.but(ispId="99").upload(2, document(filing(2))).code == 13
    assert axis.but(pwdHash="x").upload(2, document(filing(2))).code == 5
    work()
    reply = axis.download()
    assert axis.open(reply).count(b"<Jgdm>1060</Jgdm>") == 1
    assert axis.acknowledge(reply.value("fileInfos/return_FileName")).code == 1


def test_calls_together_hold_no_more_than_their_share(
    system: System, document: Any, filing: Any, work: Callable[[], None], monkeypatch: Any
) -> None:
    content = document(filing(1))
    assert system.upload(1, content).code == 0
    size = UploadJob.unscoped.get().size
    callers, strangers = in_flight.Budget(2 * size), in_flight.Budget(2 * size)
    monkeypatch.setattr(in_flight, "CALLERS", callers)
    monkeypatch.setattr(in_flight, "STRANGERS", strangers)
    monkeypatch.setattr(in_flight, "FREE", 0)
    axis = System(**{**system.__dict__, "encoded": True})
    callers.take(2 * size)  # another call's
    busy = (system.upload(2, content), axis.upload(2, content), system.previous())
    assert [reply.code for reply in busy] == [15] * 3
    callers.give_back(2 * size)
    assert (system.upload(2, content).code, system.open(system.previous())) == (0, content)
    assert system.but(pwdHash="x").upload(3, content).code == 5
    assert system.post(b"<x/>", "text/xml")[0] == 500
    assert (callers.left, strangers.left) == (2 * size, 2 * size)
    strangers.take(2 * size)
    assert axis.upload(3, content).code == 15
    monkeypatch.setattr(
        in_flight, "FREE", 64 * 1024
    )  # what comes with the head of a call is not theirs to use up
    assert system.upload(3, content).code == 0
