"""Webhooks on their way: signed, tried again under one id, given up, paused, replayed, sent once by two workers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F, Q

from pilot import clock
from pilot.actors import Actor
from pilot.enums import Role
from pilot.errors import Refused
from pilot.models import Notice, OutboxMessage, PilotUnit, WebhookDelivery, WebhookEndpoint
from pilot.services import webhook_delivery, webhooks
from pilot.services.webhook_delivery import RETRIES, send_due
from pilot.tasks import send_webhooks, tidy_webhooks
from tests.applications.test_races import at_once
from tests.factories import world
from tests.factories.locks import while_held
from tests.filings import builders
from tests.pilot.webhooks.receiver import Got, Receiver

pytestmark = pytest.mark.django_db
EVENT = "unit.status_changed"
DOCS = Path(__file__).parents[3] / "docs" / "webhooks.md"


def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def documented() -> Any:
    """The function of the documentation with which receivers check a message, as it stands there."""
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102
    return names["verify"]


verify = documented()


def registered(actor: Actor, unit: PilotUnit, receiver: Receiver, *events: str) -> webhooks.Secret:
    return webhooks.register(actor=actor, unit=unit, url=receiver.url, events=events or [EVENT])


def tell(unit: PilotUnit, number: int = 1) -> None:
    for n in range(number):
        webhooks.announce(event=EVENT, to=Q(unit=unit), at=clock.now(), data={"unit": unit.code, "n": n})


def pass_time(delta: timedelta) -> None:
    """As if everything had happened that much earlier."""
    WebhookDelivery.unscoped.update(next_at=F("next_at") - delta)
    WebhookEndpoint.unscoped.update(
        rests_until=F("rests_until") - delta, failing_since=F("failing_since") - delta
    )


def checks(secret: str, got: Got, seconds: int = 0) -> bool:
    """What the documented function says ``seconds`` after the message was sent."""
    return verify(secret, got.headers, got.body, now=int(got.headers["webhook-timestamp"]) + seconds)


def row() -> WebhookDelivery:
    found: WebhookDelivery = WebhookDelivery.unscoped.get()
    return found


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of Standard Webhooks."""
    secret, moment = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330
    made = webhook_delivery.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", moment, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_arrives_signed_by_tls(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    receiver = make(secure=True)
    secret = registered(provider, unit, receiver).secret
    tell(unit)
    assert OutboxMessage.objects.get().target == send_webhooks.name
    assert (send_due(resolve=here), send_due(resolve=here)) == (1, 0)
    (got,) = receiver.got
    assert got.path == "/in?of=pilot"
    assert got.body.decode() == (
        '{"type":"unit.status_changed","timestamp":"2019-07-01T09:00:00+08:00",'
        f'"data":{{"unit":"{unit.code}","n":0}}}}'
    )
    assert abs(clock.security_now().timestamp() - int(got.headers["webhook-timestamp"])) < 30
    assert (row().outcome, row().attempts, row().last_code) == ("delivered", 1, 200)
    assert got.headers["webhook-id"] == row().message_id
    assert [checks(secret, got, seconds) for seconds in (0, 30, -30, 31, -31, 301)] == [True] * 3 + [
        False
    ] * 3
    other = got._replace(body=got.body.replace(b'"n":0', b'"n":1'))
    stale = got._replace(headers={**got.headers, "webhook-timestamp": "1"})
    assert [checks(secret, other), checks(secret, stale), checks("whsec_AAAA", got)] == [False] * 3


