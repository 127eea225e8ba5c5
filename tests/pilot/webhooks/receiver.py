"""A unit's own system that takes webhooks on this machine: real sockets, HTTP or TLS with its own certificate."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "hooks.example.cn"


class Got(NamedTuple):
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    server: Any
    timeout = 5

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append(Got(self.path, headers, self.rfile.read(length)))
        answer = self.server.answers.pop(0) if self.server.answers else 200
        if answer == "silent":
            self.server.closing.wait(5)
        elif answer == "drip":
            while not self.server.closing.wait(0.02):
                self._raw(b"H")
        elif answer == "endless":
            self._raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000)
        elif answer == "noise":
            self._raw(b"220 mail.example.cn ESMTP\r\n\r\n")
        elif answer == "hints":
            self._raw(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        else:
            self.send_response(answer)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"thanks")

    def _raw(self, content: bytes) -> None:
        try:
            self.wfile.write(content)
        except OSError:
            self.server.closing.set()

    def log_message(self, *args: Any) -> None:
        """Nothing on the console."""


class Receiver(ThreadingHTTPServer):
    """Answers what ``answers`` lists, then 200 for ever; keeps what arrived in ``got``."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Any] = []
        self.got: list[Got] = []
        self.closing = Event()
        self.port = self.server_address[1]
        self.secure = folder is not None
        if folder is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate(folder))
            self.socket = context.wrap_socket(self.socket, server_side=True)
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return (
            f"https://{HOST}:{self.port}/in?of=pilot" if self.secure else f"http://127.0.0.1:{self.port}/in"
        )

    def handle_error(self, *args: Any) -> None:
        """A client that breaks off is no news."""

    def stop(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


def certificate(folder: Path) -> Path:
    """A certificate of :data:`HOST` that is its own authority, with its key, as one file."""
    file, key = folder / "receiver.pem", ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign",
            "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file
