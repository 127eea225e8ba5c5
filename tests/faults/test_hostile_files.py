"""Files made to exhaust or to deceive their reader: refused in words, within 450 MB of memory, nothing written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
READER = Path(__file__).with_name("hostile.py")
MEGABYTE = 1024**2
LINE = b'{"a":1}\n'
GBK = '{"a":"示例"}\n'.encode("gbk")
MOST_MB = 450
MOST_CPU_SECONDS = 60


def gzip_member(content: Iterator[bytes]) -> bytes:
    """One gzip member, never whole in memory unpacked."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(piece) for piece in content), packer.flush()])


def fifty_gigabytes(path: Path) -> None:
    """A sound row, then 500 times 100 MB: gzip members may follow each other, so one is packed only once."""
    hundred = gzip_member(b" " * MEGABYTE for _ in range(100))
    with path.open("wb") as file:
        file.write(gzip_member(iter([LINE])))
        for _ in range(500):
            file.write(hundred)


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def nested(depth: int) -> bytes:
    """A zip in a zip and so on, 1 GB at its heart."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("forms.ndjson", "w", force_zip64=True) as heart,
    ):
        for _ in range(1024):
            heart.write(b" " * MEGABYTE)
    content = out.getvalue()
    for level in range(depth):
        content = zipped(f"{level}.zip", content)
    return content


def entities(levels: int) -> bytes:
    """A billion laughs."""
    names = [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(levels)]
    return (
        f'<?xml version="1.0"?><!DOCTYPE UploadData [{"".join(names)}]>'
        f'<UploadData version="V.3.0">&e{levels - 1};</UploadData>'
    ).encode()


def read(*files: str) -> Any:
    """What a process of its own makes of the files."""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(READER), *files], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def written(folder: Path, contents: dict[str, bytes]) -> list[str]:
    """``format-name`` → content as arguments of the reader."""
    words = []
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        words.append(f"{name.split('-', 1)[0]}:{folder / name}")
    return words


@pytest.mark.slow
def test_fifty_gigabytes_in_fifty_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "forms.ndjson.gz"
    fifty_gigabytes(path)
    assert 45 * MEGABYTE < path.stat().st_size < 55 * MEGABYTE
    outcome = read(f"ndjson:{path}", f"csv:{path}")
    assert [code for code, _rows, _faulty in outcome["results"]] == ["file.too_large", "file.no_header"]
    assert outcome["peak_mb"] <= MOST_MB
    assert outcome["cpu_seconds"] <= MOST_CPU_SECONDS


@pytest.mark.slow
def test_a_line_of_two_gigabytes(tmp_path: Path) -> None:
    """It costs itself and no other row, and is never held; a table is the same. Most of the file is a hole."""
    header, row = b"form_no,verifier_name\n", "SL-1,示例\n".encode()
    words, many = [], 100_000  # the hole lies beyond what is looked at first
    for name, before, after in (("ndjson", LINE * many, LINE), ("csv", header + row * many, row)):
        path = tmp_path / f"{name}-long"
        with path.open("wb") as file:
            file.write(before)
            file.seek(2 * 1024 * MEGABYTE, os.SEEK_CUR)
            file.write(b"\n" + after)
        words.append(f"{name}:{path}")
    outcome = read(*words)
    assert outcome["results"] == [[None, many + 2, 1], [None, many + 2, 1]]
    assert outcome["peak_mb"] <= MOST_MB
    assert outcome["cpu_seconds"] <= MOST_CPU_SECONDS


@pytest.mark.slow
def test_bombs_and_false_names(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    slips = ("../../slip.ndjson", "/tmp/slip.ndjson", "C:\\slip.ndjson", "a/../../slip.ndjson")  # noqa: S108
    bombs = written(
        inside,
        {
            "ndjson-nested": nested(5),
            "ndjson-heart": nested(0),
            "v3-entities": entities(10),
            "v3-entities-packed": zipped("a.xml", entities(10)),
            **{f"ndjson-slip-{n}": zipped(name, LINE) for n, name in enumerate(slips)},
        },
    )
    before = sorted(tmp_path.rglob("*"))
    outcome = read(*bombs)
    assert outcome["results"] == [
        ["file.binary", 0, 0],
        ["file.too_large", 0, 0],
        ["file.doctype", 0, 0],
        ["file.doctype", 0, 0],
        *[[None, 1, 0]] * len(slips),  # a name inside an archive is never used
    ]
    assert (sorted(tmp_path.rglob("*")), Path("/tmp/slip.ndjson").exists()) == (before, False)  # noqa: S108
    assert outcome["peak_mb"] <= MOST_MB


@pytest.mark.slow
def test_texts_that_are_not_what_they_say(tmp_path: Path) -> None:
    """Where the head is sound, a bad line costs only itself, however many there are."""
    header = b"form_no,verifier_name\r\n"
    row = "SL-1,示例\r\n".encode()
    many = 100_000
    outcome = read(
        *written(
            tmp_path,
            {
                "ndjson-bom-crlf": b"\xef\xbb\xbf" + LINE.replace(b"\n", b"\r\n") * 2,
                "ndjson-broken": LINE * 20_000 + b'{"a":"\xff\xfe"}\n' * many,
                "ndjson-mixed": LINE * 20_000 + GBK * many,
                "ndjson-gbk": GBK,
                "csv-bom-crlf": b"\xef\xbb\xbf" + header + row,
                "csv-mixed": header + row * 20_000 + "SL-2,示例\r\n".encode("gbk") * many,
                "csv-gbk": header + "SL-2,示例\r\n".encode("gbk"),
            },
        )
    )
    assert outcome["results"] == [
        [None, 2, 0],
        [None, 20_000 + many, many],
        [None, 20_000 + many, many],
        ["file.encoding", 0, 0],
        [None, 1, 0],
        [None, 20_000 + many, many],
        ["file.encoding", 0, 0],
    ]
    assert outcome["peak_mb"] <= MOST_MB
