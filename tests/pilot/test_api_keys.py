"""API keys: shown once and kept nowhere, worthless at once when revoked, two per purpose however many ask."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from filings.models import UploadJob
from pilot import clock
from pilot.actors import Actor
from pilot.api.views import KeyView
from pilot.enums import ApiMode, ApiScope, Role
from pilot.errors import NotPermitted, Refused
from pilot.models import ApiKey, AuditEntry, IdempotentAnswer, Organisation, Person
from pilot.services import api_keys, idempotency
from pilot.tasks import tidy_answers
from tests.applications.test_races import at_once
from tests.factories import world
from tests.filings import builders
from tests.filings.api.caller import Caller, forms, issued

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def unit(programme: Any, provider: Actor) -> Any:
    """A pilot unit; business time is the morning of 1 July 2019, security time is real."""
    enrolled = builders.enrol(programme, provider)
    world.at("2019-07-01 09:00")
    return enrolled


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def wanted(**fields: Any) -> dict[str, Any]:
    """The form of a new key as a browser sends it."""
    day = (clock.security_now() + timedelta(days=90)).date()
    return {"name": "业务系统", "mode": "live", "scopes": ApiScope.values, "expires_at": day, **fields}


def create(actor: Actor, **fields: Any) -> Any:
    return browser(actor).post(reverse("api_key_create"), wanted(**fields))


def status(secret: str, **extra: Any) -> int:
    """What the API answers to a key."""
    return Client().get("/api/v1/unit/", headers={"Authorization": f"Bearer {secret}"}, **extra).status_code


# --- the page ---------------------------------------------------------------------------------------
def secret_on(page: Any) -> str:
    text: str = page.content.decode()
    return text.split('id="secret" value="')[1].split('"')[0]


def test_a_key_is_shown_once_and_kept_nowhere(
    unit: Any, provider: Actor, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    page = create(provider, networks="127.0.0.1\n2001:db8::/32")
    secret, key = secret_on(page), ApiKey.unscoped.get()
    kept_by_browsers = "no-store" not in page["Cache-Control"]
    assert (page.status_code, kept_by_browsers) == (200, False)
    assert page.content.decode().count(secret) == 1
    assert (key.mode, key.networks, key.created_by_id) == (
        "live",
        ["127.0.0.1/32", "2001:db8::/32"],
        provider.person_id,
    )
    assert status(secret) == 200
    later = browser(provider).get(reverse("api_key_list")).content.decode()
    assert (key.prefix in later, later.count(secret), later.count(key.digest)) == (True, 0, 0)
    # No table, no log line and no output holds the key, or its random part.
    random = secret.removeprefix(f"{key.prefix}_")
    out = capfd.readouterr()
    assert [text.count(random) for text in (caplog.text, out.out, out.err)] == [0, 0, 0]
    held = {name: dump.count(random) for name, dump in dumps().items()}
    assert held == dict.fromkeys(held, 0)
    assert dumps()["pilot_apikey"].count(key.digest) == 1  # the dump does hold what there is


def dumps() -> dict[str, str]:
    """Every table of the database as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class"
            " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        )
        names = [name for (name,) in cursor.fetchall()]
        texts = {}
        for name in names:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{name}\" t")
            texts[name] = cursor.fetchone()[0]
    return texts


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"networks": "10.0.0.0/33"}, "不是 IP 地址或网段"),
        ({"networks": "fe80::1%eth0"}, "不是 IP 地址或网段"),
        ({"scopes": ["everything"]}, "everything"),
        ({"scopes": []}, "必填"),
        ({"expires_at": "2019-07-01"}, "到期时间应在今后 366 天之内"),
        ({"expires_at": "2999-01-01"}, "到期时间应在今后 366 天之内"),
        ({"mode": "both"}, "both"),
    ],
)
def test_a_key_that_is_not_made_says_why_at_its_field(
    unit: Any, provider: Actor, fields: Any, words: str
) -> None:
    page = create(provider, **fields)
    assert (page.status_code, ApiKey.unscoped.count()) == (422, 0)
    [name] = fields
    told = page.content.decode().split(f'id="id_{name}_error"')[1].split("</div>")[0]
    assert words in told


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "请填写密钥名称"),
        ({"scopes": []}, "请至少选择一项权限"),
        ({"scopes": ["everything"]}, "请至少选择一项权限"),
    ],
)
def test_no_key_without_a_name_and_scopes_whoever_asks(
    unit: Any, provider: Actor, fields: dict[str, Any], words: str
) -> None:
    right: dict[str, Any] = {"name": "示例", "mode": "live", "scopes": [ApiScope.values[0]]}
    expires_at = clock.security_now() + timedelta(days=90)
    with pytest.raises(Refused, match=words):
        api_keys.issue(actor=provider, unit=unit, expires_at=expires_at, **(right | fields))
    assert ApiKey.unscoped.count() == 0


