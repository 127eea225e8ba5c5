"""The pages: a secret is shown once and kept nowhere in clear, the log says what became of each message."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import NotPermitted
from pilot.models import AuditEntry, Person, PilotUnit, WebhookDelivery, WebhookEndpoint
from pilot.services import webhooks
from pilot.tasks import send_webhooks
from tests.factories import world
from tests.pilot.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ACTS = ("detail", "change", "rotate", "pause", "resume", "test", "remove")
URL = "https://hooks.example.cn/in?key=own-secret"


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    return client


def secret_on(page: Any) -> str:
    text: str = page.content.decode()
    return text.split('id="secret" value="')[1].split('"')[0]


def test_from_registration_to_removal(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client, receiver = browser(provider), make(500)
    wanted = {"url": receiver.url, "events": ["upload.finished", "unit.status_changed"]}
    assert client.post(reverse("webhook_create"), {**wanted, "url": "https://10.1.1.1/"}).status_code == 422
    page = client.post(reverse("webhook_create"), wanted)
    secret, endpoint = secret_on(page), WebhookEndpoint.unscoped.get()
    kept = {"max-age=0", "no-cache", "no-store", "must-revalidate", "private"}
    assert (page.status_code, set(page["Cache-Control"].split(", ")), len(secret)) == (200, kept, 50)

    def act(name: str, **data: Any) -> Any:
        address = reverse(f"webhook_{name}", args=[endpoint.pk])
        assert client.get(address).status_code == 200
        return client.post(address, data, follow=True)

    rotated = secret_on(act("rotate"))
    assert act("change", url=receiver.url, events=["unit.status_changed"]).status_code == 200
    assert "测试消息已进入发送队列" in act("test").content.decode()
    assert send_webhooks() == 1
    assert "没有暂停" in act("resume").content.decode()
    assert "已由管理员暂停" in act("pause").content.decode()
    assert "该地址已暂停" in act("pause").content.decode()
    assert "恢复推送" in act("resume").content.decode()
    WebhookDelivery.unscoped.update(outcome="given_up")
    again = reverse("webhook_replay", args=[WebhookDelivery.unscoped.get().pk])
    assert client.get(again).status_code == 200
    log = client.post(again, follow=True).content.decode()
    assert [text in log for text in ("测试消息（重发）", "已放弃", "1 / 6", ">500<", "待发送")] == [True] * 5
    assert send_webhooks() == 1
    assert [got.headers["webhook-id"] for got in receiver.got] == [
        WebhookDelivery.unscoped.latest("pk").message_id
    ] * 2
    whole = [*AuditEntry.objects.values_list("detail", flat=True), caplog.text, log]
    assert [one for one in (secret, rotated) if one in str(whole)] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pilot_webhookendpoint::text FROM pilot_webhookendpoint")
        stored = str(cursor.fetchall())
    assert [one for one in (secret, rotated) if one in stored or one[6:].encode().hex() in stored] == []
    assert "已删除接收地址" in act("remove").content.decode()
    assert (WebhookEndpoint.unscoped.count(), WebhookDelivery.unscoped.count()) == (0, 0)
    acts = AuditEntry.objects.filter(action__startswith="webhook.").order_by("pk")
    assert list(acts.values_list("action", flat=True)) == [
        *("webhook.register", "webhook.rotate", "webhook.change", "webhook.test"),
        *("webhook.pause", "webhook.resume", "webhook.replay", "webhook.remove"),
    ]
    said = set(acts.values_list("outcome", "person_id", "object_type", "object_id"))
    assert said == {("done", provider.person_id, "webhookendpoint", str(endpoint.pk))}


def test_nobody_else_gets_near_an_address(unit: PilotUnit, provider: Actor) -> None:
    endpoint = webhooks.register(actor=provider, unit=unit, url=URL, events=["unit.status_changed"]).endpoint
    webhooks.announce(event="unit.status_changed", to=Q(unit=unit), at=clock.now(), data={})
    delivery, stranger = WebhookDelivery.unscoped.get(), world.provider()
    addresses = [
        *[reverse(f"webhook_{name}", args=[endpoint.pk]) for name in ACTS],
        reverse("webhook_replay", args=[delivery.pk]),
    ]
    foreign = browser(stranger)
    assert {(foreign.get(at).status_code, foreign.post(at).status_code) for at in addresses[1:]} == {
        (404, 404)
    }
    assert foreign.get(addresses[0]).status_code == 404
    assert "hooks.example.cn" not in foreign.get(reverse("webhook_list")).content.decode()
    assert foreign.get(reverse("webhook_create")).status_code == 404  # no pilot unit
    for actor in (stranger, world.person(unit.organisation, Role.PROVIDER_OPERATOR)):
        with pytest.raises(NotPermitted):
            webhooks.rotate(actor=actor, endpoint=endpoint)
    details = AuditEntry.objects.filter(action="webhook.register").values_list("detail", flat=True)
    assert list(details) == [{"host": "hooks.example.cn"}]  # the rest of the address may be a secret


def test_list_and_log_cost_the_same_however_long(unit: PilotUnit, provider: Actor) -> None:
    def grow(number: int) -> None:
        for _n in range(number):
            url = f"{URL}{WebhookEndpoint.unscoped.count()}"
            webhooks.register(actor=provider, unit=unit, url=url, events=["unit.status_changed"])
            webhooks.announce(event="unit.status_changed", to=Q(unit=unit), at=clock.now(), data={})

    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(url).status_code == 200
        return len(caught)

    grow(1)
    client, first = browser(provider), WebhookEndpoint.unscoped.get()
    pages = [reverse("webhook_list"), reverse("webhook_detail", args=[first.pk])]
    client.get(pages[0])  # fills per-process caches
    before = [queries(page) for page in pages]
    grow(2)
    assert first.deliveries.count() == 3
    assert [queries(page) for page in pages] == before


def test_a_form_sent_again_by_a_reload_names_and_rotates_once(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    client, create = browser(provider), reverse("webhook_create")
    seen = client.get(create).context["page"].form["seen"].value()
    sent = {"url": make(200).url, "events": ["upload.finished"], "seen": seen}
    secret = secret_on(client.post(create, sent))
    again = client.post(create, sent)
    endpoint = WebhookEndpoint.unscoped.get()
    lost = "签名密钥只显示一次，不能再次查看；没有保存的，请打开该地址轮换密钥"
    assert (again.status_code, again.context["page"].intro, secret in again.content.decode()) == (
        409,
        f"打开登记页面之后本单位已登记接收地址，本次提交没有再登记。{lost}",
        False,
    )

    rotate = reverse("webhook_rotate", args=[endpoint.pk])
    sent = {"seen": client.get(rotate).context["page"].form["seen"].value()}
    rotated = secret_on(client.post(rotate, sent))
    endpoint.refresh_from_db()
    again = client.post(rotate, sent)
    kept = WebhookEndpoint.unscoped.get()
    assert (again.status_code, again.context["page"].intro, rotated in again.content.decode()) == (
        409,
        f"打开轮换页面之后密钥已经轮换，本次提交没有再轮换。{lost}",
        False,
    )
    assert kept.secret_at == endpoint.secret_at
    fresh = client.get(rotate).context["page"].form["seen"].value()
    assert secret_on(client.post(rotate, {"seen": fresh})) != rotated
