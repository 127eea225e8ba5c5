"""Files of forms in pieces: found again after a break, never in clear on the disk, handed in once they are whole."""

from __future__ import annotations

import hashlib
import io
import json
import os
from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from filings import writers
from filings.models import UploadJob
from filings.services import pieces, spool, uploads
from pilot import clock
from pilot.actors import Actor
from pilot.errors import Refused, StateChanged
from pilot.pieces import WrongOffset
from tests.factories import world
from tests.filings.uploads.test_pages import client_of

pytestmark = pytest.mark.django_db
BLOCK = spool.BLOCK
CHOICES = {"format": "", "encoding": "utf-8", "dry_run": False}


@pytest.fixture
def file(made: Any) -> bytes:
    """NDJSON of a little over two blocks."""
    line = json.dumps(made(1)[0]).encode()
    return line + b"\n" + b" " * (2 * BLOCK) + b"\n"


def begin(provider: Actor, file: bytes, name: str = "forms.ndjson") -> pieces.Upload:
    return pieces.begin(actor=provider, name=name, size=len(file), modified="1")


def sent(provider: Actor, file: bytes, upload: pieces.Upload, upto: int | None = None) -> pieces.Upload:
    """Send what is missing, block by block, up to a byte."""
    at = upload.received
    while at < (len(file) if upto is None else upto):
        upload = pieces.append(actor=provider, key=upload.key, offset=at, piece=file[at : at + BLOCK])
        at = upload.received
    return upload


def finish(provider: Actor, upload: pieces.Upload, **choices: Any) -> UploadJob:
    at = clock.now()
    return pieces.finish(actor=provider, key=upload.key, arrived_at=at, **{**CHOICES, **choices})


def test_pieces_make_the_file_and_only_what_is_missing_is_sent(
    unit: Any, provider: Actor, file: bytes
) -> None:
    upload = sent(provider, file, begin(provider, file), BLOCK)
    again = begin(provider, file)
    assert (again.key, again.received) == (upload.key, BLOCK)
    assert begin(provider, file, "other.ndjson").key != upload.key
    with pytest.raises(WrongOffset):
        finish(provider, again)
    whole = sent(provider, file, again)
    on_disk = [path.read_bytes() for path in spool.folder(whole.key).iterdir()]
    assert [content for content in on_disk if b"form_no" in content or b"ndjson" in content] == []
    job = finish(provider, whole)
    assert (job.unit, job.size, job.source_name, job.case_key) == (unit, len(file), "forms.ndjson", whole.key)
    assert uploads.process(job_id=job.pk).accepted == 1
    assert finish(provider, whole) == job  # the answer was lost and is asked for again
    with pytest.raises(StateChanged):
        finish(provider, whole, dry_run=True)


