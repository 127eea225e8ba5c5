"""Every API address, method and kind of caller: the exact status and code; what the policy does not name is closed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from filings.models import UploadJob
from filings.services import uploads
from pilot import clock, policy
from pilot.enums import ApiMode, ApiScope
from pilot.models import ApiKey
from pilot.services import api_keys
from tests.factories import world
from tests.filings import builders
from tests.filings.api.caller import admin_of, forms, issued

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
WITH_JOB = {"api_upload", "api_upload_rejects"}

OPENED = {
    ("api_forms", "POST"): 200,
    ("api_upload_list", "GET"): 200,
    ("api_upload_list", "POST"): 202,
    ("api_upload", "GET"): 200,
    ("api_upload_rejects", "GET"): 200,
    ("api_accuracy", "GET"): 200,
    ("api_findings", "GET"): 200,
    ("api_rectifications", "GET"): 200,
    ("api_unit", "GET"): 200,
}
"""What a key that may gets, by hand; whatever is missing here is closed to every key."""


def api_urls(patterns: Any = None, below: str = "") -> dict[str, str]:
    """Name → route of every address below ``/api/v1/``."""
    found: dict[str, str] = {}
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = below + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found |= api_urls(entry.url_patterns, route)
        elif isinstance(entry, URLPattern) and route.startswith("api/v1/"):
            found[str(entry.name)] = route
    return found


def test_every_api_address_stands_in_the_policy() -> None:
    assert sorted(api_urls()) == sorted(policy.api())


def test_every_row_of_the_policy_has_its_answer_here() -> None:
    rows = {(name, method) for name, methods in policy.api().items() for method in methods}
    assert rows == OPENED.keys()


@pytest.fixture
def unit(programme: Any, provider: Any) -> Any:
    """A pilot unit; business time is the morning of 1 July 2019."""
    enrolled = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    return enrolled


@pytest.fixture
def world_of_keys(
    unit: Any, programme: Any, settings: Any, tmp_path: Path
) -> tuple[dict[str, str | None], dict[str, str]]:
    """Every kind of caller with its key, and the id of a job with a refused row of each unit."""
    settings.VAR = tmp_path
    world.at("2019-05-20 09:00")
    other = builders.enrol(programme, world.provider(), since="2019-05-20 00:00")
    world.at("2019-07-01 09:00")
    revoked = issued(unit)
    api_keys.revoke(actor=admin_of(unit), key=revoked.key)
    expired, foreign = issued(unit), issued(unit, networks=["192.0.2.0/24", "2001:db8::/32"])
    past = clock.security_now() - timedelta(days=1)
    ApiKey.unscoped.filter(pk=expired.key.pk).update(created_at=past - timedelta(days=1), expires_at=past)
    callers: dict[str, str | None] = {
        "no key": None,
        "nonsense": "live_12345678_nonsense",
        "revoked": revoked.secret,
        "expired": expired.secret,
        "foreign network": foreign.secret,
        "test": issued(unit, ApiMode.TEST).secret,
        "live": issued(unit).secret,
        "other unit": issued(other).secret,
    }
    return callers, {"own": _job(unit), "other": _job(other)}


def _job(unit: Any) -> str:
    actor, rows = admin_of(unit), json.dumps({"form_no": "BAD-0001"}).encode()
    waiting = uploads.take_in(_Bytes(rows))
    job = uploads.receive_waiting(actor=actor, unit=unit, waiting=waiting, name="bad.ndjson", format="ndjson")
    uploads.process(job_id=job.pk)
    return str(UploadJob.unscoped.get(pk=job.pk).case_key)


class _Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        piece, self._content = self._content[:size], self._content[size:]
        return piece


def ask(client: Client, name: str, method: str, secret: str | None, job: str) -> tuple[int, str]:
    """Status and code of the answer; a good one has no code."""
    address = reverse(name, kwargs={"key": job} if name in WITH_JOB else {})
    headers = {"Idempotency-Key": f"{name}-{method}-{secret}"[:255]}
    if secret is not None:
        headers["Authorization"] = f"Bearer {secret}"
    content = json.dumps(forms()[0])
    kind = "application/json" if name == "api_forms" else "application/x-ndjson"
    body = () if method in {"GET", "HEAD", "OPTIONS"} else (content, kind)
    response = client.generic(method, address, *body, headers=headers)
    if method == "HEAD":
        return response.status_code, ""
    problem = response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"] if problem else ""


def expected(name: str, method: str, kind: str) -> tuple[int, str]:
    """What the policy and the kind of caller call for."""
    code: tuple[int, str]
    opened = OPENED.get((name, "GET" if method == "HEAD" else method))
    if kind in {"no key", "nonsense", "revoked", "expired", "foreign network"}:
        code = 401, "auth.key"
    elif opened is None:
        code = 405, "method"
    elif kind == "missing scope":
        code = 403, "auth.scope"
    elif kind == "other unit" and name in WITH_JOB:
        code = 404, "not.found"
    else:
        code = opened, ""
    return (code[0], "") if method == "HEAD" else code


def wrong_answers(
    keys: tuple[dict[str, str | None], dict[str, str]], methods: Callable[[str, str], Iterable[str]]
) -> list[Any]:
    """Every address asked by every caller with the methods chosen for them: what was not answered as expected."""
    callers, jobs = keys
    client = Client(raise_request_exception=False)
    return [
        (name, method, kind, got, right)
        for name in api_urls()
        for kind, secret in callers.items()
        for method in methods(name, kind)
        if (got := ask(client, name, method, secret, jobs["own"])) != (right := expected(name, method, kind))
    ]


def test_every_caller_by_what_the_policy_names(
    world_of_keys: tuple[dict[str, str | None], dict[str, str]], settings: Any
) -> None:
    settings.PILOT_API_RATE = 10_000
    assert wrong_answers(world_of_keys, lambda name, _kind: policy.api()[name]) == []


@pytest.mark.slow
def test_every_caller_with_every_method(
    world_of_keys: tuple[dict[str, str | None], dict[str, str]], settings: Any
) -> None:
    settings.PILOT_API_RATE = 10_000
    assert wrong_answers(world_of_keys, lambda _name, _kind: METHODS) == []


def test_a_key_without_the_scope(unit: Any, settings: Any, tmp_path: Path) -> None:
    settings.VAR, settings.PILOT_API_RATE = tmp_path, 10_000
    client, job = Client(raise_request_exception=False), _job(unit)
    keys = {scope: issued(unit, scopes=[scope]).secret for scope in ApiScope.values}
    wrong = []
    for name in api_urls():
        for method in METHODS:
            for scope, secret in keys.items():
                needed = policy.api()[name].get("GET" if method == "HEAD" else method)
                kind = "live" if scope == needed else "missing scope"
                got = ask(client, name, method, secret, job)
                if got != expected(name, method, kind):
                    wrong.append((name, method, scope, got))
    assert wrong == []


def test_a_new_address_without_a_row_is_closed(
    world_of_keys: tuple[dict[str, str | None], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Default deny at run time, too: no scope opens what the policy does not name."""
    named: Callable[[], dict[str, dict[str, str]]] = policy.api
    less = {name: methods for name, methods in named().items() if name != "api_unit"}
    monkeypatch.setattr(policy, "api", lambda: {**less, "api_unit": {}})
    callers, jobs = world_of_keys
    client = Client(raise_request_exception=False)
    assert ask(client, "api_unit", "GET", callers["live"], jobs["own"]) == (403, "auth.scope")
