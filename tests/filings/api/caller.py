"""A unit's system as the API sees it."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from django.test import Client

from pilot import clock
from pilot.enums import ApiMode, ApiScope, Role
from pilot.models import Organisation, PilotUnit
from pilot.services import api_keys
from tests.factories import world

SAMPLES = Path(__file__).parents[2] / "fixtures" / "samples"
_serial = count(1)


def admin_of(unit: PilotUnit) -> Any:
    """An administrator of the unit's organisation."""
    return world.person(Organisation.objects.get(pk=unit.organisation_id), Role.PROVIDER_ADMIN)


def issued(unit: PilotUnit, mode: str = ApiMode.LIVE, **fields: Any) -> api_keys.Issued:
    """A new key of the unit."""
    wanted = {
        "name": "业务系统",
        "scopes": ApiScope.values,
        "expires_at": clock.security_now() + timedelta(days=30),
        **fields,
    }
    return api_keys.issue(actor=admin_of(unit), unit=unit, mode=mode, **wanted)


def forms(number: int = 1) -> list[dict[str, Any]]:
    """The first good forms of the sample file."""
    lines = (SAMPLES / "forms.ndjson").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:number]]


class Caller:
    """Sends requests with one key."""

    def __init__(self, secret: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.secret = secret

    def headers(self, extra: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}", **extra}

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=self.headers(headers))

    def post(
        self,
        path: str,
        content: Any,
        *,
        key: str | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """Post with an ``Idempotency-Key`` of its own unless one is given ("" for none)."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        chosen = f"key-{next(_serial)}" if key is None else key
        extra = {"Idempotency-Key": chosen} if chosen else {}
        return self.client.post(
            f"/api/v1/{path}", body, content_type=content_type, headers=self.headers({**extra, **headers})
        )
