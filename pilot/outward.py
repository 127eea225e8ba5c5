"""Requests to addresses that outsiders name: only to public ones, checked after resolving and before connecting.

What is connected to is the checked address itself, so a name that resolves differently the second time gains nothing.
No redirect is followed, no proxy is asked, and the whole exchange has one deadline. ``PILOT_WEBHOOK_LOOPBACK`` (off)
lets tests and development reach this machine, over plain HTTP and on any port.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import idna
from django.conf import settings
from django.utils.translation import gettext as _

from pilot.errors import Refused

PORTS: Final = frozenset({443, 8443})
SECONDS: Final = 10.0  # for resolving, connecting, sending and the answer's head together
MOST_ADDRESSES: Final = 3  # tried one after the other
LARGEST_HEAD: Final = 16 * 1024  # bytes of an answer that are read at most
LONGEST_URL: Final = 500
# Beside what the registries call not public: old relays into IPv6, and the metadata service Azure keeps on a public
# address. Of IPv6 only the global unicast range counts, so mapped, translated and site-local addresses are out.
_NEVER: Final = [
    ip_network(text) for text in ("192.88.99.0/24", "168.63.129.16/32", "2002::/16", "2001::/23")
]
_PRIVATE: Final = [ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]
_UNICAST: Final = ip_network("2000::/3")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n").match
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_PLAIN: Final = re.compile(r"[!-~]+").fullmatch

type Address = IPv4Address | IPv6Address
type Resolver = Callable[[str, int], Sequence[str]]


class Unreachable(Exception):
    """No answer came. ``reason`` is a short word of ours, never anything the other side sent."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads, taken apart."""

    secure: bool
    host: str  # ASCII, without brackets
    port: int
    path: str
    inside: bool = False  # may lie in a private network, since whoever runs the portal named it

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` header says them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def target(url: str, *, inside: bool = False) -> Target:
    """Take an ``https`` URL apart; raises :class:`Refused` in words for anything that may never be called.

    Names are not resolved here: what they lead to is judged whenever something is sent. ``inside``: a private network
    and any port are permitted as well; only for addresses from the portal's own settings.
    """
    try:
        parts = urlsplit(url)
        host = _ascii_host(parts)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
    except ValueError:
        raise Refused(_("网址格式不正确"), field="url") from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if len(url) > LONGEST_URL or not host or not _PLAIN(path) or "#" in url or "@" in parts.netloc:
        raise Refused(_("网址格式不正确"), field="url")
    literal = _literal(host)
    local = settings.PILOT_WEBHOOK_LOOPBACK
    if not secure and not (local and parts.scheme == "http"):
        raise Refused(_("网址须以 https:// 开头"), field="url")
    if port not in PORTS and not local and not inside:
        raise Refused(_("端口须为 443 或 8443"), field="url")
    if literal is not None and not permitted(literal, inside=inside):
        raise Refused(_("不能使用内网、本机或保留的地址"), field="url")
    return Target(secure, host, port, path, inside)


def host_of(url: str) -> str:
    """The host of a URL, for notices and the record; the rest of it is nobody else's business."""
    return urlsplit(url).hostname or ""


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host or _PLAIN(host):
        return host
    return idna.encode(host, uts46=True).decode()  # IDNAError is a ValueError


def _literal(host: str) -> Address | None:
    """The address a host spells out, in any spelling the resolver would take (``127.1``, ``0x7f000001``)."""
    with suppress(ValueError):
        return ip_address(host)
    with suppress(OSError):
        return IPv4Address(socket.inet_aton(host))
    return ip_address("127.0.0.1") if host.rstrip(".").rpartition(".")[2].lower() == "localhost" else None


def permitted(address: Address, *, inside: bool = False) -> bool:
    """Whether something may be sent to an address: a public one, or this machine where that is switched on.

    ``inside``: or one of a private network (RFC 1918, unique local IPv6).
    """
    if address.is_loopback:
        return bool(settings.PILOT_WEBHOOK_LOOPBACK)
    if inside and any(address in net for net in _PRIVATE):
        return True
    if address.version == 6 and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in net for net in _NEVER)


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of a name as this machine's resolver knows them; raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def post(
    goal: Target,
    *,
    body: bytes,
    headers: Mapping[str, str],
    resolve: Resolver = system_resolver,
    seconds: float = SECONDS,
) -> int:
    """POST and return the status of the answer; raises :class:`Unreachable` when none came within ``seconds``."""
    with _exchange(goal, body, headers, resolve, seconds) as (link, deadline):
        return _status(link, deadline)


def fetch(
    goal: Target,
    *,
    body: bytes,
    headers: Mapping[str, str],
    largest: int,
    resolve: Resolver = system_resolver,
    seconds: float = SECONDS,
) -> tuple[int, bytes]:
    """POST and return status and content of the answer.

    Raises :class:`Unreachable` when it did not come, whole and at most ``largest`` bytes of it, within ``seconds``.
    """
    with _exchange(goal, body, headers, resolve, seconds) as (link, deadline):
        answer = HTTPResponse(_Timed(link, deadline), method="POST")  # type: ignore[arg-type]  # asks for makefile only
        try:
            answer.begin()
            content = answer.read(largest + 1)
            cut = answer.length not in {None, 0}
        except (HTTPException, ValueError):
            raise Unreachable("protocol") from None
        finally:
            answer.close()
    if len(content) > largest or cut:
        raise Unreachable("protocol")
    return answer.status, content


class _Timed(RawIOBase):
    """A connection read as a file, every reading of it within the deadline of the whole exchange."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        self._link = link
        self._deadline = deadline

    def makefile(self, mode: str) -> BufferedReader:
        """What ``HTTPResponse`` reads from."""
        return BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there, waiting no longer than to the deadline."""
        self._link.settimeout(_left(self._deadline))
        return self._link.recv_into(buffer)


@contextmanager
def _exchange(
    goal: Target, body: bytes, headers: Mapping[str, str], resolve: Resolver, seconds: float
) -> Iterator[tuple[socket.socket, float]]:
    """The connection with the request sent, and the deadline; what fails is :class:`Unreachable`."""
    deadline = monotonic() + seconds
    try:
        with _connected(goal, _checked(goal, resolve, deadline), deadline) as link:
            link.settimeout(_left(deadline))
            link.sendall(_request(goal, body, headers))
            yield link, deadline
    except ssl.SSLCertVerificationError:
        raise Unreachable("certificate") from None
    except TimeoutError:
        raise Unreachable("timeout") from None
    except ssl.SSLError:
        raise Unreachable("tls") from None
    except OSError:
        raise Unreachable("connection") from None


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _checked(goal: Target, resolve: Resolver, deadline: float) -> list[Address]:
    """The addresses of the target; one that is not permitted forbids them all."""
    try:
        found = [ip_address(text) for text in _in_time(resolve, goal, _left(deadline))]
    except (OSError, ValueError) as error:
        raise Unreachable("timeout" if isinstance(error, TimeoutError) else "name") from None
    if not found:
        raise Unreachable("name")
    if not all(
        permitted(address, inside=goal.inside) and (goal.secure or address.is_loopback) for address in found
    ):
        raise Unreachable("address")
    return list(dict.fromkeys(found))[:MOST_ADDRESSES]


def _in_time(resolve: Resolver, goal: Target, seconds: float) -> Sequence[str]:
    """The resolver's answer. It knows no time limit, so a thread waits for it and is left behind if it must be."""
    answer: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answer.put(resolve(goal.host, goal.port))
        except Exception as error:
            answer.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _connected(goal: Target, addresses: Sequence[Address], deadline: float) -> socket.socket:
    """A connection to the first of the checked addresses that takes one, by TLS under the target's name.

    Each may take its share of the time that is left: a silent one leaves some for the next.
    """
    for still in range(len(addresses), 0, -1):
        address = str(addresses[-still])
        try:
            link = socket.create_connection((address, goal.port), timeout=_left(deadline) / still)
        except OSError:
            if still == 1 or monotonic() >= deadline:
                raise
            continue
        break
    if not goal.secure:
        return link
    try:
        link.settimeout(_left(deadline))
        return _trust(settings.PILOT_WEBHOOK_CA).wrap_socket(link, server_hostname=goal.host)
    except BaseException:
        link.close()
        raise


def _trust(authorities: str) -> ssl.SSLContext:
    """The system's certificate authorities, and those of a file beside them."""
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(authorities)
    return context


def _request(goal: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {goal.path} HTTP/1.1", f"Host: {goal.authority}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("ascii") + body


def _status(link: socket.socket, deadline: float) -> int:
    """The status of the final answer; of its content nothing is read beyond what came with the head."""
    received = b""
    while True:
        link.settimeout(_left(deadline))
        part = link.recv(4096)
        received += part
        while end := _HEAD_END.search(received):
            status = _STATUS(received)
            if status is None:
                raise Unreachable("protocol")
            if (code := int(status[1])) >= 200:
                return code
            received = received[end.end() :]  # "continue", "early hints": the answer is still to come
        if not part or len(received) > LARGEST_HEAD:
            raise Unreachable("protocol")
