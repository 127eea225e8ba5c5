"""``/api/v1/uploads/``: a file in, a job out, its refused rows back; whatever is refused leaves nothing behind."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import python_calamine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from filings import writers
from filings.api import bodies
from filings.models import UploadJob, VerificationForm
from filings.services import uploads
from pilot.enums import ApiMode
from pilot.models import IdempotentAnswer
from tests.factories import world
from tests.filings import builders
from tests.filings.api.caller import Caller, forms, issued

pytestmark = pytest.mark.django_db
Rows = list[dict[str, Any]]


def spooled(settings: Any) -> list[str]:
    """Names of the folders in the spool."""
    return sorted(path.name for path in (Path(settings.VAR) / "spool").glob("*"))


def ndjson(rows: Rows) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def table(rows: Rows) -> bytes:
    out = io.BytesIO()
    writers.write_csv(rows, out, writers.columns_of(rows))
    return out.getvalue()


def workbook(rows: Rows) -> bytes:
    out = io.BytesIO()
    writers.write_xlsx(rows, out, writers.columns_of(rows))
    return out.getvalue()


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("forms.any", content)
    return out.getvalue()


def processed(caller: Caller, answer: Any) -> Any:
    """The job as its address tells it once a worker was there."""
    waiting = caller.client.get(answer["Location"], headers=caller.headers({})).json()
    assert (waiting["state"], waiting["done"]) == ("received", False)
    uploads.process(job_id=UploadJob.unscoped.get(case_key=answer.json()["id"]).pk)
    return caller.client.get(answer["Location"], headers=caller.headers({})).json()


def counts(job: Any) -> tuple[str, bool, int, int, int, int]:
    return tuple(job[name] for name in ("state", "done", "rows", "accepted", "duplicates", "rejected_rows"))  # type: ignore[return-value]


TYPES = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
WRITERS: dict[str, Callable[[Rows], bytes]] = {"ndjson": ndjson, "csv": table, "xlsx": workbook}


@pytest.mark.parametrize("file_format", WRITERS)
def test_a_file_of_each_format(caller: Caller, file_format: str) -> None:
    rows = forms(3)
    del rows[1]["verifier_name"]
    answer = caller.post("uploads/", WRITERS[file_format](rows), content_type=TYPES[file_format])
    assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/uploads/{answer.json()['id']}/")
    job = processed(caller, answer)
    assert counts(job) == ("done", True, 3, 2, 0, 1)
    assert (job["format"], job["code_counts"]) == (file_format, {"field.required": 1})
    assert [(row["row"], [e["field"] for e in row["errors"]]) for row in job["rejected"]] == [
        (2, ["/verifier_name"])
    ]
    assert [one["id"] for one in caller.get("uploads/").json()["results"]] == [job["id"]]


def failed_job(caller: Caller, content: bytes, content_type: str = "application/x-ndjson") -> UploadJob:
    """A job of this content, processed by a worker that speaks Chinese."""
    answer = caller.post("uploads/", content, content_type=content_type)
    with translation.override("zh-hans"):
        return uploads.process(job_id=UploadJob.unscoped.get(case_key=answer.json()["id"]).pk)


def told_fault(caller: Caller, job: UploadJob, language: str) -> tuple[str, str]:
    headers = caller.headers({"Accept-Language": language})
    told = caller.client.get(f"/api/v1/uploads/{job.case_key}/", headers=headers).json()
    return told["fault_code"], told["fault"]


def test_why_a_job_failed_is_told_in_the_readers_language(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And by a code; also of the file as a whole, with the figures the words name."""
    monkeypatch.setattr(uploads, "MOST_REFUSED", 0)
    refused = failed_job(caller, b'{"form_no": ""}\n')
    assert told_fault(caller, refused, "en") == (
        "file.too_many_refused",
        "0 rows were not accepted; processing ends here, and the results so far stand",
    )
    assert told_fault(caller, refused, "zh-hans") == (
        "file.too_many_refused",
        "已有 0 行未被接收，处理到此为止；此前各行的结果有效",
    )
    sound = caller.post("uploads/", ndjson(forms()), content_type="application/x-ndjson")
    assert told_fault(caller, UploadJob.unscoped.get(case_key=sound.json()["id"]), "en") == ("", "")


