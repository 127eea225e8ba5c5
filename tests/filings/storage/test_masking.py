"""Masking (C12): wherever a form or a refused row shows, no full certificate number, mobile or mailbox is to be found.

Found by walking: every page that a reader can reach by links, every list's table, every document, every answer of the
API, the log, and every table of the database. The one place for full values is the unit's own file of refused rows.
"""

from __future__ import annotations

import copy
import html
import io
import json
import logging
import re
import zipfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from filings.enums import FindingSource
from filings.models import UploadJob, VerificationForm
from filings.services import uploads
from pilot.actors import Actor
from pilot.enums import Role
from pilot.models import Document, Person
from pilot.services import documents
from tests.documents.reading import text_of
from tests.factories import world
from tests.filings import builders
from tests.filings.api.caller import Caller, forms, issued

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
MACHINES = ("upload-job", "finding", "inspection", "rectification", "coordination-case")
LEAVE = ("/account/", "/language/", "/static/", "/exports/", "/_ui/")


@pytest.fixture(autouse=True)
def files_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.VAR, settings.MEDIA_ROOT = tmp_path / "var", tmp_path / "media"


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """A good form and one that breaks rules in its personal fields."""
    good = forms(1)[0]
    bad = copy.deepcopy(good)
    bad["form_no"] += "-X"
    bad["principal"] |= {
        "cert_no": "440101199001010019",
        "mobile": "12013800138",
        "email": "zhangshili@@example.cn",
    }
    bad["subject"]["cert_no"] = "91440000MA00000019"
    return [good, bad]


@pytest.fixture
def secrets(rows: list[dict[str, Any]]) -> list[str]:
    """What nobody may read in full."""
    found = set()
    for row in rows:
        people = [row["principal"], *(site["principal"] for site in row["websites"])]
        for person in people:
            found |= {person[key] for key in ("cert_no", "mobile", "email", "landline") if person.get(key)}
        found.add(row["subject"]["cert_no"])
    return sorted(found)


@pytest.fixture
def caller(unit: Any) -> Caller:
    return Caller(issued(unit).secret)


@pytest.fixture
def handed_in(caller: Caller, rows: list[dict[str, Any]]) -> Any:
    """Both rows in a file and in a request; returns the job of the file."""
    body = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    answer = caller.post("uploads/", body, content_type="application/x-ndjson")
    job = uploads.process(job_id=UploadJob.unscoped.get(case_key=answer.json()["id"]).pk)
    assert (job.accepted, job.rejected_rows) == (1, 1)
    return job


def leaks(text: str, secrets: list[str]) -> list[str]:
    return [secret for secret in secrets if secret in text or secret.encode().hex() in text]


def test_no_table_holds_any_in_clear(handed_in: Any, caller: Caller, rows: Any, secrets: list[str]) -> None:
    caller.post("forms/", rows)
    builders.compared(VerificationForm.unscoped.get(), outcome="mismatch")
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            if seen := leaks("\n".join(row for (row,) in cursor.fetchall()), secrets):
                found[table] = seen
    assert found == {}


def test_no_answer_of_the_interface_and_no_line_of_the_log(
    handed_in: Any, caller: Caller, rows: Any, secrets: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    builders.compared(VerificationForm.unscoped.get(), outcome="mismatch")
    key = handed_in.case_key
    with caplog.at_level(logging.INFO):
        for language in ("zh-hans", "en"):
            said = {"Accept-Language": language}
            answers = [
                caller.post("forms/", rows, **said),
                caller.post("forms/?dry_run=true", rows, **said),
                *(
                    caller.get(path, **said)
                    for path in (
                        "uploads/",
                        f"uploads/{key}/",
                        "findings/",
                        "rectifications/",
                        "unit/",
                        "accuracy/",
                    )
                ),
            ]
            assert [answer.status_code for answer in answers[:4]] == [200] * 4
            assert {
                answer.request["PATH_INFO"]: leaks(answer.content.decode(), secrets) for answer in answers
            } == {answer.request["PATH_INFO"]: [] for answer in answers}
    assert leaks(caplog.text, secrets) == []


def test_the_file_of_refused_rows_names_faults_without_values(
    handed_in: Any, caller: Caller, rows: Any, secrets: list[str]
) -> None:
    answer = caller.get(f"uploads/{handed_in.case_key}/rejects/")
    row = json.loads(b"".join(answer.streaming_content))
    assert len(row["_errors"]) >= 3
    assert leaks(json.dumps(row["_errors"], ensure_ascii=False), secrets) == []
    assert row["principal"] == rows[1]["principal"]  # the unit's own row, to be corrected and sent again


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["provider", "bureau", "ministry", "audit"])
def test_no_page_table_or_document(
    unit: Any, handed_in: Any, secrets: list[str], provider: Actor, bureau_reviewer: Actor, reader: str
) -> None:
    form = VerificationForm.unscoped.get()
    builders.compared(form, outcome="mismatch")
    builders.found(form, source=FindingSource.REPORT, field="principal")
    actor = {
        "provider": provider,
        "bureau": bureau_reviewer,
        "ministry": world.ministry(),
        "audit": world.ministry(Role.AUDIT_ADMIN),
    }[reader]
    client = Client()
    client.force_login(Person.objects.get(pk=actor.person_id), backend=BACKEND)
    found, visited = {}, set()
    for address, text in walk(client):
        visited.add(address)
        if seen := leaks(text, secrets):
            found[address] = seen
    assert found == {}
    if reader != "audit":
        assert visited >= {
            reverse(name, args=args)
            for name, args in {
                "verification-form_detail": [form.pk],
                "verification-form_list": [],
                "upload-job_detail": [handed_in.pk],
                "finding_list": [],
                "dashboard": [],
            }.items()
        }
        shown = client.get(reverse("verification-form_detail", args=[form.pk])).content.decode()
        assert "****" in shown


def walk(client: Client) -> Iterator[tuple[str, str]]:
    """Every page that links reach from the home page, every list's table, every document on record."""
    waiting, seen = deque(["/"]), {"/"}
    while waiting:
        address = waiting.popleft()
        answer = client.get(address, follow=True)
        kind = answer.get("Content-Type", "")
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if address.endswith("/rejects/"):
            continue  # the unit's own rows
        assert answer.status_code < 500, address
        yield answer.request["PATH_INFO"], readable(content, kind)  # where a redirect led
        if not kind.startswith("text/html"):
            continue
        for link in re.findall(r'href="?(/[^"#>\s]*)', content.decode()):
            link = html.unescape(link)
            shape = re.sub(r"\?.*", "", link)  # filters and sorting show the same rows again
            if shape not in seen and not shape.startswith(LEAVE):
                seen.add(shape)
                waiting.append(link)
    for machine in MACHINES:
        answer = client.post(reverse("list_export", args=[machine]), {"reason": "work"})
        yield machine, readable(answer.content, answer.get("Content-Type", ""))
    for document in Document.objects.all():
        yield document.title, readable(documents.content_of(document), document.content_type)


def readable(content: bytes, kind: str) -> str:
    """The text of an answer: PDF read back, workbooks unpacked, anything else as it is."""
    if kind == "application/pdf":
        return "".join(text_of(content).split())
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    return content.decode(errors="replace")