def test_a_revoked_key_is_worthless_at_once(unit: Any, provider: Actor) -> None:
    key, secret = (made := issued(unit)).key, made.secret
    client = browser(provider)
    assert status(secret) == 200
    page = client.get(reverse("api_key_revoke", args=[key.pk]))
    assert str(key) in page.content.decode()
    answer = client.post(reverse("api_key_revoke", args=[key.pk]))
    assert (answer["Location"], status(secret)) == (reverse("api_key_list"), 401)
    again = client.post(reverse("api_key_revoke", args=[key.pk]), follow=True)
    assert "该密钥已停用" in again.content.decode()
    entries = AuditEntry.objects.filter(action__startswith="api-key.").order_by("pk")
    assert [(e.action, e.person_id == provider.person_id) for e in entries] == [
        ("api-key.issue", False),
        ("api-key.revoke", True),
    ]


def test_a_key_revoked_while_its_request_arrives_stores_nothing(
    unit: Any, provider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file travels for minutes: whoever revokes the key meanwhile means this request too."""
    made = issued(unit)
    read = KeyView.whole_body

    def arrive(view: KeyView) -> bytes:
        api_keys.revoke(actor=provider, key=made.key)
        return read(view)

    monkeypatch.setattr(KeyView, "whole_body", arrive)
    answer = Caller(made.secret).post("forms/", forms())
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.key")
    assert (answer["WWW-Authenticate"], UploadJob.unscoped.count()) == ('Bearer realm="pilot"', 0)


def test_keys_are_the_affair_of_the_units_administrator(unit: Any, provider: Actor, programme: Any) -> None:
    key = issued(unit).key
    operator = world.person(Organisation.objects.get(pk=unit.organisation_id), Role.PROVIDER_OPERATOR)
    stranger, official = world.provider(), world.ministry(Role.SYSTEM_ADMIN)
    address = reverse("api_key_revoke", args=[key.pk])
    assert [browser(one).post(address).status_code for one in (operator, stranger, official)] == [
        403,
        404,
        403,
    ]
    assert create(stranger).status_code == 404  # not in the register
    for one in (operator, stranger, official):
        with pytest.raises(NotPermitted):
            api_keys.revoke(actor=one, key=key)
    key.refresh_from_db()
    assert key.revoked_at is None


def test_the_list_tells_what_each_key_can_do(unit: Any, provider: Actor) -> None:
    client, address = browser(provider), reverse("api_key_list")
    assert "尚未创建密钥" in client.get(address).content.decode()
    soon = issued(unit, expires_at=clock.security_now() + timedelta(days=2, hours=1), name="快到期").key
    page = client.get(address).content.decode()
    for text in ("快到期", f"{soon.prefix}…", "3 天内到期", "尚未使用", "不限", "正式"):
        assert text in page
    assert reverse("api_docs") in page
    ApiKey.unscoped.filter(pk=soon.pk).update(expires_at=clock.security_now(), last_used_at=soon.created_at)
    page = client.get(address).content.decode()
    assert ("已到期" in page, "天内到期" in page, "尚未使用" in page) == (True, False, False)


def test_the_list_costs_the_same_whatever_its_length(unit: Any, provider: Actor) -> None:
    client, address, costs = browser(provider), reverse("api_key_list"), []
    for more in (1, 2):
        for _n in range(more):
            api_keys.revoke(actor=provider, key=issued(unit).key)
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        costs.append(len(captured))
    assert costs[0] == costs[1]


# --- what opens and what does not -------------------------------------------------------------------
def test_last_use_and_expiry(unit: Any) -> None:
    made = issued(unit)
    assert (made.key.last_used_at, status(made.secret)) == (None, 200)
    made.key.refresh_from_db()
    assert timedelta() <= clock.security_now() - made.key.last_used_at < timedelta(minutes=1)
    ApiKey.unscoped.update(expires_at=clock.security_now())
    assert status(made.secret) == 401


@pytest.mark.parametrize(
    ("networks", "address", "answer"),
    [
        (["192.0.2.0/24"], "192.0.2.255", 200),
        (["192.0.2.0/24"], "192.0.3.0", 401),
        (["192.0.2.7"], "192.0.2.7", 200),
        (["192.0.2.0/24"], "::ffff:192.0.2.7", 200),
        (["192.0.2.0/24"], "::ffff:192.0.3.7", 401),
        (["2001:db8::/32"], "2001:db8:ffff::1", 200),
        (["2001:db8::/32"], "2001:db9::1", 401),
        (["2001:db8::/32"], "192.0.2.7", 401),
        (["192.0.2.0/24", "2001:db8::/32"], "2001:db8::1", 200),
        (["192.0.2.0/24"], "", 401),
        ([], "203.0.113.9", 200),
    ],
)
def test_a_key_opens_only_from_its_networks(
    unit: Any, networks: list[str], address: str, answer: int
) -> None:
    secret = issued(unit, networks=networks).secret
    assert status(secret, REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR="192.0.2.7") == answer


@pytest.mark.parametrize("part", ["prefix", "secret", "mode"])
def test_a_key_is_right_in_every_character(unit: Any, part: str) -> None:
    mode, prefix, rest = issued(unit).secret.split("_", 2)
    other = {
        "prefix": f"{mode}_{'0' * 8}_{rest}",
        "secret": f"{mode}_{prefix}_{rest[:-1]}{'A' if rest[-1] != 'A' else 'B'}",
        "mode": f"test_{prefix}_{rest}",
    }
    assert status(other[part]) == 401


def test_two_of_each_mode_for_rotation(unit: Any) -> None:
    keys = [issued(unit, mode) for mode in ApiMode.values for _n in range(2)]
    for mode in ApiMode.values:
        with pytest.raises(Refused):
            issued(unit, mode)
    assert [status(key.secret) for key in keys] == [200] * 4
    ApiKey.unscoped.filter(pk=keys[0].key.pk).update(expires_at=clock.security_now())
    assert status(issued(unit).secret) == 200


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_get_two_keys(unit: Any, provider: Actor) -> None:
    def ask() -> None:
        api_keys.issue(
            actor=provider,
            unit=unit,
            name="业务系统",
            mode=ApiMode.LIVE,
            scopes=ApiScope.values,
            expires_at=clock.security_now() + timedelta(days=1),
        )

    assert at_once([ask] * 50) == Counter({"done": 2, "condition": 48})
    assert ApiKey.unscoped.count() == AuditEntry.objects.filter(action="api-key.issue").count() == 2


def test_answers_are_forgotten_when_nobody_retries_any_more(unit: Any) -> None:
    """Kept for 48 hours to the moment; the beat forgets older ones, and the key is free again."""
    caller = Caller(issued(unit).secret)
    for key in ("old", "new"):
        caller.post("forms/", [{}], key=key)
    edge = clock.security_now() - idempotency.KEPT_FOR
    IdempotentAnswer.objects.filter(key="old").update(created_at=edge - timedelta(milliseconds=1))
    IdempotentAnswer.objects.filter(key="new").update(created_at=edge + timedelta(minutes=5))
    assert (tidy_answers(), list(IdempotentAnswer.objects.values_list("key", flat=True))) == (1, ["new"])
    from pilot.celery import app

    assert app.conf.beat_schedule["answers-tidy"]["task"] == tidy_answers.name


def test_a_form_sent_again_by_a_reload_makes_no_second_key(unit: Any, provider: Actor) -> None:
    client = browser(provider)
    form = client.get(reverse("api_key_create")).context["page"].form
    sent = wanted(seen=form["seen"].value())
    secret = secret_on(client.post(reverse("api_key_create"), sent))
    again = client.post(reverse("api_key_create"), sent)
    text = again.content.decode()
    assert (again.status_code, ApiKey.unscoped.count(), text.count(secret), "id=\"secret\"" in text) == (
        409, 1, 0, False
    )  # fmt: skip
    assert again.context["page"].intro == (
        "打开创建页面之后本单位已创建密钥，本次提交没有再创建。"
        "密钥只在创建时显示一次，不能再次查看；没有保存的，请在密钥列表中停用后重新创建"
    )
    fresh = client.get(reverse("api_key_create")).context["page"].form["seen"].value()
    assert client.post(reverse("api_key_create"), wanted(seen=fresh)).status_code == 200
    assert ApiKey.unscoped.count() == 2