def test_a_job_that_failed_before_codes_were_kept_says_what_it_said(caller: Caller) -> None:
    answer = caller.post("uploads/", ndjson(forms()), content_type="application/x-ndjson")
    UploadJob.unscoped.filter(case_key=answer.json()["id"]).update(fault_words="文件已损坏，无法解析")
    job = UploadJob.unscoped.get(case_key=answer.json()["id"])
    assert told_fault(caller, job, "en") == ("", "文件已损坏，无法解析")


@pytest.mark.parametrize(
    ("pack", "query", "content_type"),
    [
        (gzip.compress, "name=forms.csv.gz", "application/gzip"),
        (zipped, "format=csv", "application/zip"),
        (bytes, "", "application/octet-stream"),
        (bytes, "format=csv", "application/octet-stream"),
    ],
)
def test_packed_and_untold_files(caller: Caller, pack: Any, query: str, content_type: str) -> None:
    answer = caller.post(f"uploads/?{query}", pack(table(forms(2))), content_type=content_type)
    assert counts(processed(caller, answer))[:4] == ("done", True, 2, 2)


def test_a_table_in_gbk(caller: Caller) -> None:
    content = table(forms(2)).decode("utf-8-sig").encode("gbk")
    assert caller.post("uploads/", content, content_type="text/csv").json()["code"] == "file.encoding"
    answer = caller.post("uploads/?encoding=gbk", content, content_type="text/csv")
    assert counts(processed(caller, answer))[:4] == ("done", True, 2, 2)


def test_the_xml_of_v3_systems(unit: Any, caller: Caller) -> None:
    out = io.BytesIO()
    writers.write_v3(forms(2), out, str(unit.national_id))
    answer = caller.post("uploads/", out.getvalue(), content_type="text/xml")
    job = processed(caller, answer)
    assert (job["format"], counts(job)[:4]) == ("v3", ("done", True, 2, 2))


def returned(caller: Caller, job: Any) -> bytes:
    """The refused rows of a job, asked for as programs that know their format do."""
    back = caller.client.get(job["rejects"], headers=caller.headers({"Accept": "application/octet-stream"}))
    ending = "xml" if job["format"] == "v3" else job["format"]
    assert back["Content-Disposition"] == f'attachment; filename="rejects-{job["id"]}.{ending}"'
    return b"".join(back.streaming_content)


def corrected(content: bytes, file_format: str, column: str, value: str) -> bytes:
    """Refused rows as a person corrects them: one cell changed, the columns with the errors left as they are."""
    if file_format == "ndjson":
        lines = [json.loads(line) for line in content.splitlines()]
        for line in lines:
            line["principal"]["mobile"] = value
        return ndjson(lines)
    if file_format == "csv":
        header, *rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    else:
        sheet = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0)
        header, *rows = sheet.to_python()
    for row in rows:
        row[header.index(column)] = value
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


@pytest.mark.parametrize("file_format", WRITERS)
def test_refused_rows_are_corrected_and_sent_again(caller: Caller, file_format: str) -> None:
    """Twice, since the first correction is wrong too; then the right one comes in a table."""
    rows, column = forms(3), "principal.mobile"
    right, rows[1]["principal"]["mobile"] = rows[1]["principal"]["mobile"], "1"
    job = processed(
        caller, caller.post("uploads/", WRITERS[file_format](rows), content_type=TYPES[file_format])
    )
    kind = TYPES["ndjson" if file_format == "ndjson" else "csv"]
    wrong = corrected(returned(caller, job), file_format, column, "2")
    second = processed(caller, caller.post("uploads/", wrong, content_type=kind))
    assert (counts(second), second["code_counts"]) == (("done", True, 1, 0, 0, 1), {"phone.mobile": 1})
    good = corrected(returned(caller, second), second["format"], column, right)
    third = processed(caller, caller.post("uploads/", good, content_type=kind))
    assert (counts(third), third["rejects"]) == (("done", True, 1, 1, 0, 0), None)
    assert caller.post("forms/", rows[:1]).json()["duplicates"] == 1
    assert VerificationForm.unscoped.count() == 3


