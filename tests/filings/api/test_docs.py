"""The description of the API: pages that say what holds, and examples that run as they are printed."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.signals import request_started
from django.test import Client
from django.urls import reverse

from filings import api_docs, rules, writers
from filings.api import bodies
from filings.enums import JobState
from filings.models import UploadJob, VerificationForm
from filings.rules import ERRORS, FILE_FAULTS, JOB_FAULTS
from filings.services import uploads
from pilot import policy, problems
from pilot.api import schema as pieces
from tests.filings.api.caller import Caller, forms, issued

EXAMPLES = api_docs.EXAMPLES
COMMANDS = {".sh": ["sh"], ".py": [sys.executable], ".java": ["java"]}


# --- the page -------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_names_every_code_and_shows_the_examples_as_they_are(programme: Any, language: str) -> None:
    page = Client().get(reverse("api_docs"), headers={"Accept-Language": language}).content.decode()
    printed = [
        html.unescape(text) for text in re.findall(r'<pre id="example-[^"]*"[^>]*>(.*?)</pre>', page, re.S)
    ]
    files = ["form.json", "forms.sh", "forms.py", "Forms.java", "upload.sh", "upload.py", "Upload.java"]
    assert printed == [(EXAMPLES / name).read_text(encoding="utf-8") for name in files]
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.is_file()) == sorted(files)
    missing = [
        code for code in [*problems.PROBLEMS, *ERRORS, *FILE_FAULTS, *JOB_FAULTS] if f">{code}<" not in page
    ]
    assert missing == []
    anchors = re.findall(r'<li><a href="#([^"]+)"', page)
    assert [name for name in anchors if f'id="{name}"' not in page] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-hans", ["数据类型应为所规定的类型", "长度应为 m 至 n 个字符", "缺少必需的影像：所缺影像的用途"]),
        ("en", ["The value must be of the type asked for", "The length must be m to n characters"]),
    ],
)
def test_the_list_of_codes_speaks_in_general_words(language: str, words: list[str]) -> None:
    said = {code: rules.general(code, language) for code in [*ERRORS, *FILE_FAULTS, *JOB_FAULTS]}
    assert [text for text in said.values() if "{" in text] == []
    assert [text for text in words if text not in said.values()] == []


@pytest.mark.django_db
def test_the_page_of_a_code_explains_it(programme: Any) -> None:
    pages = {code: Client().get(f"/api/problems/{code}/") for code in problems.PROBLEMS}
    assert {code: page.status_code for code, page in pages.items()} == dict.fromkeys(problems.PROBLEMS, 200)
    assert problems.PROBLEMS["auth.key"].zh in pages["auth.key"].content.decode()
    assert Client().get("/api/problems/unheard.of/").status_code == 404


def test_a_code_is_told_with_what_to_do_and_stands_by_its_status(db: None) -> None:
    page = Client().get("/api/problems/rate.limit/").context["page"]
    facts, table = page.sections
    assert [(fact.label, fact.value) for fact in facts.facts] == [
        ("代码", "rate.limit"),
        ("HTTP 状态", 429),
        ("怎么办", "等待 Retry-After 所示秒数后原样重发"),
    ]
    assert [crumb.label for crumb in page.crumbs] == ["首页", "接口说明"]
    statuses = [row.cells[1] for row in table.rows]
    assert statuses == sorted(statuses)


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-hans", ["上报核验单", "查询结果"]), ("en", ["Upload verification forms", "Read results"])],
)
def test_headings_are_in_the_language_of_the_reader_and_tags_in_none(
    db: None, language: str, words: list[str]
) -> None:
    client = Client(headers={"accept-language": language})
    document = client.get(reverse("api_schema"), {"format": "json"}).json()
    tags = {tag for path in document["paths"].values() for method in path.values() for tag in method["tags"]}
    assert tags == {"forms", "figures"}
    assert [(tag["name"], tag["description"]) for tag in document["tags"]] == list(
        zip(["forms", "figures"], words, strict=True)
    )


# --- the schema -----------------------------------------------------------------------------------------
def test_the_schema_is_valid_and_without_warnings(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


@pytest.mark.django_db
def test_every_operation_documents_every_error() -> None:
    document = Client().get(reverse("api_schema"), {"format": "json"}).json()
    assert document["openapi"].startswith("3.1")
    stated = {
        (path, method.upper()): sorted(map(int, operation["responses"]))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert len(stated) == sum(len(methods) for methods in policy.api().values())
    always = {400, 401, 403, 405, 429, 500, 503}
    wrong = {}
    for (path, method), statuses in stated.items():
        own = {200, 408, 409, 413, 415, 422, 507} if method == "POST" else {200}
        if path.endswith("uploads/") and method == "POST":
            own = own - {200} | {202}
        own |= {404} if "{key}" in path else set()
        own |= {410} if path.endswith("rejects/") else set()
        if statuses != sorted(always | own):
            wrong[path, method] = sorted(always | own)
    assert wrong == {}


@pytest.mark.django_db
def test_an_upload_may_be_of_every_type_that_is_described(unit: Any) -> None:
    """And of no other: each is taken as far as its content, which is no form."""
    document = Client().get(reverse("api_schema"), {"format": "json"}).json()
    described = document["paths"]["/api/v1/uploads/"]["post"]["requestBody"]["content"]
    caller = Caller(issued(unit).secret)
    assert sorted(described) == sorted(bodies.TYPES)
    assert {kind: caller.post("uploads/", b"-", content_type=kind).status_code for kind in described} == {
        kind: 400 if kind == bodies.MULTIPART else 422 for kind in described
    }
    assert caller.post("uploads/", b"-", content_type="text/plain").status_code == 415
    assert described[bodies.MULTIPART]["schema"]["required"] == [bodies.PART]


def test_every_status_a_code_has_is_one_that_is_described() -> None:
    described = {
        int(status)
        for status, _kind in pieces.refusals(
            *(400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 429, 500, 503, 507)
        )
    }
    assert {int(meaning.status) for meaning in problems.PROBLEMS.values()} == described


# --- the examples ---------------------------------------------------------------------------------------
class Worker:
    """Processes what was handed in as soon as somebody asks about it."""

    def __call__(self, **_fields: Any) -> None:
        for job in UploadJob.unscoped.filter(state=JobState.RECEIVED):
            uploads.process(job_id=job.pk)


def run(name: str, argument: Path, *, url: str, secret: str) -> subprocess.CompletedProcess[str]:
    """Run an example as its reader does, with the address and the key in the environment."""
    path = EXAMPLES / name
    own = {"PILOT_URL": url, "PILOT_KEY": secret, "PILOT_PAUSE": "0.01"}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **own}
    words = [*COMMANDS[path.suffix], str(path), str(argument)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)


def can_run(name: str) -> bool:
    """Java need not be on the machine that tests; shell, curl and Python must be."""
    return not name.endswith(".java") or shutil.which("java") is not None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["forms.sh", "forms.py", "Forms.java"])
def test_the_example_that_hands_in_a_form(unit: Any, live_server: Any, name: str) -> None:
    """Run twice: the second time the answer is a replay. Where there is no ``java``, its file is still held to be
    the text that the page shows (:func:`test_the_page_names_every_code_and_shows_the_examples_as_they_are`), and
    here to be what the page prints for that language."""
    if not can_run(name):
        assert name in [example.name for example in api_docs.examples("forms")]
        return
    secret, form = issued(unit).secret, EXAMPLES / "form.json"
    first, again = (run(name, form, url=live_server.url, secret=secret) for _ in range(2))
    assert (first.returncode, again.returncode, first.stdout) == (0, 0, again.stdout), first.stderr
    shown = "accepted 1 duplicates 0" if name == "forms.py" else '"accepted":1,"duplicates":0'
    assert shown in first.stdout
    assert (VerificationForm.unscoped.count(), UploadJob.unscoped.count()) == (1, 1)
    refused = run(name, form, url=live_server.url, secret="live_00000000_x")
    assert refused.returncode != 0


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["upload.sh", "upload.py", "Upload.java"])
def test_the_example_that_hands_in_a_file(unit: Any, live_server: Any, tmp_path: Path, name: str) -> None:
    """As above: without ``java`` the file is only held to be the one that the page shows."""
    if not can_run(name):
        assert name in [example.name for example in api_docs.examples("upload")]
        return
    rows = forms(3)
    rows[1]["verifier_name"] = ""
    file = tmp_path / "核验单.csv"
    with file.open("wb") as out:
        writers.write_csv(rows, out, writers.columns_of(rows))
    worker = Worker()
    request_started.connect(worker)
    try:
        done = run(name, file, url=live_server.url, secret=issued(unit).secret)
    finally:
        request_started.disconnect(worker)
    assert done.returncode == 0, done.stderr
    job = UploadJob.unscoped.get()
    assert (job.state, job.accepted, job.rejected_rows, job.source_name) == ("done", 2, 1, file.name)
    if name == "upload.py":
        kept = file.with_name("核验单.rejects.csv").read_text(encoding="utf-8")
        assert "/verifier_name" in kept
    else:
        assert json.loads(done.stdout)["rejected_rows"] == 1
