"""Fixtures over the small world; loaded by tests/conftest.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.conf import settings
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings

from filings.models import VerificationForm
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Programme
from tests.factories import world


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Every test makes people; Argon2 costs 100 MB and a tenth of a second for each, by intention."""
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"
    with override_settings(PASSWORD_HASHERS=[quick, *settings.PASSWORD_HASHERS]):
        yield


@pytest.fixture(scope="session", autouse=True)
def flush_past_append_only() -> None:
    """Emptying the tables after a test with real commits is the one TRUNCATE the append-only triggers let through."""
    plain = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, style: Any, tables: Sequence[str], **kwargs: Any) -> list[str]:
        # The partitioned table of forms is no managed model, so Django does not name it.
        statements = plain(self, style, [*tables, VerificationForm._meta.db_table], **kwargs)
        role = "SET session_replication_role = "
        return [f"{role}replica", *statements, f"{role}origin"] if statements else statements

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]


@pytest.fixture
def programme(db: None) -> Programme:
    return world.install()


@pytest.fixture
def ministry_officer(programme: Programme) -> Actor:
    return world.ministry(Role.MINISTRY_OFFICER)


@pytest.fixture
def ministry_approver(programme: Programme) -> Actor:
    return world.ministry(Role.MINISTRY_APPROVER)


@pytest.fixture
def bureau_reviewer(programme: Programme) -> Actor:
    return world.bureau(Role.BUREAU_REVIEWER)


@pytest.fixture
def bureau_lead(programme: Programme) -> Actor:
    return world.bureau(Role.BUREAU_LEAD)


@pytest.fixture
def provider(programme: Programme) -> Actor:
    return world.provider()


@pytest.fixture
def assessors(programme: Programme) -> list[Actor]:
    """Three assessors of three agencies."""
    return [world.assessor() for _ in range(3)]
