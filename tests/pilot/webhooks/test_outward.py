"""Requests to addresses outsiders name: never to a private one, never longer than the deadline, never a redirect."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from time import monotonic
from typing import Any

import pytest

from pilot import outward
from pilot.errors import Refused
from tests.pilot.webhooks.receiver import HOST, Receiver

# fmt: off
FORBIDDEN = [
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.9.9.9", "0.0.0.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.0.8", "192.0.2.1", "198.18.0.1", "192.88.99.1", "224.0.0.1",
    "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "2001::1", "2001:db8::1", "2002:a00:1::1",
]
# fmt: on


def send(url: str, *, resolve: Any = outward.system_resolver, seconds: float = 10) -> int | str:
    """The status, or why there was none."""
    headers = {"Content-Type": "application/json"}
    try:
        return outward.post(
            outward.target(url), body=b"{}", headers=headers, resolve=resolve, seconds=seconds
        )
    except outward.Unreachable as fault:
        return fault.reason


def here(host: str, port: int) -> list[str]:
    """A resolver by which every name is this machine."""
    return ["127.0.0.1"]


def test_only_public_addresses_are_permitted() -> None:
    assert [text for text in FORBIDDEN if outward.permitted(ip_address(text))] == []
    assert outward.permitted(ip_address("8.8.8.8"))
    assert outward.permitted(ip_address("2400:3200::1"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.cn/", "https"),
        ("ftp://hooks.example.cn/", "https"),
        ("https://hooks.example.cn:22/", "443"),
        ("https://hooks.example.cn:99999/", "格式"),
        ("https:///in", "格式"),
        ("https://me:word@hooks.example.cn/", "格式"),
        ("https://hooks.example.cn/#here", "格式"),
        ("https://hooks.example.cn/a b", "格式"),
        ("https://hooks.example.cn/" + "a" * 500, "格式"),
        ("https://[::1/", "格式"),
        *[
            (f"https://{host}/", "内网")
            for host in (
                "localhost", "api.localhost", "LOCALHOST.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1",
                "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254", "10.0.0.1",
            )
        ],
    ],
)  # fmt: skip
def test_an_address_that_may_never_be_called_is_refused_in_words(url: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        outward.target(url)


def test_what_a_url_says() -> None:
    assert outward.target("https://例子.example.cn:8443?a=1") == outward.Target(
        True, "xn--fsqu00a.example.cn", 8443, "/?a=1"
    )
    assert outward.target(f"https://{HOST}/in").authority == HOST
    assert outward.target("https://[2400:3200::1]:8443/").authority == "[2400:3200::1]:8443"


@pytest.mark.parametrize(
    "found", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1%1"]]
)
def test_a_name_that_leads_inside_is_not_called(found: list[str]) -> None:
    assert send(f"https://{HOST}/in", resolve=lambda host, port: found) == "address"


def test_plain_http_never_leaves_this_machine(make: Callable[..., Receiver]) -> None:
    assert send(f"http://{HOST}/in", resolve=lambda host, port: ["8.8.8.8"]) == "address"


def test_a_name_is_resolved_once_and_what_was_checked_is_called(make: Callable[..., Receiver]) -> None:
    receiver, answers = make(secure=True), [["127.0.0.1"], ["10.0.0.1"]]
    assert send(receiver.url, resolve=lambda host, port: answers.pop(0)) == 200
    assert send(receiver.url, resolve=lambda host, port: answers.pop(0)) == "address"
    assert (answers, len(receiver.got), receiver.got[0].headers["host"]) == ([], 1, f"{HOST}:{receiver.port}")


def test_the_certificate_must_be_of_the_name_and_of_an_authority(
    make: Callable[..., Receiver], settings: Any
) -> None:
    receiver = make(secure=True)
    assert send(f"https://other.example.cn:{receiver.port}/", resolve=here) == "certificate"
    settings.PILOT_WEBHOOK_CA = ""
    assert send(receiver.url, resolve=here) == "certificate"
    assert send(f"https://{HOST}:{make().port}/", resolve=here) == "tls"
    assert receiver.got == []


def test_a_redirect_is_not_followed(make: Callable[..., Receiver]) -> None:
    receiver = make(302, 307)
    assert [send(receiver.url), send(receiver.url)] == [302, 307]
    assert [got.path for got in receiver.got] == ["/in", "/in"]


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        ("silent", "timeout"),
        ("drip", "timeout"),
        ("endless", "protocol"),
        ("noise", "protocol"),
        ("hints", 204),
    ],
)
def test_strange_answers_end_in_time(make: Callable[..., Receiver], answer: str, ended: Any) -> None:
    begun, limit = monotonic(), 0.4 if ended == "timeout" else 10
    assert send(make(answer).url, seconds=limit) == ended
    assert monotonic() - begun < 5


def test_a_resolver_that_never_answers_and_one_that_fails(make: Callable[..., Receiver]) -> None:
    receiver = make()

    def fails(host: str, port: int) -> list[str]:
        raise OSError

    stuck = lambda host, port: [str(receiver.closing.wait(5))]  # noqa: E731
    assert send(receiver.url, resolve=stuck, seconds=0.1) == "timeout"
    assert [send(receiver.url, resolve=fails), send(receiver.url, resolve=lambda *at: [])] == ["name", "name"]


def test_the_next_address_is_tried_where_nobody_listens(make: Callable[..., Receiver]) -> None:
    receiver = make()
    assert send(receiver.url, resolve=lambda *at: ["127.0.0.9", "127.0.0.1"]) == 200
    assert send("http://127.0.0.1:1/") == "connection"


def test_an_address_that_never_answers_leaves_time_for_the_next(
    make: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a name does whose IPv6 address leads nowhere."""
    receiver, connect = make(), socket.create_connection

    def silent(address: tuple[str, int], timeout: float) -> socket.socket:
        if address[0] == "127.0.0.9":
            receiver.closing.wait(timeout)
            raise TimeoutError
        return connect(address, timeout)

    monkeypatch.setattr(socket, "create_connection", silent)
    two = lambda *at: ["127.0.0.9", "127.0.0.1"]  # noqa: E731
    assert send(receiver.url, resolve=two, seconds=0.8) == 200
