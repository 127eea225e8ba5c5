"""Words that nobody else uses, and where to look for them: plain, as hex, as base64, as JSON escapes, in GBK."""

from __future__ import annotations

import json
import secrets
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery import current_app
from django.contrib.sessions.models import Session
from django.db import connection

from pilot import embedded

SURNAMES = "鲐鲑鲔鲟鲥鲨鳎鳏鳕鳗"  # fish: nobody in the samples is called so


def name() -> str:
    """An unlikely name of three characters, acceptable as a person's."""
    return "".join(secrets.choice(SURNAMES) for _ in range(3))


def spellings(word: str) -> set[bytes]:
    """The bytes under which a word may lie somewhere."""
    plain = {word.encode(), json.dumps(word)[1:-1].encode()}
    plain |= {word.encode("gbk")} if not word.isascii() else {word.lower().encode()}
    found = set(plain)
    for text in (word.encode(), word.encode("gbk")):
        found |= {text.hex().encode(), text.hex().upper().encode()}
        for shift in range(
            3
        ):  # base64 has three ways, by what stands before; the ends mix with the neighbours
            coded = b64encode(b"\0" * shift + text).rstrip(b"=")
            found.add(coded[[0, 2, 3][shift] : -2])
    return {one for one in found if len(one) >= 6}


def hits(canaries: dict[str, str], content: bytes) -> list[str]:
    """Which of the canaries stand in this content."""
    return sorted(kind for kind, word in canaries.items() if any(one in content for one in spellings(word)))


def files_under(folder: Path) -> bytes:
    """Names and content of every file."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join(str(path).encode() + b"\n" + path.read_bytes() for path in paths)


def broker() -> tuple[int, bytes]:
    """How many keys the broker holds, and what stands in them: names, DUMP of each, and the values unpacked."""
    queue = current_app.connection()
    line = queue.default_channel.client
    parts: list[bytes] = []
    keys = list(line.scan_iter())
    for key in keys:
        parts += [key, line.dump(key) or b"", *_values(line, key)]
    for part in list(parts):
        try:
            parts.append(b64decode(json.loads(part)["body"]))  # Celery's envelope
        except (ValueError, KeyError, TypeError):
            continue
    queue.release()
    return len(keys), b"\n".join(parts)


def _values(line: Any, key: bytes) -> Iterator[bytes]:
    match line.type(key):
        case b"string":
            yield line.get(key) or b""
        case b"list":
            yield from line.lrange(key, 0, -1)
        case b"hash":
            for field, value in line.hgetall(key).items():
                yield field
                yield value
                if value.startswith(b"["):  # unacknowledged: [message, exchange, key]
                    yield json.dumps(json.loads(value)[0]).encode()
        case b"set":
            yield from line.smembers(key)
        case b"zset":
            yield from line.zrange(key, 0, -1)


def dump() -> bytes:
    """The database as pg_dump writes it, and its sessions unpacked."""
    where = connection.get_connection_params()
    options = [f"--{option}={where[key]}" for option, key in _OPTIONS.items() if where.get(key)]
    program = [embedded.installed("pg_dump"), *options, where["dbname"]]
    environment = embedded.environment() | {"PGPASSWORD": str(where.get("password") or "")}
    done = subprocess.run(program, capture_output=True, check=True, env=environment)
    sessions = [json.dumps(row.get_decoded(), ensure_ascii=False).encode() for row in Session.objects.all()]
    return done.stdout + b"\n".join(sessions)


_OPTIONS = {"host": "host", "port": "port", "username": "user"}
