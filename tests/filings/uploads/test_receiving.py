"""A plain form's file goes straight into the spool; what is not handed in leaves nothing there."""

from __future__ import annotations

import io
import json
import resource
from typing import Any

import pytest
from django.conf import settings
from django.core.files import uploadhandler
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from filings.models import UploadJob
from filings.services import spool, uploads
from pilot.actors import Actor
from pilot.models import Person
from tests.filings.uploads.test_pages import BACKEND, client_of, upload

pytestmark = pytest.mark.django_db


def test_a_large_file_lies_in_no_clear_temporary_file(
    unit: Any, provider: Actor, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_args: Any, **_options: Any) -> None:
        raise AssertionError("held in memory or in a clear file")

    for handler in (uploadhandler.MemoryFileUploadHandler, uploadhandler.TemporaryFileUploadHandler):
        monkeypatch.setattr(handler, "new_file", forbidden)
    content = json.dumps(made(1)[0]).encode() + b"\n" + b" " * 3_000_000
    assert upload(client_of(provider), content).status_code == 302
    job = UploadJob.unscoped.get()
    assert (job.size, [key for key, _at in spool.folders()]) == (len(content), [job.case_key])
    assert uploads.process(job_id=job.pk).accepted == 1


def test_a_fault_leaves_nothing_but_the_choices(
    unit: Any, provider: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_FILE", 1024)
    for content, choices, words in (
        (b"x" * 1025, {}, "文件超过 2 GB"),
        (b"", {}, "文件是空的"),
        (b"{}", {"format": "doc"}, "选择一个有效的选项"),
        (b"\x00", {}, "二进制"),
    ):
        answer = upload(client_of(provider), content, **{"encoding": "gbk", "dry_run": "on", **choices})
        page = answer.content.decode()
        assert (answer.status_code, words in page, list(spool.folders())) == (422, True, [])
        assert '<option value="gbk" selected>' in page
        assert page.count(" checked>") == 1
    assert UploadJob.unscoped.count() == 0


def test_a_second_file_of_the_form_is_forgotten(unit: Any, provider: Actor) -> None:
    files = [SimpleUploadedFile(f"{n}.ndjson", b"{}\n") for n in range(2)]
    data = {"file": files, "format": "", "encoding": "utf-8"}
    assert client_of(provider).post(reverse("upload-job_create"), data).status_code == 302
    job = UploadJob.unscoped.get()
    assert (job.source_name, [key for key, _at in spool.folders()]) == ("1.ndjson", [job.case_key])


def test_the_token_is_asked_for_behind_our_handler(unit: Any, provider: Actor) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(Person.objects.get(pk=provider.person_id), backend=BACKEND)
    assert upload(client, b"{}\n").status_code == 403
    assert (list(spool.folders()), UploadJob.unscoped.count()) == ([], 0)


BEGUN = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.ndjson"\r\n\r\n' + b"{}\n" * 200_000
MULTIPART = "multipart/form-data; boundary=b"


def test_a_body_that_breaks_off_leaves_nothing(unit: Any, provider: Actor) -> None:
    answer = client_of(provider).post(reverse("upload-job_create"), BEGUN, content_type=MULTIPART)
    assert (answer.status_code, list(spool.folders()), UploadJob.unscoped.count()) == (422, [], 0)


class Reset(io.BytesIO):
    """The body of a request whose connection is reset."""

    def read(self, size: int | None = -1, /) -> bytes:
        if piece := super().read(size):
            return piece
        raise ConnectionResetError


@pytest.mark.parametrize(("enforce", "status"), [(False, 408), (True, 403)])
def test_a_connection_that_is_reset_leaves_nothing(
    unit: Any, provider: Actor, enforce: bool, status: int
) -> None:
    """Django's asking for the token takes the error for a token that is missing."""
    client = client_of(provider)
    client.handler.enforce_csrf_checks = enforce
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    body = {"wsgi.input": Reset(BEGUN), "CONTENT_LENGTH": str(2 * len(BEGUN)), "CONTENT_TYPE": MULTIPART}
    answer = client.generic("POST", reverse("upload-job_create"), **body)  # type: ignore[arg-type]
    assert (answer.status_code, list(spool.folders()), UploadJob.unscoped.count()) == (status, [], 0)


@pytest.mark.parametrize("room", [0, spool.BLOCK * 2])
def test_a_full_disk_leaves_nothing(unit: Any, provider: Actor, room: int) -> None:
    """It is full from the beginning, or soon; the limit of the process refuses what is written as a full disk does."""
    client, unlimited = client_of(provider), resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, unlimited))
    try:
        answer = upload(client, b"{}\n" * 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
    assert (answer.status_code, list(spool.folders()), UploadJob.unscoped.count()) == (507, [], 0)
