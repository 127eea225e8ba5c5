"""Attempts that were cut off: nothing they refused, repeated or counted stands beside the outcome of a later one."""

from __future__ import annotations

import gzip
import json
import resource
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from filings.models import FormRepeat, UploadJob
from filings.services import loading, rejects, spool, uploads
from filings.tasks import process_upload
from pilot import clock
from pilot.models import OutboxMessage

pytestmark = pytest.mark.django_db


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have a job processed by a worker that breaks in the given chunk, right before it is committed."""

    def act(job: UploadJob, *, chunk: int = 1) -> None:
        advance, taken = loading._advance, [0]

        def breaking(*what: Any) -> None:
            advance(*what)
            taken[0] += 1
            if taken[0] == chunk:
                raise MemoryError

        with monkeypatch.context() as short:
            short.setattr(loading, "_advance", breaking)
            with pytest.raises(MemoryError):
                uploads.process(job_id=job.pk)

    return act


def kept(job: UploadJob) -> list[int]:
    """The rows in the file of refused rows."""
    return [json.loads(line)["_row"] for line in b"".join(rejects.content(job)).splitlines()]


def repeated(job: UploadJob) -> list[int]:
    return list(FormRepeat.unscoped.filter(job=job).order_by("row").values_list("row", flat=True))


def counts(job: UploadJob) -> tuple[str, int, int, int, int]:
    return job.state, job.rows, job.accepted, job.duplicates, job.rejected_rows


@pytest.fixture
def forms(made: Any) -> dict[str, Any]:
    """A form, one that corrects it, and one with a fault."""
    form, other, faulty = made(3)
    correction = {**other, "supersedes_form": form["form_no"]}
    return {"form": form, "correction": correction, "faulty": {**faulty, "verifier_name": ""}}


# --- files of refused rows --------------------------------------------------------------------------
def test_a_row_taken_at_the_second_attempt_is_not_among_the_refused(
    forms: Any, receive: Any, hand_in: Any, cut_off: Any, codes: Any
) -> None:
    """The form it corrects came in between."""
    job = receive(forms["correction"], forms["faulty"])
    cut_off(job)
    hand_in(forms["form"])
    done = uploads.process(job_id=job.pk)
    assert (counts(done), codes(done)) == (("done", 2, 1, 0, 1), [(2, ["field.required"])])
    assert kept(done) == [2]


def test_where_all_is_taken_at_the_second_attempt_there_is_no_file(
    forms: Any, receive: Any, hand_in: Any, cut_off: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    job = receive(forms["correction"])
    cut_off(job)
    hand_in(forms["form"])
    done = uploads.process(job_id=job.pk)
    assert (counts(done), rejects.available(done)) == (("done", 1, 1, 0, 0), False)


def test_a_job_that_fails_gives_back_the_rows_it_came_to(
    forms: Any, receive: Any, cut_off: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    job = receive(forms["faulty"], forms["correction"])
    cut_off(job, chunk=2)
    spool.remove_upload(job.case_key)
    failed = uploads.process(job_id=job.pk)
    assert (counts(failed), kept(failed)) == (("failed", 1, 0, 0, 1), [1])


def test_a_chunk_whose_file_was_named_otherwise_is_kept_once(
    forms: Any, receive: Any, cut_off: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once they were named after a chunk's first refused row, not after its first row."""
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 2)
    job = receive(forms["faulty"], forms["form"], forms["form"], {**forms["faulty"], "form_no": "F-0004"})
    cut_off(job, chunk=2)
    folder = spool.folder(job.case_key)
    assert sorted(path.name for path in folder.glob("refused-*")) == [
        "refused-000000001",
        "refused-000000003",
    ]
    (folder / "refused-000000003").rename(folder / "refused-000000004")
    done = uploads.process(job_id=job.pk)
    assert (counts(done), kept(done)) == (("done", 4, 1, 1, 2), [1, 4])


