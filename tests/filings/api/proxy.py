"""A stretch of wire on the loopback that breaks when told to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread

type Fault = Callable[[socket.socket, socket.socket], None]
"""What happens to one connection: it is given the caller's end and the portal's."""

BLOCK = 65_536


class Proxy:
    """Listens on a port of its own; each new connection takes the next fault, then all pass unharmed."""

    def __init__(self, port: int, *faults: Fault) -> None:
        self._target = port
        self._faults: Iterator[Fault] = iter(faults)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.connections = 0
        Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        self._door.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                caller, _address = self._door.accept()
                self.connections += 1
                fault = next(self._faults, passes)
                Thread(target=self._serve, args=(caller, fault), daemon=True).start()

    def _serve(self, caller: socket.socket, fault: Fault) -> None:
        with caller, socket.create_connection(("127.0.0.1", self._target)) as portal:
            with suppress(OSError):
                fault(caller, portal)
            for end in (caller, portal):  # also where another thread still reads from it
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def passes(caller: socket.socket, portal: socket.socket) -> None:
    """Nothing happens to it."""
    forward = Thread(target=_copy, args=(caller, portal), daemon=True)
    forward.start()
    _copy(portal, caller)


def cut_request(after: int) -> Fault:
    """The portal gets so many bytes, then the line is dead on both sides."""

    def fault(caller: socket.socket, portal: socket.socket) -> None:
        left = after
        while left > 0 and (piece := caller.recv(min(left, BLOCK))):
            portal.sendall(piece)
            left -= len(piece)
        portal.shutdown(socket.SHUT_WR)
        while portal.recv(BLOCK):  # what the portal makes of it reaches nobody
            pass

    return fault


def cut_answer(then: Callable[[], None] = lambda: None) -> Fault:
    """The portal gets everything and answers; ``then`` happens, and the answer reaches nobody."""

    def fault(caller: socket.socket, portal: socket.socket) -> None:
        Thread(target=_copy, args=(caller, portal), daemon=True).start()
        portal.recv(BLOCK)
        then()

    return fault


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(BLOCK):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