@pytest.mark.parametrize("way", ["dry_run", "test key"])
def test_a_trial_of_a_file_stores_no_form(unit: Any, caller: Caller, way: str) -> None:
    trial = Caller(issued(unit, ApiMode.TEST).secret) if way == "test key" else caller
    path = "uploads/" if way == "test key" else "uploads/?dry_run=true"
    answer = trial.post(
        path, ndjson([*forms(2), {}]), content_type=TYPES["ndjson"], key=None if way == "test key" else ""
    )
    job = processed(trial, answer)
    assert (job["dry_run"], counts(job)) == (True, ("done", True, 3, 2, 0, 1))
    assert [json.loads(line)["_row"] for line in returned(trial, job).splitlines()] == [3]
    assert VerificationForm.unscoped.count() == 0


def test_the_job_of_another_unit_does_not_exist(programme: Any, caller: Caller) -> None:
    world.at("2019-05-10 09:00")
    other = builders.enrol(programme, world.provider())
    world.at("2019-07-01 09:00")
    job = caller.post("uploads/", ndjson(forms()), content_type=TYPES["ndjson"]).json()
    stranger = Caller(issued(other).secret)
    answers = [stranger.get(f"uploads/{job['id']}/"), stranger.get(f"uploads/{job['id']}/rejects/")]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "not.found")] * 2
    assert stranger.get("uploads/").json()["results"] == []


# --- nothing is left of what is refused ---------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "content", "content_type", "key", "status", "code"),
    [
        ("uploads/", gzip.compress(b"", mtime=0), "application/gzip", "k", 422, "file.empty"),
        ("uploads/", b"form_no,verifier_name\n\n", "text/csv", "k", 422, "file.empty"),
        ("uploads/", b'[\n{"form_no": "A-000001"}\n]', "application/x-ndjson", "k", 422, "file.array"),
        ("uploads/", b"\x00\x01\x02", "application/octet-stream", "k", 422, "file.binary"),
        ("uploads/", b"PK\x03\x04 broken", "application/zip", "k", 422, "file.damaged"),
        ("uploads/", b"<UploadData/>", "text/xml", "k", 422, "file.version"),
        ("uploads/", b"{}", "text/plain", "k", 415, "media.type"),
        ("uploads/", b"{}", "application/x-ndjson", "", 400, "idempotency.key"),
        ("uploads/?format=pdf", b"{}", "application/x-ndjson", "k", 400, "request.parameters"),
        ("uploads/?encoding=latin1", b"{}", "text/csv", "k", 400, "request.parameters"),
        ("uploads/?dry_run=yes", b"{}", "text/csv", "k", 400, "request.parameters"),
        ("uploads/", b"x" * 1001, "application/x-ndjson", "k", 413, "too.large"),
        ("uploads/", b"no parts", "multipart/form-data", "k", 400, "request.unreadable"),
        ("uploads/", b"no parts", "multipart/form-data; boundary=b", "k", 400, "request.parameters"),
    ],
)
def test_a_file_that_is_not_taken(
    caller: Caller,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    content: bytes,
    content_type: str,
    key: str,
    status: int,
    code: str,
) -> None:
    monkeypatch.setattr(bodies, "LARGEST_FILE", 1000)
    answer = caller.post(path, content, content_type=content_type, key=key)
    assert (answer.status_code, answer.json()["code"], answer["Content-Type"]) == (
        status,
        code,
        "application/problem+json",
    )
    assert spooled(settings) == []
    assert (UploadJob.unscoped.count(), IdempotentAnswer.objects.count()) == (0, 0)