def test_a_failing_address_is_tried_again_under_the_same_id(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    receiver = make(500, "noise", 302)
    endpoint = registered(provider, unit, receiver).endpoint
    tell(unit)
    seen = []
    for pause in RETRIES[:3]:
        assert (send_webhooks(), send_webhooks()) == (1, 0)
        wait = row().next_at - clock.security_now()
        assert pause - timedelta(seconds=5) < wait <= pause
        seen.append((row().outcome, row().last_code, row().note))
        pass_time(pause)
    assert seen == [("waiting", 500, ""), ("waiting", None, "protocol"), ("waiting", 302, "")]
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    assert send_webhooks() == 1
    endpoint.refresh_from_db()
    assert (row().outcome, row().attempts, endpoint.failing_since, endpoint.rests_until) == (
        "delivered",
        4,
        None,
        None,
    )
    assert [got.headers["webhook-id"] for got in receiver.got] == [row().message_id] * 4
    assert len({got.body for got in receiver.got}) == 1


def test_after_the_last_retry_it_is_given_up_and_can_be_replayed(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    receiver = make(*[503] * 6)
    secret = registered(provider, unit, receiver).secret
    tell(unit)
    with pytest.raises(Refused, match="仍在发送"):
        webhooks.replay(actor=provider, delivery=row())
    for pause in (*RETRIES, timedelta(days=1)):
        assert send_webhooks() == 1
        pass_time(pause)
    given_up = row()
    assert (given_up.outcome, given_up.attempts, send_webhooks()) == ("given_up", 6, 0)
    again = webhooks.replay(actor=provider, delivery=given_up)
    with pytest.raises(Refused, match="仍在发送"):  # a second press of the button
        webhooks.replay(actor=provider, delivery=given_up)
    assert send_webhooks() == 1
    again.refresh_from_db()
    assert (again.outcome, again.attempts, again.replay) == ("delivered", 1, True)
    first, last = receiver.got[0], receiver.got[-1]
    assert (last.headers["webhook-id"], last.body) == (first.headers["webhook-id"], first.body)
    assert checks(secret, last)


def test_an_address_that_fails_for_days_is_paused_and_its_administrator_told(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    world.person(unit.organisation, Role.PROVIDER_OPERATOR)
    receiver = make(500, 500, 500)
    endpoint = registered(provider, unit, receiver).endpoint
    tell(unit, 3)
    assert send_webhooks() == 1  # the others wait while the address rests
    for days in (timedelta(days=1), timedelta(days=2)):
        pass_time(days)
        assert send_webhooks() == 1
    endpoint.refresh_from_db()
    assert (endpoint.paused, send_webhooks()) == ("failing", 0)
    failing = endpoint.failing_since
    webhooks.change(actor=provider, endpoint=endpoint, url=receiver.url, events=[EVENT, "upload.finished"])
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.rests_until is None) == (failing, False)
    notice = Notice.objects.get()
    assert (notice.person_id, notice.url) == (provider.person_id, f"/webhooks/{endpoint.pk}/")
    assert notice.subject == "事件推送已自动暂停：127.0.0.1 连续 3 天未能送达"
    with pytest.raises(Refused, match="已暂停"):
        webhooks.send_test(actor=provider, endpoint=endpoint)
    tell(unit)
    webhooks.resume(actor=provider, endpoint=endpoint)
    pass_time(timedelta(hours=1))
    assert send_webhooks() == 4
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 4


def test_another_address_begins_without_the_failures_of_the_one_before(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    wrong, right = make(500), make(500)
    endpoint = registered(provider, unit, wrong).endpoint
    tell(unit)
    assert send_webhooks() == 1
    pass_time(timedelta(days=4))
    webhooks.change(actor=provider, endpoint=endpoint, url=right.url, events=[EVENT])
    assert send_webhooks() == 1  # and it does not rest for the other's sake
    endpoint.refresh_from_db()
    assert (len(right.got), endpoint.paused, row().note) == (1, "", "")


def test_an_attempt_at_the_address_before_says_nothing_of_the_new_one(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is changed while a message is on its way to the old one, which fails."""
    receiver = make()
    endpoint = registered(provider, unit, receiver).endpoint
    tell(unit)

    def fail(*args: Any, **kwargs: Any) -> int:
        webhooks.change(actor=provider, endpoint=endpoint, url=f"{receiver.url}/new", events=[EVENT])
        return 500

    monkeypatch.setattr("pilot.outward.post", fail)
    assert send_webhooks() == 1
    endpoint.refresh_from_db()
    assert (row().last_code, endpoint.failing_since, endpoint.rests_until) == (500, None, None)


def test_after_a_rotation_both_secrets_sign_for_a_day(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver], settings: Any
) -> None:
    receiver = make()
    old = registered(provider, unit, receiver)
    new = webhooks.rotate(actor=provider, endpoint=old.endpoint)
    tell(unit)
    settings.PILOT_MASTER_KEY = f"2:another,1:{settings.PILOT_MASTER_KEY}"
    assert (tidy_webhooks(), send_webhooks()) == (0, 1)
    assert [checks(one.secret, receiver.got[0]) for one in (old, new)] == [True, True]
    endpoint = WebhookEndpoint.unscoped.get()
    assert (endpoint.master_version, endpoint.previous_version) == (2, 2)
    settings.PILOT_MASTER_KEY = "2:another"
    WebhookEndpoint.unscoped.update(previous_until=clock.security_now())
    WebhookDelivery.unscoped.update(created_at=clock.security_now() - timedelta(days=31))
    assert tidy_webhooks() == 1
    tell(unit)
    assert send_webhooks() == 1
    assert [checks(one.secret, receiver.got[1]) for one in (old, new)] == [False, True]
    assert WebhookEndpoint.unscoped.get().previous_secret is None
    settings.PILOT_MASTER_KEY = "3:lost"
    tell(unit)
    assert (send_webhooks(), WebhookDelivery.unscoped.first().note) == (1, "secret")


def test_whoever_rotates_again_because_the_secret_never_came_cuts_nobody_off(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver], settings: Any
) -> None:
    receiver = make()
    known = registered(provider, unit, receiver)
    _lost, new = (webhooks.rotate(actor=provider, endpoint=known.endpoint) for _press in range(2))
    tell(unit)
    settings.PILOT_MASTER_KEY = f"2:another,1:{settings.PILOT_MASTER_KEY}"
    assert (tidy_webhooks(), send_webhooks()) == (0, 1)
    assert [checks(one.secret, receiver.got[0]) for one in (known, new)] == [True, True]
    for _press in range(4):
        webhooks.rotate(actor=provider, endpoint=known.endpoint)
    signing = webhooks.secrets_of(WebhookEndpoint.unscoped.get(), at=clock.security_now())
    assert len(signing) == 1 + webhooks.MOST_BEFORE
    settings.PILOT_MASTER_KEY = "3:lost"  # a new secret mends what cannot be read
    newest = webhooks.rotate(actor=provider, endpoint=known.endpoint)
    assert webhooks.secrets_of(WebhookEndpoint.unscoped.get(), at=clock.security_now()) == [newest.secret]


def test_a_secret_that_cannot_be_read_holds_up_nobody_else(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver], settings: Any
) -> None:
    spoiled, sound = make(), make()
    broken = registered(provider, unit, spoiled).endpoint
    secret = registered(provider, unit, sound)
    WebhookEndpoint.unscoped.filter(pk=broken.pk).update(sealed_secret=b"0" * 90)
    tell(unit)
    WebhookDelivery.unscoped.update(created_at=clock.security_now() - timedelta(days=31))
    settings.PILOT_MASTER_KEY = f"2:another,1:{settings.PILOT_MASTER_KEY}"
    assert tidy_webhooks() == 2
    versions = WebhookEndpoint.unscoped.order_by("pk").values_list("master_version", flat=True)
    assert list(versions) == [1, 2]
    assert webhooks.secrets_of(
        WebhookEndpoint.unscoped.get(pk=secret.endpoint.pk), at=clock.security_now()
    ) == [secret.secret]


def test_a_worker_that_dies_leaves_a_message_that_is_made_up_for(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    receiver = make()
    registered(provider, unit, receiver)
    tell(unit)
    lost = webhook_delivery._claim()
    assert (lost is not None, send_webhooks()) == (True, 0)
    pass_time(timedelta(seconds=61))
    assert send_webhooks() == 1
    webhook_delivery._end(lost, 500, "")  # the dead one speaks up after all
    assert (row().outcome, row().attempts) == ("delivered", 2)


def test_an_address_gets_one_attempt_at_a_time(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    """A slow one would have all workers else; the others' messages leave meanwhile."""
    slow, other = make(), make()
    registered(provider, unit, slow), registered(provider, unit, other)
    tell(unit, 3)
    under_way = webhook_delivery._claim()
    assert (under_way is not None, send_webhooks(), len(slow.got), len(other.got)) == (True, 3, 0, 3)
    webhook_delivery._end(under_way, 200, "")
    assert (send_webhooks(), len(slow.got)) == (2, 2)


def test_what_passes_are_posted_at_once_is_one(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    registered(provider, unit, make())
    tell(unit, 12)
    assert [message.target for message in OutboxMessage.objects.all()] == [send_webhooks.name]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_moment_do_not_take_one_address(make: Callable[..., Receiver]) -> None:
    programme, receiver = world.install(), make()
    admin = world.provider()
    unit = builders.enrol(programme, admin)
    registered(admin, unit, receiver)
    tell(unit, 2)
    claimed: list[WebhookDelivery | None] = []

    def claim() -> None:
        claimed.append(webhook_delivery._claim())

    assert while_held(claim, claim) is None
    assert claimed == [WebhookDelivery.unscoped.earliest("pk"), None]


def test_an_address_removed_under_way_ends_its_messages(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    endpoint = registered(provider, unit, make()).endpoint
    tell(unit)
    under_way = webhook_delivery._claim()
    assert under_way is not None
    webhooks.remove(actor=provider, endpoint=endpoint)
    webhook_delivery._end(under_way, 200, "")
    assert (WebhookEndpoint.unscoped.count(), WebhookDelivery.unscoped.count()) == (0, 0)


def test_an_address_is_kept_within_bounds(
    unit: PilotUnit, provider: Actor, make: Callable[..., Receiver]
) -> None:
    receiver = make()
    endpoint = registered(provider, unit, receiver).endpoint
    for url, events, why in (
        (receiver.url, [EVENT], "已登记"),
        (f"{receiver.url}/2", [], "至少选择"),
        (f"{receiver.url}/2", ["form.stored"], "至少选择"),
        ("https://10.0.0.1/", [EVENT], "内网"),
    ):
        with pytest.raises(Refused, match=why):
            webhooks.register(actor=provider, unit=unit, url=url, events=events)
    for n in range(webhooks.MOST - 1):
        webhooks.register(actor=provider, unit=unit, url=f"{receiver.url}/{n}", events=[EVENT])
    with pytest.raises(Refused, match="最多"):
        webhooks.register(actor=provider, unit=unit, url=f"{receiver.url}/9", events=[EVENT])
    webhooks.remove(actor=provider, endpoint=endpoint)
    with pytest.raises(Refused, match="已删除"):
        webhooks.rotate(actor=provider, endpoint=endpoint)


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_message_once(make: Callable[..., Receiver]) -> None:
    programme, receiver = world.install(), make()
    admin = world.provider()
    unit = builders.enrol(programme, admin)
    registered(admin, unit, receiver)
    tell(unit, 20)
    assert at_once([send_due, send_due]) == {"done": 2}
    sent = [got.headers["webhook-id"] for got in receiver.got]
    assert (len(sent), len(set(sent))) == (20, 20)
    assert set(WebhookDelivery.unscoped.values_list("outcome", "attempts")) == {("delivered", 1)}
    assert [json.loads(got.body)["type"] for got in receiver.got] == [EVENT] * 20


@pytest.mark.django_db(transaction=True)
def test_an_address_removed_at_the_same_moment_spoils_nobodys_act(make: Callable[..., Receiver]) -> None:
    """Whichever comes first: the act that is told of is done, and nothing is left of the address."""
    programme, receiver = world.install(), make()
    admin = world.provider()
    unit = builders.enrol(programme, admin)

    def remove(endpoint: WebhookEndpoint) -> None:
        webhooks.remove(actor=admin, endpoint=endpoint)

    for told_first in (True, False):
        endpoint = registered(admin, unit, receiver).endpoint
        acts = [lambda: tell(unit), partial(remove, endpoint)]
        assert while_held(*(acts if told_first else reversed(acts))) is None
        assert (WebhookEndpoint.unscoped.count(), WebhookDelivery.unscoped.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_two_addresses_do_not_become_one_at_the_same_moment(make: Callable[..., Receiver]) -> None:
    programme, receiver = world.install(), make()
    admin = world.provider()
    unit = builders.enrol(programme, admin)
    ones = [
        webhooks.register(actor=admin, unit=unit, url=f"{receiver.url}/{n}", events=[EVENT]).endpoint
        for n in (1, 2)
    ]
    first, second = (
        partial(webhooks.change, actor=admin, endpoint=one, url=f"{receiver.url}/3", events=[EVENT])
        for one in ones
    )
    assert while_held(first, second) is Refused
