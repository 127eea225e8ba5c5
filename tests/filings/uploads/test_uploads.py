"""The door for files: who may hand in what, what a job records, how it goes on after a break, what is kept."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test.utils import CaptureQueriesContext

from filings import writers
from filings.intake.ndjson import JsonRow
from filings.intake.records import Attachment, ErrorItem
from filings.intake.versions import Candidate
from filings.models import FormRefusal, UploadJob, VerificationForm
from filings.selectors.contexts import unit_context
from filings.services import loading, rejects, spool, uploads
from pilot import clock
from pilot.errors import NotPermitted, Refused
from pilot.models import AuditEntry, Notice, OutboxMessage, TransitionRecord
from pilot.services import outbox
from tests.factories import world
from tests.filings import builders

pytestmark = pytest.mark.django_db


def counts(job: Any) -> tuple[int, int, int, int]:
    return job.rows, job.accepted, job.duplicates, job.rejected_rows


def posted(task: str) -> list[dict[str, Any]]:
    return list(
        OutboxMessage.objects.filter(target=f"filings.tasks.{task}").values_list("payload", flat=True)
    )


# --- who and what ---------------------------------------------------------------------------------
def test_a_provider_hands_in_for_its_own_unit_only(unit: Any, provider: Any, receive: Any) -> None:
    with pytest.raises(NotPermitted):
        receive(b"{}", actor=world.provider())
    assert UploadJob.unscoped.count() == 0
    job = uploads.receive_upload(actor=provider, unit=unit, source=io.BytesIO(b"{}"), name="a.ndjson")
    assert abs(clock.now() - job.received_at) < timedelta(minutes=1)


def test_a_provider_does_not_say_when_it_was_received(provider: Any, receive: Any) -> None:
    with pytest.raises(NotPermitted):
        receive(b"{}", actor=provider)


def test_an_organisation_without_a_unit_cannot_hand_in(programme: Any) -> None:
    file = io.BytesIO(b"{}")
    file.name = "a.ndjson"
    with pytest.raises(Refused, match="不在试点单位名录中"):
        uploads.hand_in(actor=world.provider(), file=file, format="", encoding="utf-8", dry_run=False)


def test_receipt_records_the_file_and_posts_the_work(unit: Any, receive: Any) -> None:
    job = receive(b"{}\n", name="..\\..\\etc/示例\x00\u202e名.ndjson", received="2019-06-30 12:00")
    assert (job.state, job.size, job.format, job.encoding) == ("received", 3, "ndjson", "")
    assert job.sha256 == "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
    assert job.source_name == "示例名.ndjson"
    assert posted("process_upload") == [{"job_id": job.pk}]
    assert list(
        AuditEntry.objects.filter(action__startswith="upload-job")
        .order_by("pk")
        .values_list("action", flat=True)
    ) == [
        "upload-job.open",
        "upload-job.backfill",
    ]


def test_no_name_of_a_file_makes_it_a_request(receive: Any) -> None:
    """Nobody is told of a request, which was answered itself; of a file the unit's people are."""
    assert [receive(b"{}\n", name=name).by_request for name in ("api", "x/api", "api.ndjson")] == [False] * 3