def test_a_replay_gives_the_job_and_leaves_nothing_in_the_spool(caller: Caller, settings: Any) -> None:
    first, again = (
        caller.post("uploads/", ndjson(forms()), content_type=TYPES["ndjson"], key="file-1") for _ in range(2)
    )
    assert (again.status_code, again.content, again["Location"]) == (202, first.content, first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    other = caller.post("uploads/", ndjson(forms(2)), content_type=TYPES["ndjson"], key="file-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.reused")
    assert spooled(settings) == [first.json()["id"].replace("-", "")]


def test_a_body_that_breaks_off_is_not_taken(unit: Any, settings: Any, wsgi: Any) -> None:
    """A server gives what came before the connection broke, as if that were all."""
    whole, secret = ndjson(forms(2)), issued(unit).secret
    for path in ("/api/v1/forms/", "/api/v1/uploads/"):
        environ = Client()._base_environ(
            PATH_INFO=path,
            REQUEST_METHOD="POST",
            CONTENT_TYPE="application/x-ndjson",
            CONTENT_LENGTH=str(len(whole)),
            HTTP_AUTHORIZATION=f"Bearer {secret}",
            HTTP_IDEMPOTENCY_KEY="half",
        )
        environ["wsgi.input"] = io.BytesIO(whole[: whole.index(b"\n") + 1])
        body = b"".join(wsgi(environ, lambda _status, _headers: None))
        assert [json.loads(body)[name] for name in ("status", "code")] == [400, "request.unreadable"]
    assert (UploadJob.unscoped.count(), VerificationForm.unscoped.count(), spooled(settings)) == (0, 0, [])


# --- multipart/form-data ------------------------------------------------------------------------------
def form_data(caller: Caller, query: str = "", **fields: Any) -> Any:
    return caller.client.post(
        f"/api/v1/uploads/{query}", fields, headers=caller.headers({"Idempotency-Key": "form-data"})
    )


def test_a_file_as_the_part_of_a_form(caller: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``curl -F file=@forms.csv`` sends it; the plain content never touches the disk."""
    settings.FILE_UPLOAD_HANDLERS = []  # Django's own would write large files to temporary ones
    rows = forms(40) * 30
    assert len(table(rows)) > 4 * bodies.CHUNK
    file = SimpleUploadedFile("核验单.csv", table(rows), content_type="text/csv")
    answer = form_data(caller, file=file)
    job = processed(caller, answer)
    assert (job["name"], job["format"], job["size"], job["rows"]) == (
        "核验单.csv",
        "csv",
        len(table(rows)),
        1200,
    )
    file.seek(0)
    again = form_data(caller, file=file)
    assert (again["Idempotent-Replayed"], again.json()["id"]) == ("true", job["id"])


def test_what_a_form_may_hold(caller: Caller, settings: Any) -> None:
    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile("forms.ndjson", ndjson(forms()))

    wrong = [
        form_data(caller, file=file(), dry_run="true"),  # parameters belong in the address
        form_data(caller, dry_run="true", file=file()),
        form_data(caller, first=file()),
        form_data(caller, file=[file(), file()]),
        form_data(caller, file="no file"),
    ]
    assert [(one.status_code, one.json()["errors"][0]["parameter"]) for one in wrong] == [(400, "file")] * 5
    cut = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.ndjson"\r\n\r\n' + ndjson(forms())
    half = caller.post("uploads/", cut, content_type="multipart/form-data; boundary=b")
    assert (half.status_code, half.json()["code"]) == (400, "request.unreadable")
    assert (UploadJob.unscoped.count(), spooled(settings)) == (0, [])
    assert form_data(caller, "?dry_run=true", file=file()).json()["dry_run"] is True
