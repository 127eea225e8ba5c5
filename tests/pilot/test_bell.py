"""The bell on every page: how many notices wait to be read by this person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pilot import clock, context
from pilot.actors import Actor
from pilot.models import Notice, Programme

pytestmark = pytest.mark.django_db


def tell(actor: Actor, number: int, *, later: bool = False, read: bool = False) -> None:
    now = clock.security_now()
    Notice.objects.bulk_create(
        Notice(
            person_id=actor.person_id,
            subject="示例",
            url="/",
            at=now,
            visible_from=now + timedelta(hours=1) if later else now,
            read_at=now if read else None,
        )
        for _ in range(number)
    )


@pytest.mark.parametrize(("number", "shown"), [(0, ""), (1, "1"), (99, "99"), (100, "99+"), (250, "99+")])
def test_it_counts_to_ninety_nine(
    programme: Programme, ministry_officer: Actor, provider: Actor, number: int, shown: str
) -> None:
    tell(ministry_officer, number)
    tell(ministry_officer, 2, read=True)
    tell(ministry_officer, 3, later=True)
    tell(provider, 5)
    assert context.unread(ministry_officer) == shown
