"""A small virus scanner on the loopback that speaks clamd's INSTREAM, as a test needs it to answer."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

EICAR_NAME = "Eicar-Test-Signature"
EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
TOO_LARGE = b"INSTREAM size limit exceeded. ERROR\x00"


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Scanner = self.server  # type: ignore[assignment]
        assert self.rfile.read(10) == b"zINSTREAM\x00"
        content = b""
        while size := struct.unpack(">I", self.rfile.read(4))[0]:
            content += self.rfile.read(size)
        server.seen.append(content)
        server.meanwhile()
        verdict = f"{EICAR_NAME} FOUND" if EICAR in content else "OK"
        answer = TOO_LARGE if len(content) > server.limit else f"stream: {verdict}\x00".encode()
        self.wfile.write(server.answer or answer)


class Scanner:
    """What came in, the largest it looks at, what happens while it looks, and an answer for all if there is one."""

    daemon_threads = True
    answer = b""
    limit = 1 << 30
    meanwhile: Callable[[], object] = staticmethod(lambda: None)
    seen: list[bytes]


class TcpScanner(Scanner, socketserver.ThreadingTCPServer):
    pass


class SocketScanner(Scanner, socketserver.ThreadingUnixStreamServer):
    pass


@contextmanager
def running(socket: Path | None = None) -> Iterator[tuple[str, Scanner]]:
    """The scanner and where it listens, as ``PILOT_CLAMD`` has it."""
    server = SocketScanner(str(socket), _Talk) if socket else TcpScanner(("127.0.0.1", 0), _Talk)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield str(socket) if socket else f"127.0.0.1:{server.server_address[1]}", server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