# --- what passes by itself --------------------------------------------------------------------------
def database_full() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE disk_full; END $$")


def connection_broken() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def spool_full() -> None:
    """The process's own limit refuses what is written as a full disk does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def room_again() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("trouble", "error", "module", "step", "dry_run"),
    [
        (connection_broken, OperationalError, uploads, "fire", False),
        (connection_broken, OperationalError, loading, "_sort", True),
        (database_full, OperationalError, loading, "_sort", False),
        (database_full, OperationalError, uploads, "_end", False),
        (spool_full, OSError, loading, "_sort", False),
    ],
)
def test_a_full_disk_or_a_database_that_is_away_ends_no_job(
    forms: Any,
    receive: Any,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[], None],
    error: type[Exception],
    module: Any,
    step: str,
    dry_run: bool,
) -> None:
    """However often it strikes, before the first row, among the rows or when the job is to end."""
    job = receive(forms["form"], forms["faulty"], dry_run=dry_run)
    act = getattr(module, step)

    def struck(*args: Any, **options: Any) -> Any:
        trouble()
        return act(*args, **options)

    for _attempt in range(uploads.MAX_ATTEMPTS + 1):
        with monkeypatch.context() as short:
            short.setattr(module, step, struck)
            with pytest.raises(error):
                uploads.process(job_id=job.pk)
            room_again()
    job.refresh_from_db()
    assert (job.attempts, spool.has_upload(job.case_key)) == (0, True)
    assert counts(uploads.process(job_id=job.pk)) == ("done", 2, 1, 0, 1)
    left = ["reached", "refused-000000001", "upload"] if dry_run else ["refused-000000001"]
    assert sorted(path.name for path in spool.folder(job.case_key).iterdir()) == left


def test_an_attempt_that_a_full_disk_stopped_excuses_no_other(
    forms: Any, receive: Any, cut_off: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = receive(forms["form"])
    for _attempt in range(uploads.MAX_ATTEMPTS - 1):
        cut_off(job)
    with monkeypatch.context() as short:
        short.setattr(loading, "_sort", lambda *_what: database_full())
        with pytest.raises(OperationalError):
            uploads.process(job_id=job.pk)
    cut_off(job)
    failed = uploads.process(job_id=job.pk)
    assert (failed.state, failed.fault_code) == ("failed", "job.broke_off")


# --- dry runs ---------------------------------------------------------------------------------------
def test_a_dry_run_tells_of_its_last_attempt_only(
    forms: Any, receive: Any, hand_in: Any, cut_off: Any, codes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the attempts comes the form that row 1 corrects, and another one under the number of rows 3 and 4."""
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    named = {**forms["faulty"], "verifier_name": "示例甲", "form_no": "F-0003"}
    job = receive(forms["correction"], forms["faulty"], named, named, named, dry_run=True)
    cut_off(job, chunk=5)
    assert (codes(job), repeated(job)) == ([], [])  # nothing is on record until the dry run ends
    hand_in(forms["form"], {**named, "verifier_name": "示例乙"})
    done = uploads.process(job_id=job.pk)
    assert counts(done) == ("done", 5, 1, 0, 4)
    assert codes(done) == [(2, ["field.required"]), *((row, ["form_no.conflict"]) for row in (3, 4, 5))]
    assert (kept(done), repeated(done)) == ([2, 3, 4, 5], [])