def test_whoever_is_killed_on_handing_in_loses_nothing_of_it(
    unit: Any, provider: Actor, file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = sent(provider, file, begin(provider, file))
    with monkeypatch.context() as killed:
        killed.setattr(spool, "end_pieces", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            finish(provider, upload)
    job = UploadJob.unscoped.get()
    assert (pieces.unfinished(actor=provider), finish(provider, upload)) == ([], job)
    with pytest.raises(StateChanged):
        pieces.cancel(actor=provider, key=upload.key)
    assert begin(provider, file).key != upload.key
    assert uploads.process(job_id=job.pk).accepted == 1


def test_a_piece_must_follow_and_hold_whole_blocks(unit: Any, provider: Actor, file: bytes) -> None:
    upload = sent(provider, file, begin(provider, file), BLOCK)
    for offset, piece, error in (
        (0, file[:BLOCK], WrongOffset),
        (BLOCK, file[BLOCK : BLOCK + 7], Refused),
        (BLOCK, b"", Refused),
        (BLOCK, file[BLOCK:] + b"x", Refused),
    ):
        with pytest.raises(error):
            pieces.append(actor=provider, key=upload.key, offset=offset, piece=piece)
    assert begin(provider, file).received == BLOCK


def test_a_block_cut_short_by_a_crash_is_sent_again(unit: Any, provider: Actor, file: bytes) -> None:
    upload = sent(provider, file, begin(provider, file), 2 * BLOCK)
    path = spool.folder(upload.key) / spool.UPLOAD
    os.truncate(path, path.stat().st_size - 5)
    again = begin(provider, file)
    assert again.received == BLOCK
    assert finish(provider, sent(provider, file, again)).sha256 == hashlib.sha256(file).hexdigest()


def test_another_encoding_needs_no_second_sending(unit: Any, provider: Actor, made: Any) -> None:
    out = io.BytesIO()
    writers.write_csv(made(1), out, writers.columns_of(made(1)))
    content = out.getvalue().decode().encode("gbk")
    upload = sent(provider, content, begin(provider, content, "forms.csv"))
    with pytest.raises(uploads.FileNotTaken) as refusal:
        finish(provider, upload)
    assert refusal.value.code == "file.encoding"
    again = begin(provider, content, "forms.csv")
    assert again.received == len(content)
    assert uploads.process(job_id=finish(provider, again, encoding="gbk").pk).accepted == 1


def test_a_file_that_no_choice_mends_is_forgotten(unit: Any, provider: Actor) -> None:
    upload = sent(provider, b"<Other/>", begin(provider, b"<Other/>", "a.xml"))
    with pytest.raises(uploads.FileNotTaken):
        finish(provider, upload)
    assert (list(spool.folders()), UploadJob.unscoped.count()) == ([], 0)


def test_a_database_that_fails_on_handing_in_loses_nothing_of_it(
    unit: Any, provider: Actor, file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = sent(provider, file, begin(provider, file))
    with monkeypatch.context() as broken:
        broken.setattr(uploads, "_register", Mock(side_effect=OperationalError))
        with pytest.raises(OperationalError):
            finish(provider, upload)
    assert begin(provider, file) == upload
    job = finish(provider, upload)
    assert (UploadJob.unscoped.get(), pieces.unfinished(actor=provider)) == (job, [])
    assert uploads.process(job_id=job.pk).accepted == 1


def test_what_cannot_begin_says_why(unit: Any, provider: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_FILE", 2 * 1024**3)
    for actor, size, why in (
        (provider, 0, "文件是空的"),
        (provider, uploads.LARGEST_FILE + 1, "文件超过 2 GB"),
        (world.provider(), 1, "不在试点单位名录中"),
    ):
        with pytest.raises(Refused, match=why):
            pieces.begin(actor=actor, name="a", size=size, modified="")
    monkeypatch.setattr(pieces, "MAX_UNDER_WAY", 1)
    begin(provider, b"{}")
    with pytest.raises(Refused, match="同时上传的文件最多 1 个"):
        begin(provider, b"{}", "b")


def test_pieces_wait_for_a_day(unit: Any, provider: Actor, file: bytes) -> None:
    upload = begin(provider, file)
    for hours, left in ((23, 1), (25, 0)):
        then = (clock.security_now() - timedelta(hours=hours)).timestamp()
        os.utime(spool.folder(upload.key), (then, then))
        uploads.tidy()
        assert len(list(spool.folders())) == left


# --- over HTTP ----------------------------------------------------------------------------------------
def post(client: Client, address: str, data: Any = None, **options: Any) -> Any:
    return client.post(address, data, headers={"Accept": "application/json"}, **options)


def test_the_script_s_way_through(unit: Any, provider: Actor, file: bytes) -> None:
    client = client_of(provider)
    begun = post(
        client, reverse("upload-job_pieces"), {"name": "forms.ndjson", "size": len(file), "modified": "1"}
    )
    at = begun.json()
    assert (begun.status_code, at["received"], at["size"]) == (201, 0, len(file))

    def piece(offset: int, content: bytes) -> Any:
        headers = {"Accept": "application/json", "Upload-Offset": str(offset)}
        return client.post(at["url"], content, content_type="application/octet-stream", headers=headers)

    assert piece(0, file[:BLOCK]).json()["received"] == BLOCK
    wrong = piece(0, file[:BLOCK])
    assert (wrong.status_code, wrong["Upload-Offset"]) == (409, str(BLOCK))
    assert post(client, at["finish"], CHOICES).status_code == 409
    assert "forms.ndjson" in client.get(reverse("upload-job_create")).content.decode()
    assert piece(BLOCK, file[BLOCK:]).json()["received"] == len(file)
    assert post(client, at["finish"], {**CHOICES, "encoding": "klingon"}).status_code == 422
    done = post(client, at["finish"], {**CHOICES, "dry_run": "on"})
    job = UploadJob.unscoped.get()
    assert (done.json(), job.dry_run) == ({"url": reverse("upload-job_detail", args=[job.pk])}, True)
    assert post(client, at["finish"], {**CHOICES, "dry_run": "on"}).json() == done.json()
    assert post(client, at["finish"], CHOICES).status_code == 404
    assert client.get(at["url"]).status_code == 404


def test_pieces_are_the_organisation_s_own_and_can_be_given_up(
    unit: Any, provider: Actor, file: bytes
) -> None:
    upload = begin(provider, file)
    address = reverse("upload-job_piece", args=[upload.key])
    assert client_of(world.provider()).delete(address).status_code == 404
    client = client_of(provider)
    assert client.get(reverse("upload-job_piece", args=[UUID(int=0)])).status_code == 404
    assert client.get(reverse("upload-job_piece", args=["x-x"])).status_code == 404
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
    assert list(spool.folders()) == []
