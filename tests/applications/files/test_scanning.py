"""The virus scanner: what it finds is refused, what it has not seen is read by nobody, and it is asked again."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from applications.models import ApplicationFile
from applications.services import scanning
from applications.services.drafts import start_application
from applications.services.files import add_file, read_file
from applications.tasks import rescan_files
from pilot.actors import Actor
from pilot.errors import Refused
from pilot.models import AuditEntry, Notice
from pilot.services import documents
from tests.applications import builders
from tests.applications.files import clamd

WAITING = "文件正在等待病毒扫描，扫描通过后才能查看和下载"


def infected() -> bytes:
    return builders.pdf(clamd.EICAR.decode())


@pytest.fixture
def silent(settings: Any) -> None:
    """A scanner is configured where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.PILOT_CLAMD = f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def given(provider: Actor, body: bytes) -> ApplicationFile:
    case = start_application(actor=provider)
    return add_file(case=case, actor=provider, kind="licence", upload=builders.upload("a.pdf", body))


def test_a_clean_file_is_marked_and_came_in_whole(provider: Actor, settings: Any) -> None:
    body = builders.pdf("x" * 700_000)
    with clamd.running() as (settings.PILOT_CLAMD, scanner):
        file = given(provider, body)
    assert (file.scan, scanner.seen) == ("clean", [body])


def test_a_scanner_on_a_socket(settings: Any, tmp_path: Path) -> None:
    with clamd.running(tmp_path / "clamd.sock") as (settings.PILOT_CLAMD, scanner):
        assert scanning.scan(b"abc") == "clean"
    assert scanner.seen == [b"abc"]


def test_what_is_found_is_refused_by_name_and_not_stored(
    provider: Actor, settings: Any, tmp_path: Path
) -> None:
    with clamd.running() as (settings.PILOT_CLAMD, _scanner), pytest.raises(Refused) as refusal:
        given(provider, infected())
    assert str(refusal.value) == "文件被查出病毒（Eicar-Test-Signature），不予接收"
    assert ApplicationFile.unscoped.count() == 0
    assert not (tmp_path / "files").exists()


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\x00", b"\x00", b"stream: "])
def test_any_other_answer_leaves_the_file_pending(settings: Any, answer: bytes) -> None:
    with clamd.running() as (settings.PILOT_CLAMD, scanner):
        scanner.answer = answer
        assert scanning.scan(b"abc") == "pending"


@pytest.mark.usefixtures("silent")
def test_a_pending_file_is_read_by_nobody(provider: Actor, bureau_reviewer: Actor) -> None:
    builders.submitted(provider)
    file = ApplicationFile.unscoped.get(kind="licence")
    assert file.scan == "pending"
    for actor in (provider, bureau_reviewer):
        with pytest.raises(Refused) as refusal:
            read_file(file=file, actor=actor)
        assert str(refusal.value) == WAITING
        response = builders.client_of(actor).get(f"/application-files/{file.pk}/")
        assert (response.status_code, WAITING in response.content.decode()) == (422, True)


@pytest.mark.usefixtures("silent")
def test_what_waits_is_scanned_when_the_scanner_is_back(provider: Actor, settings: Any) -> None:
    file = given(provider, builders.pdf("a"))
    assert rescan_files() == {"clean": 0, "infected": 0}
    with clamd.running() as (settings.PILOT_CLAMD, _scanner):
        assert rescan_files() == {"clean": 1, "infected": 0}
        assert rescan_files() == {"clean": 0, "infected": 0}
    file.refresh_from_db()
    assert file.scan == "clean"
    assert read_file(file=file, actor=provider) == builders.pdf("a")


@pytest.mark.usefixtures("silent")
def test_an_infected_file_found_later_is_taken_out_and_the_provider_told(
    provider: Actor, settings: Any
) -> None:
    file = given(provider, infected())
    with clamd.running() as (settings.PILOT_CLAMD, _scanner):
        assert rescan_files() == {"clean": 0, "infected": 1}
        assert rescan_files() == {"clean": 0, "infected": 0}
    file.refresh_from_db()
    assert (file.scan, file.replaced_at is not None) == ("pending", True)
    assert not documents.path_of(file.sha256).exists()
    assert list(Notice.objects.values_list("person", "subject")) == [
        (provider.person_id, "未提交 · “增值电信业务经营许可证”未通过病毒扫描，请重新上传")
    ]
    entry = AuditEntry.objects.get(action="application.file_infected")
    assert entry.detail["why"] == "文件被查出病毒（Eicar-Test-Signature），不予接收"