def test_a_dry_run_under_way_offers_no_refused_rows(
    forms: Any, receive: Any, cut_off: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have no errors yet."""
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    job = receive(forms["faulty"], forms["form"], dry_run=True)
    cut_off(job, chunk=2)
    job.refresh_from_db()
    assert (counts(job), rejects.available(job)) == (("processing", 1, 0, 0, 1), False)
    assert rejects.available(uploads.process(job_id=job.pk)) is True


def posted(job: UploadJob) -> int:
    messages = OutboxMessage.objects.filter(target="filings.tasks.process_upload", payload={"job_id": job.pk})
    return messages.count()


def test_a_dry_run_longer_than_a_pass_ends_in_words_and_is_not_posted_again(
    forms: Any, receive: Any, codes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what it came to; nothing could go on where it stopped, since what it remembers is its session's own."""
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    job = receive(forms["form"], forms["form"], forms["faulty"], forms["correction"], dry_run=True)
    load = loading.load_chunk

    def slow(**what: Any) -> bool:
        if what["rows"][0].number == 3:
            monkeypatch.setattr(uploads, "monotonic", lambda: float("inf"))
        return load(**what)

    monkeypatch.setattr(loading, "load_chunk", slow)
    process_upload(job.pk)
    job.refresh_from_db()
    assert (counts(job), job.fault) == (("failed", 3, 1, 1, 1), "试算用时过长，已停止；请把文件分成几份再试")
    assert (codes(job), repeated(job), kept(job)) == ([(3, ["field.required"])], [2], [3])
    assert (posted(job), uploads.sweep()) == (1, 0)
    assert not spool.has_upload(job.case_key)


def test_a_dry_run_without_a_limit_of_time_goes_to_its_end(forms: Any, receive: Any) -> None:
    job = receive(forms["form"], dry_run=True)
    assert counts(uploads.process(job_id=job.pk, seconds=None)) == ("done", 1, 1, 0, 0)


def test_a_dry_run_that_keeps_breaking_stops_with_no_outcome(
    forms: Any, receive: Any, cut_off: Any, codes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far each attempt came."""
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    job = receive(forms["faulty"], forms["form"], dry_run=True)
    for _attempt in range(uploads.MAX_ATTEMPTS):
        cut_off(job, chunk=2)
    failed = uploads.process(job_id=job.pk)
    assert (counts(failed), failed.code_counts) == (("failed", 0, 0, 0, 0), {})
    assert failed.fault == "试算多次中断，已停止；请把文件分成几份再试"
    assert (codes(failed), rejects.available(failed), spool.has_upload(failed.case_key)) == ([], False, False)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_dry_run_of_a_damaged_file_shows_what_the_real_job_shows(
    forms: Any, made: Any, hand_in: Any, codes: Any, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 50)
    rows = [forms["faulty"], forms["form"], forms["form"], *made(400, seed=2)]
    content = bytearray(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
    content[-5_000] ^= 0xFF
    job = hand_in(bytes(content), name="a.ndjson.gz", dry_run=dry_run)
    assert (job.state, job.fault, job.rejected_rows, job.duplicates, job.accepted > 0) == (
        "failed",
        "文件不完整或已损坏，无法解析；请重新导出或下载",
        1,
        1,
        True,
    )
    assert (codes(job), repeated(job), kept(job)) == ([(1, ["field.required"])], [3], [1])


@pytest.mark.parametrize("dry_run", [False, True])
def test_too_many_refused_rows_are_shown_up_to_there(
    forms: Any, hand_in: Any, codes: Any, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    monkeypatch.setattr(uploads, "MOST_REFUSED", 0)
    job = hand_in(forms["form"], forms["faulty"], forms["form"], dry_run=dry_run)
    assert (counts(job), codes(job), kept(job)) == (
        ("failed", 2, 1, 0, 1),
        [(2, ["field.required"])],
        [2],
    )


def test_a_dry_run_begun_before_its_rows_were_noted_at_its_end_comes_to_one(
    forms: Any, unit: Any, receive: Any, codes: Any
) -> None:
    from tests.filings import builders

    job = receive(forms["faulty"], dry_run=True)
    builders.refusal(unit, clock.now(), row=1, upload=job)
    assert (counts(uploads.process(job_id=job.pk)), codes(job)) == (
        ("done", 1, 0, 0, 1),
        [(1, ["field.required"])],
    )