def test_a_faulty_head_carries_its_code(receive: Any) -> None:
    with pytest.raises(uploads.FileNotTaken) as refusal:
        receive(b"<Other/>", name="a.xml")
    assert (refusal.value.code, refusal.value.national) == ("file.wrong_root", 5001)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_who_is_interrupted_right_after_the_commit_leaves_the_job_its_file(
    made: Any, receive: Any, hand_in: Any, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    def interrupted(**_only: Any) -> int:
        raise stop

    with monkeypatch.context() as pressed:
        pressed.setattr(outbox, "relay_tasks", interrupted)  # which the commit calls
        with pytest.raises(stop):
            receive(*made(2))
    job = UploadJob.unscoped.get()
    assert counts(uploads.process(job_id=job.pk)) == (2, 2, 0, 0)


def test_who_is_interrupted_before_the_commit_leaves_a_file_that_is_forgotten(
    made: Any, receive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_case: Any, **_actor: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uploads, "open_case", interrupted)
    with pytest.raises(KeyboardInterrupt):
        receive(*made(1))
    ((key, _at),) = spool.folders()
    touch(key, 1)
    assert (uploads.tidy(), list(spool.folders()), UploadJob.unscoped.count()) == (1, [], 0)


# --- processing -----------------------------------------------------------------------------------
def test_a_job_runs_from_receipt_to_done(unit: Any, made: Any, hand_in: Any) -> None:
    job = hand_in(*made(3), {**made(4)[3], "verifier_name": ""})
    assert (job.state, counts(job), job.taken_rows, job.fault) == ("done", (4, 3, 0, 1), 4, "")
    assert job.code_counts == {"field.required": 1}
    steps = TransitionRecord.objects.filter(machine="upload-job", object_id=job.pk).order_by("number")
    assert list(steps.values_list("name", flat=True)) == ["open", "start", "finish"]
    assert posted("compare_unit") == [{"unit_id": unit.pk}]
    load = AuditEntry.objects.get(action="upload-job.load")
    assert load.detail == {"first_row": 1, "last_row": 4, "accepted": 3, "duplicates": 0, "rejected": 1}


def test_whoever_sent_a_file_is_told_and_of_a_failure_everybody(
    unit: Any, provider: Any, made: Any, hand_in: Any
) -> None:
    """What a unit's own system sends tells nobody: it asks by itself, and may send ten a second."""

    def told(job: UploadJob) -> list[int]:
        notices = Notice.objects.filter(url=f"/cases/upload-job/{job.pk}/").order_by("person_id")
        return list(notices.values_list("person_id", flat=True))

    def sent(actor: Any, content: bytes) -> UploadJob:
        job = uploads.receive_upload(actor=actor, unit=unit, source=io.BytesIO(content), name="a.ndjson")
        return uploads.process(job_id=job.pk)

    colleague = world.person(unit.organisation, "provider_operator")
    form = json.dumps(made(1)[0]).encode()
    by_hand, by_key = sent(provider, form), hand_in(form, actor=builders.SYSTEM)
    junk = (
        os.urandom(200_000).hex().encode()
    )  # hardly packs: the head is sound, and what is missing is far behind
    broken = sent(provider, gzip.compress(form + b"\n" + junk)[:-20])
    assert [by_hand.state, by_key.state, broken.state] == ["done", "done", "failed"]
    assert [told(job) for job in (by_hand, by_key, broken)] == [
        [provider.person_id],
        [],
        sorted([provider.person_id, colleague.person_id]),
    ]


def test_a_job_that_is_done_is_left_alone(made: Any, hand_in: Any) -> None:
    job = hand_in(*made(2))
    assert counts(uploads.process(job_id=job.pk)) == (2, 2, 0, 0)
    assert VerificationForm.unscoped.count() == 2


@pytest.mark.parametrize(
    ("file_format", "pack"),
    [("xlsx", "plain"), *itertools.product(("ndjson", "csv", "v3"), ("plain", "gzip", "zip"))],
)
def test_one_content_is_one_form_whatever_the_door(
    unit: Any, made: Any, hand_in: Any, file_format: str, pack: str
) -> None:
    out = io.BytesIO()
    forms = made(5)
    match file_format:
        case "ndjson":
            writers.write_ndjson(forms, out)
        case "csv":
            writers.write_csv(forms, out, writers.columns_of(forms))
        case "xlsx":
            writers.write_xlsx(forms, out, writers.columns_of(forms))
        case "v3":
            writers.write_v3(forms, out, str(unit.national_id))
    job = hand_in(packed(out.getvalue(), pack), name="upload")
    assert (job.format, counts(job)) == (file_format, (5, 5, 0, 0))
    if file_format != "v3":
        assert counts(hand_in(*forms)) == (5, 0, 5, 0)


def packed(content: bytes, how: str) -> bytes:
    if how == "gzip":
        return gzip.compress(content)
    if how == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("forms", content)
        return out.getvalue()
    return content


def test_an_archive_damaged_in_the_middle_fails_after_what_could_be_read(
    made: Any, receive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 50)
    lines = b"".join(json.dumps(form).encode() + b"\n" for form in made(400))
    content = bytearray(gzip.compress(lines))
    content[-5_000] ^= 0xFF
    job = uploads.process(job_id=receive(bytes(content), name="a.ndjson.gz").pk)
    assert (job.state, job.fault) == ("failed", "文件不完整或已损坏，无法解析；请重新导出或下载")
    assert job.taken_rows == job.accepted == VerificationForm.unscoped.count() > 0
    assert posted("compare_unit") == [
        {"unit_id": job.unit_id}
    ]  # what stands is compared, whatever ended the job


def test_what_brought_no_form_is_not_compared(made: Any, receive: Any, hand_in: Any) -> None:
    lost = receive(*made(1))
    spool.remove(lost.case_key)
    assert uploads.process(job_id=lost.pk).state == "failed"
    assert hand_in(*made(1), dry_run=True).accepted == hand_in({"form_no": ""}).rejected_rows == 1
    assert posted("compare_unit") == []


def test_a_spooled_file_that_is_gone_fails_in_words(made: Any, receive: Any) -> None:
    job = receive(*made(1))
    spool.remove(job.case_key)
    assert uploads.process(job_id=job.pk).fault == "暂存的文件已丢失或被改动，请重新上报"


def test_a_spooled_file_cut_at_a_block_fails(made: Any, receive: Any) -> None:
    job = receive(*made(200))
    path = spool.folder(job.case_key) / spool.UPLOAD
    os.truncate(path, 1 + spool.BLOCK + spool.SEAL_BYTES)
    done = uploads.process(job_id=job.pk)
    assert (done.state, done.accepted) == ("failed", 0)


def test_a_long_job_is_handed_on(made: Any, receive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 2)
    job = receive(*made(5))
    assert uploads.process(job_id=job.pk, seconds=-1).state == "processing"
    assert posted("process_upload") == [{"job_id": job.pk}] * 2
    assert counts(uploads.process(job_id=job.pk)) == (5, 5, 0, 0)


def test_work_that_keeps_breaking_stops_in_words(
    made: Any, receive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 2)
    job = receive(*made(5))
    load = loading.load_chunk

    def break_at_the_second(**arguments: Any) -> bool:
        if arguments["rows"][0].number > 1:
            raise MemoryError
        return load(**arguments)

    monkeypatch.setattr(loading, "load_chunk", break_at_the_second)
    for _attempt in range(uploads.MAX_ATTEMPTS + 1):  # the first took a chunk, which counts as none
        with pytest.raises(MemoryError):
            uploads.process(job_id=job.pk)
    failed = uploads.process(job_id=job.pk)
    assert (failed.state, failed.taken_rows, failed.accepted) == ("failed", 2, 2)
    assert failed.fault == "处理在第 2 行之后多次中断，已停止；此前各行的结果有效"


def test_rows_another_process_took_meanwhile_are_not_taken_again(
    made: Any, receive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = receive(*made(3))
    UploadJob.unscoped.filter(pk=job.pk).update(taken_rows=0)
    load = loading.load_chunk

    def overtaken(**arguments: Any) -> bool:
        assert load(**arguments) is True
        return load(**arguments)

    monkeypatch.setattr(loading, "load_chunk", overtaken)
    assert uploads.process(job_id=job.pk).accepted == 3
    assert VerificationForm.unscoped.count() == 3


def test_chunks_are_bounded_by_rows_and_by_bytes() -> None:
    by_number = loading.chunks(range(1, 8), most=3, most_bytes=1_000, weigh=lambda _: 10)
    assert [*by_number] == [[1, 2, 3], [4, 5, 6], [7]]
    by_bytes = loading.chunks(
        range(1, 8), most=100, most_bytes=25, weigh=lambda number: 30 if number == 4 else 10
    )
    assert [*by_bytes] == [[1, 2], [3], [4], [5, 6], [7]]


def test_a_row_weighs_what_it_takes_until_it_is_stored() -> None:
    picture = Attachment.of("face", "jpg", "subject", "1", b"p" * 1_000)
    row = Candidate(
        1, "", b"c" * 10, b"r" * 100, b"", [ErrorItem("field.type", "/a")] * 2, attachments=[picture]
    )
    assert uploads._weigh(row) == 10 + 100 + 1_000 + 2 * 700


def test_rows_are_judged_few_at_once_where_they_are_long(monkeypatch: pytest.MonkeyPatch, unit: Any) -> None:
    judged: list[int] = []

    def note(forms: Any, context: Any) -> Any:
        judged.append(len(forms))
        return [None] * len(forms)

    monkeypatch.setattr(uploads, "sound", note)
    rows = [JsonRow(number, b"x" * (400_000 if number > 250 else 10)) for number in range(1, 256)]
    found = list(uploads.candidates(rows, unit_context(unit, world.moment("2019-06-30 12:00"))))
    assert (judged, len(found)) == ([200, 52, 2, 1], 255)


def test_a_chunk_costs_the_same_queries_whatever_its_size(made: Any, receive: Any) -> None:
    from django.db import connection

    costs = []
    for number, seed in ((2, 1), (200, 2)):
        job = receive(*made(number, seed))
        with CaptureQueriesContext(connection) as captured:
            uploads.process(job_id=job.pk)
        costs.append(len(captured))
    assert costs[1] <= costs[0]


# --- sweeping -------------------------------------------------------------------------------------
def test_a_silent_job_is_posted_again_once_a_minute(receive: Any) -> None:
    job = receive(b"{}\n")
    assert uploads.sweep() == 0
    UploadJob.unscoped.filter(pk=job.pk).update(heartbeat_at=clock.security_now() - timedelta(seconds=61))
    assert (uploads.sweep(), uploads.sweep()) == (1, 0)
    assert posted("process_upload") == [{"job_id": job.pk}] * 2


def test_files_are_forgotten_when_their_time_is_over(made: Any, receive: Any, hand_in: Any) -> None:
    waiting, done = receive(*made(1)), hand_in({**made(1)[0], "verifier_name": ""})
    assert (rejects.available(done), (spool.folder(done.case_key) / spool.UPLOAD).exists()) == (True, False)
    abandoned = uuid4()
    spool.write_upload(abandoned, io.BytesIO(b"{}"))
    assert uploads.tidy() == 0
    for key, days in ((waiting.case_key, 31), (done.case_key, 29), (abandoned, 1)):
        touch(key, days)
    assert uploads.tidy() == 1
    assert {key for key, _at in spool.folders()} == {waiting.case_key, done.case_key}
    touch(done.case_key, 31)
    assert uploads.tidy() == 1
    assert [key for key, _at in spool.folders()] == [waiting.case_key]
    assert (FormRefusal.unscoped.count(), rejects.available(done)) == (1, False)


def touch(key: UUID, days: int) -> None:
    """As if a job's files had last been written so many days ago."""
    then = (clock.security_now() - timedelta(days=days)).timestamp()
    os.utime(spool.folder(key), (then, then))
