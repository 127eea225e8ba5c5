"""The virus scanner: what it finds is refused, what it has not seen is read by nobody, and it is asked again."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from applications.models import ApplicationFile
from applications.services import scanning
from applications.services.drafts import start_application
from applications.services.files import add_file, read_file, remove_file
from applications.tasks import rescan_files
from pilot.actors import Actor
from pilot.celery import app
from pilot.errors import Refused
from pilot.models import AuditEntry, Notice, Programme
from pilot.services import documents
from tests.applications import builders
from tests.applications.files import clamd
from tests.factories import world

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


@pytest.mark.usefixtures("silent")
def test_everybody_who_handed_in_the_same_infected_file_is_told(programme: Programme, settings: Any) -> None:
    files = [given(world.provider(), infected()) for _ in range(2)]
    with clamd.running() as (settings.PILOT_CLAMD, scanner):
        assert rescan_files() == {"clean": 0, "infected": 1}
    assert scanner.seen == [infected()]
    for file in files:
        file.refresh_from_db()
    assert [file.replaced_at is not None for file in files] == [True, True]
    assert set(Notice.objects.values_list("person", "source")) == {
        (file.uploaded_by_id, f"file:{file.pk}") for file in files
    }
    entries = AuditEntry.objects.filter(action="application.file_infected").order_by("pk")
    assert list(entries.values_list("object_id", flat=True)) == [str(file.pk) for file in files]


@pytest.mark.usefixtures("silent")
def test_a_file_that_cannot_be_read_any_more_holds_up_no_other(programme: Programme, settings: Any) -> None:
    lost, damaged, whole = (given(world.provider(), builders.pdf(word)) for word in "abc")
    documents.path_of(lost.sha256).unlink()
    documents.path_of(damaged.sha256).write_bytes(b"other")
    with clamd.running() as (settings.PILOT_CLAMD, _scanner):
        assert rescan_files() == {"clean": 1, "infected": 0}
        assert rescan_files() == {"clean": 0, "infected": 0}
    for file in (lost, damaged, whole):
        file.refresh_from_db()
    assert [file.scan for file in (lost, damaged, whole)] == ["pending", "pending", "clean"]


@pytest.mark.usefixtures("silent")
def test_what_the_scanner_never_answers_for_holds_up_no_other(programme: Programme, settings: Any) -> None:
    for word in "abc":
        given(world.provider(), builders.pdf(word * 5000))
    small = given(world.provider(), builders.pdf("d"))
    with clamd.running() as (settings.PILOT_CLAMD, scanner):
        scanner.limit = 4000
        runs = (rescan_files() for _ in range(300))  # which comes first is left to chance
        assert next(done for done in runs if done["clean"]) == {"clean": 1, "infected": 0}
    small.refresh_from_db()
    assert small.scan == "clean"


class Killed(BaseException):
    """The worker is killed."""


@pytest.mark.usefixtures("silent")
def test_infected_content_goes_when_it_is_on_record_and_not_before(
    provider: Actor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = given(provider, infected())

    def forget(digest: str) -> None:
        raise Killed

    monkeypatch.setattr(documents, "forget", forget)
    with clamd.running() as (settings.PILOT_CLAMD, _scanner):
        with pytest.raises(Killed):
            rescan_files()
        assert rescan_files() == {"clean": 0, "infected": 0}
    file.refresh_from_db()
    assert (file.scan, file.replaced_at is not None) == ("pending", True)
    assert AuditEntry.objects.filter(action="application.file_infected").count() == 1


@pytest.mark.usefixtures("silent")
def test_infected_content_stays_for_whoever_hands_it_in_again_meanwhile(
    programme: Programme, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(world.provider(), infected())
    forget, away = documents.forget_unless_needed, settings.PILOT_CLAMD
    again: list[ApplicationFile] = []

    def late(digests: Any, *, without: Any) -> None:
        here, settings.PILOT_CLAMD = settings.PILOT_CLAMD, away
        again.append(given(world.provider(), infected()))
        settings.PILOT_CLAMD = here
        forget(digests, without=without)

    with clamd.running() as (settings.PILOT_CLAMD, _scanner):
        with monkeypatch.context() as between:
            between.setattr(documents, "forget_unless_needed", late)
            assert rescan_files() == {"clean": 0, "infected": 1}
        assert documents.read_bytes(again[0].sha256) == infected()
        assert rescan_files() == {"clean": 0, "infected": 1}
    assert not documents.path_of(again[0].sha256).exists()


@pytest.mark.usefixtures("silent")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("body", "done"),
    [(builders.pdf("a"), {"clean": 1, "infected": 0}), (infected(), {"clean": 0, "infected": 0})],
    ids=["clean", "infected"],
)
def test_nobody_waits_for_a_file_that_is_being_scanned(
    settings: Any, body: bytes, done: dict[str, int]
) -> None:
    world.install()
    provider = world.provider()
    file = given(provider, body)
    removed: list[str] = []

    def remove() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            remove_file(file=file, actor=provider)
            removed.append("at once")
        except OperationalError:
            removed.append("waited")
        finally:
            connection.close()

    with clamd.running() as (settings.PILOT_CLAMD, scanner):
        scanner.meanwhile = remove
        assert rescan_files() == done
    assert removed == ["at once"]
    assert not AuditEntry.objects.filter(action="application.file_infected").exists()


def test_scans_do_not_pile_up_behind_a_slow_scanner() -> None:
    timed = app.conf.beat_schedule["files-rescan"]
    assert timed["options"] == {"expires": timed["schedule"]}
