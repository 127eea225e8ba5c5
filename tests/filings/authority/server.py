"""An authority on this machine: real sockets, answers by its records, with the faults such services have."""

from __future__ import annotations

import json
import socket
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

type Person = tuple[int, str, str]


class Handler(BaseHTTPRequestHandler):
    server: Any
    timeout = 5

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        queries = json.loads(body)["queries"]
        self.server.asked.append(queries)
        self.server.headers.append(dict(self.headers.items()))
        if self.server.before_answer is not None:
            self.server.before_answer()
        fault = self.server.faults.pop(0) if self.server.faults else ""
        answers = [{"id": query["id"], **self.server.answer(query)} for query in queries]
        if fault == "silent":
            self.server.closing.wait(5)
        elif fault == "drip":
            self._raw(b"HTTP/1.1 200 OK\r\n\r\n")
            while not self.server.closing.wait(0.02):
                self._raw(b" ")
        elif fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif fault == "broken":
            self._send(json.dumps({"answers": answers}).encode()[:-5])
        elif fault == "cut":
            self._send(json.dumps({"answers": answers}).encode(), length=10_000)
        elif fault == "huge":
            self._send(b" " * (4 * 1024 * 1024 + 1))
        elif fault == "chunked":
            self._send_chunked(json.dumps({"answers": answers}).encode())
        elif isinstance(fault, int):
            self.send_response(fault)
            self.end_headers()
        else:
            self._send(json.dumps({"answers": CHANGES.get(fault, list)(answers)}).encode())

    def _send(self, content: bytes, *, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self._raw(content)

    def _send_chunked(self, content: bytes) -> None:
        self._raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(content), 50):
            piece = content[start : start + 50]
            self._raw(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self._raw(b"0\r\n\r\n")

    def _raw(self, content: bytes) -> None:
        try:
            self.wfile.write(content)
        except OSError:
            self.server.closing.set()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Nothing on the console."""


CHANGES: dict[Any, Any] = {
    "half": lambda answers: answers[: (len(answers) + 1) // 2],
    "reversed": lambda answers: answers[::-1],
    "twice": lambda answers: [*answers, {"id": answers[0]["id"], "result": "no_record"}],
    "strange": lambda answers: [
        "nothing",
        {"id": "0", "result": "match"},
        {"id": True, "result": "match"},
        {"id": 10_000, "result": "match"},
        {"id": answers[0]["id"], "result": "mismatch"},
        {"id": answers[0]["id"], "result": "mismatch", "differing": ["address"]},
        *({"id": answer["id"], "result": "perhaps"} for answer in answers[1:]),
    ],
    "unavailable": lambda answers: [{"id": answer["id"], "result": "unavailable"} for answer in answers],
}


class Authority(ThreadingHTTPServer):
    """Makes the ``faults`` listed, one per request, then none; keeps what it was ``asked``."""

    daemon_threads = True

    def __init__(self, *people: Person) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.records: dict[tuple[int, str], list[dict[str, Any]]] = {}
        self.faults: list[Any] = []
        self.asked: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.before_answer: Any = None
        self.closing = Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/lookup"
        self.know(*people)
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def know(self, *people: Person, since: str = "", until: str = "9999") -> None:
        """Enter people with the days (ISO) on which their records hold."""
        for cert_type, cert_no, name in people:
            record = {"name": name, "since": since, "until": until}
            self.records.setdefault((cert_type, cert_no), []).append(record)

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        """What the records of the query's day say."""
        known = self.records.get((query["cert_type"], query["cert_no"]), [])
        names = [one["name"] for one in known if one["since"] <= query["as_of"] <= one["until"]]
        if query["name"] in names:
            return {"result": "match"}
        if names:
            return {"result": "mismatch", "differing": ["name"]}
        elsewhere = [
            key for key, records in self.records.items() if query["name"] in [r["name"] for r in records]
        ]
        if elsewhere:
            differing = [
                f for f, own in zip(("cert_type", "cert_no"), elsewhere[0], strict=True) if own != query[f]
            ]
            return {"result": "mismatch", "differing": differing}
        return {"result": "no_record"}

    def stop(self) -> None:
        """Close every connection."""
        self.closing.set()
        self.shutdown()
        self.server_close()
