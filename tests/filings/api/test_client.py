"""The client for pilot units, against the running portal: it finishes whatever happens, and doubles nothing."""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_started
from django.test import Client

from filings import client
from filings.enums import JobState
from filings.models import UploadJob, VerificationForm
from filings.services import uploads
from pilot import clock
from pilot.enums import ApiMode
from pilot.models import ApiKey
from tests.filings.api.caller import forms, issued
from tests.filings.api.proxy import Fault, Proxy, cut_answer, cut_request, passes

pytestmark = pytest.mark.django_db(transaction=True)
PROGRAM = Path(client.__file__)
FAST = 0.01


class Desk:
    """A unit's machine: a folder of files, a key, and a worker at the portal that works whenever the client waits."""

    def __init__(self, folder: Path, url: str, secret: str) -> None:
        self.folder, self.url = folder, url
        self.key_file = folder.parent / "key.txt"
        self.key_file.write_text(secret + "\n", encoding="utf-8")
        self.pauses: list[float] = []

    def put(self, name: str, rows: list[Any]) -> Path:
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        file = self.folder / name
        file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return file

    def pause(self, seconds: float) -> None:
        """The client waits; meanwhile a worker does what there is to do."""
        self.pauses.append(seconds)
        work()

    def words(self, command: str, *more: str, url: str = "") -> list[str]:
        place = [] if command == "accuracy" else [str(self.folder)]
        return [command, *place, *more, "--url", url or self.url, "--key-file", str(self.key_file)]

    def run(self, command: str = "send", *more: str, url: str = "") -> int:
        return client.main(self.words(command, *more, url=url), sleep=self.pause)

    def summary(self) -> list[dict[str, Any]]:
        kept: list[dict[str, Any]] = json.loads(
            (self.folder / client.SUMMARY_FILE).read_text(encoding="utf-8")
        )
        return kept


def work() -> None:
    """Process every open job."""
    for job in UploadJob.unscoped.filter(state=JobState.RECEIVED):
        uploads.process(job_id=job.pk)


def stored() -> tuple[int, int]:
    """Jobs and forms."""
    return UploadJob.unscoped.count(), VerificationForm.unscoped.count()


@pytest.fixture
def desk(unit: Any, live_server: Any, tmp_path: Path) -> Desk:
    folder = tmp_path / "forms"
    folder.mkdir()
    return Desk(folder, live_server.url, issued(unit).secret)


@pytest.fixture
def broken_line(live_server: Any) -> Iterator[Callable[..., str]]:
    """The address of the portal behind a line with the given faults, one per connection."""
    opened: list[Proxy] = []

    def make(*faults: Fault) -> str:
        opened.append(Proxy(live_server.thread.port, *faults))
        return opened[-1].url

    yield make
    for proxy in opened:
        proxy.close()


# --- what it is ---------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=False)
def test_one_file_of_the_standard_library_for_python_3_9() -> None:
    answer = Client().get("/api/client.py")
    text = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert (answer["Content-Disposition"], text) == (
        'attachment; filename="pilot_client.py"',
        PROGRAM.read_bytes(),
    )
    tree = ast.parse(text, feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported - sys.stdlib_module_names == set()


# --- where refused rows go ------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=False)
def test_rejects_of_two_folders_never_take_each_others_place(tmp_path: Path) -> None:
    """In one folder for all every file has a name of its own, the same one at the next run."""
    out = tmp_path / "out"
    north, south = tmp_path / "north" / "forms.csv", tmp_path / "south" / "forms.csv"
    names = [client.rejects_file(file, "csv", out).name for file in (north, south, north)]
    assert names[0] == names[2] != names[1]
    assert [name[:6] + name[14:] for name in names[:2]] == ["forms..rejects.csv"] * 2
    assert client.rejects_file(south, "csv", None) == south.with_name("forms.rejects.csv")
    assert client.rejects_file(Path("a/forms.csv.gz"), "csv", None) == Path("a/forms.csv.gz.rejects.csv")


# --- the normal day ------------------------------------------------------------------------------------
def test_a_folder_is_sent_and_refused_rows_come_back(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, more = forms(3)
    bad["verifier_name"] = ""
    desk.put("a.ndjson", [good, bad])
    desk.put("b.jsonl.gz", [more])
    desk.put("a.rejects.ndjson", [{}])  # of an earlier day: sent only when named
    (desk.folder / "notes.txt").write_text("no forms", encoding="utf-8")
    assert desk.run() == client.SOME_REFUSED
    rejects = [json.loads(line) for line in (desk.folder / "a.rejects.ndjson").read_bytes().splitlines()]
    assert [(row["form_no"], row["_errors"][0]["field"]) for row in rejects] == [
        (bad["form_no"], "/verifier_name")
    ]
    assert [(Path(one["file"]).name, one["accepted"], one["rejected_rows"]) for one in desk.summary()] == [
        ("a.ndjson", 1, 1),
        ("b.jsonl.gz", 1, 0),
    ]
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"a.ndjson: 2 行，接收 1，重复 0，拒绝 1；被拒行见 {desk.folder / 'a.rejects.ndjson'}",
        "b.jsonl.gz: 1 行，接收 1，重复 0，拒绝 0",
    ]
    # Corrected in place and sent by name; the folder again changes nothing.
    rejects[0]["verifier_name"] = good["verifier_name"]
    corrected = desk.put("a.rejects.ndjson", rejects)
    assert client.main(desk.words("send", str(corrected)), sleep=desk.pause) == client.SOME_REFUSED
    assert (desk.summary()[-1]["accepted"], stored()) == (1, (3, 3))
    desk.pauses.clear()
    assert (desk.run("send", "--language", "en"), desk.pauses, stored()) == (client.SOME_REFUSED, [], (3, 3))
    assert (
        capsys.readouterr().out.splitlines()[-1] == "b.jsonl.gz: 1 rows, 1 accepted, 0 duplicates, 0 refused"
    )


def test_a_trial_stores_nothing_and_tells_the_errors(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = forms(2)
    bad["verifier_name"] = ""
    desk.put("a.ndjson", [good, bad])
    assert desk.run("check") == client.SOME_REFUSED
    assert [error["field"] for row in desk.summary()[0]["rejected"] for error in row["errors"]] == [
        "/verifier_name"
    ]
    assert (VerificationForm.unscoped.count(), (desk.folder / client.STATE_FILE).exists()) == (0, False)
    assert "a.ndjson: 2 行，接收 1，重复 0，拒绝 1（试运行，未保存）" in capsys.readouterr().out
    assert desk.run("send") == client.SOME_REFUSED
    assert VerificationForm.unscoped.count() == 1


def test_a_test_key_does_not_stand_for_the_live_one(unit: Any, desk: Desk) -> None:
    desk.put("a.ndjson", forms())
    live = desk.key_file.read_text(encoding="utf-8")
    desk.key_file.write_text(issued(unit, ApiMode.TEST).secret, encoding="utf-8")
    assert (desk.run(), stored()) == (client.ACCEPTED, (1, 0))
    desk.key_file.write_text(live, encoding="utf-8")
    assert (desk.run(), stored()) == (client.ACCEPTED, (2, 1))


def test_figures(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run("accuracy", "--period", "2019-06") == client.ACCEPTED
    assert capsys.readouterr().out.splitlines()[1:] == [
        "M1 主体身份信息准确率: -- (0 / 0)",
        "M2 核验单信息准确率: -- (0 / 0)",
    ]
    assert desk.run("accuracy", "--period", "June", "--language", "en") == client.UNFINISHED
    assert capsys.readouterr().err.startswith("Could not finish: 400 request.parameters ")


# --- what it says when it cannot -----------------------------------------------------------------------
def test_what_stands_in_the_way_is_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.put("a.ndjson", forms())
    secret = desk.key_file.read_text(encoding="utf-8")

    def run_with(key: str = secret, url: str = "") -> str:
        desk.key_file.write_text(key, encoding="utf-8")
        assert desk.run("send", "--language", "en", url=url) == client.UNFINISHED
        return capsys.readouterr().err.strip().removeprefix("Could not finish: ")

    assert run_with("live_00000000_x").startswith("401 auth.key ")
    assert run_with("\ufefflive_00000000_x\r\n").startswith("401 auth.key ")
    assert run_with("two keys") == "The key file must hold one key and nothing else"
    assert run_with(url="http://portal.example.cn") == (
        "A key must not travel in clear: use https, or say --plain-http"
    )
    assert run_with(url="portal.example.cn") == "--url must be an https:// address"
    (desk.folder / client.STATE_FILE).write_text("{", encoding="utf-8")
    assert run_with().startswith("The state file is damaged")
    assert stored() == (0, 0)


def test_a_file_refused_as_a_whole_does_not_stop_the_others(desk: Desk) -> None:
    (desk.folder / "a.csv").write_text("nothing,of,the,kind\n", encoding="utf-8")
    desk.put("b.ndjson", forms())
    assert desk.run() == client.SOME_REFUSED
    first, second = desk.summary()
    assert (first["refused"].split()[:2], second["accepted"]) == (["422", "file.no_header"], 1)


def test_a_job_that_failed_is_sent_anew_by_the_next_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("a.ndjson", forms())
    with monkeypatch.context() as damaged:
        damaged.setattr(desk, "pause", lambda _seconds: (lose_files(), work()))
        assert desk.run() == client.UNFINISHED
    assert (desk.run(), stored()) == (client.ACCEPTED, (2, 1))


@pytest.mark.parametrize("command", ["send", "check"])
def test_a_file_that_is_itself_at_fault_is_not_sent_again_until_it_changes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Whoever runs the client every hour learns of it, and does not send a large file every hour."""
    monkeypatch.setattr(uploads, "CHUNK_ROWS", 1)
    monkeypatch.setattr(uploads, "MOST_REFUSED", 0)
    (form,) = forms()
    desk.put("a.ndjson", [{"form_no": ""}, form])
    runs = 2 if command == "send" else 1
    assert [desk.run(command, "--language", "en") for _run in range(runs)] == [client.SOME_REFUSED] * runs
    assert stored() == (1, 0)
    assert "; broken off: 0 rows were not accepted" in capsys.readouterr().out.splitlines()[-1]
    desk.put("a.ndjson", [form])
    assert (desk.run(command), UploadJob.unscoped.count()) == (client.ACCEPTED, 2)


class Twice:
    """A portal whose first job fails after a row was refused; the second refuses rows of its own."""

    url, mode = "https://pilot.example", "live"

    def __init__(self, file: Path) -> None:
        self.sent, self.sha256 = 0, client.digest_of(file)

    def request(self, *_asked: Any) -> client.Reply:
        self.sent += 1
        state = "failed" if self.sent == 1 else "done"
        job = {"state": state, "done": True, "sha256": self.sha256, "format": "ndjson"}
        return client.Reply(202, {}, json.dumps({**job, "url": "/job/", "rejects": "/rejects/"}).encode())

    def get(self, _address: str) -> client.Reply:
        return client.Reply(200, {}, f"rejects of {self.sent}".encode())


@pytest.mark.django_db(transaction=False)
def test_refused_rows_of_a_job_sent_anew_replace_those_of_the_one_that_failed(tmp_path: Path) -> None:
    words = client.Words("en")
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"{}")
    options = argparse.Namespace(encoding="utf-8", out=None, pause=FAST, timeout=1)
    portal: Any = Twice(file)
    sender = client.Sender(portal, options, words, client.State(tmp_path / client.STATE_FILE, words))
    seen = []
    for _run in range(3):
        job = sender.deliver(file)
        seen.append((job["state"], (tmp_path / "a.rejects.ndjson").read_text()))
    assert (seen, portal.sent) == (
        [("failed", "rejects of 1"), ("done", "rejects of 2"), ("done", "rejects of 2")],
        2,
    )


@pytest.mark.parametrize("command", ["send", "accuracy"])
def test_an_answer_of_somebody_else_on_the_line_is_no_success(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A captive portal answers everything with 200 and a page of its own."""
    desk.put("a.ndjson", forms())
    stranger = client.Reply(202 if command == "send" else 200, {}, b"<html>Please sign in</html>")
    door = client.Reply(200, {}, b"{}")
    monkeypatch.setattr(
        client.Portal,
        "request",
        lambda _portal, _method, path, *_more: door if path == "uploads/" else stranger,
    )
    assert (desk.run(command), stored()) == (client.UNFINISHED, (0, 0))


def lose_files() -> None:
    from filings.services import spool

    for job in UploadJob.unscoped.filter(state=JobState.RECEIVED):
        spool.remove(job.case_key)


# --- the line breaks -----------------------------------------------------------------------------------
def test_a_line_that_breaks_in_the_middle(desk: Desk, broken_line: Callable[..., str]) -> None:
    """First while the file goes up, then while the answer comes back: one job, one form."""
    desk.put("a.ndjson", forms(200))
    url = broken_line(cut_answer(), passes, cut_request(100_000), cut_answer(), passes)
    assert desk.run(url=url) == client.SOME_REFUSED
    assert (UploadJob.unscoped.count(), desk.summary()[0]["rows"]) == (1, 200)


def _nothing(caller: Any, portal: Any) -> None:
    """The portal takes the connection and says nothing."""


def test_patience_ends(desk: Desk, broken_line: Callable[..., str]) -> None:
    desk.put("a.ndjson", forms())
    assert desk.run("send", "--attempts", "3", url=broken_line(*[_nothing] * 3)) == client.UNFINISHED
    assert [0.5 <= desk.pauses[0] <= 1, 1 <= desk.pauses[1] <= 2, len(desk.pauses)] == [True, True, 2]
    assert (desk.run(), stored()) == (client.ACCEPTED, (1, 1))


def test_it_waits_as_long_as_the_portal_asks(desk: Desk, settings: Any) -> None:
    """The portal's answer 429 names the seconds; the fourth call of the minute waits them out."""
    settings.PILOT_API_RATE = 2
    desk.put("a.ndjson", forms())

    def pause(seconds: float) -> None:
        desk.pauses.append(seconds)
        work()
        if seconds > 10:  # the minute is over
            past = clock.security_now() - timedelta(minutes=2)
            ApiKey.unscoped.update(window_started=past)

    assert client.main(desk.words("send"), sleep=pause) == client.ACCEPTED
    first, asked = desk.pauses
    assert (first, 50 <= asked <= 60, stored()) == (1.0, True, (1, 1))


@pytest.mark.parametrize("failing", [500, 503])
def test_faults_of_the_portal_are_waited_out(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    from django.db import OperationalError

    left = [RuntimeError if failing == 500 else OperationalError] * 2
    take = uploads.receive_waiting

    def sometimes(**fields: Any) -> Any:
        if left:
            raise left.pop()
        return take(**fields)

    monkeypatch.setattr(uploads, "receive_waiting", sometimes)
    desk.put("a.ndjson", forms())
    assert (desk.run(), stored()) == (client.ACCEPTED, (1, 1))
    assert desk.pauses[0] >= (0.5 if failing == 500 else 5)


# --- killed --------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_killed_before_the_answer_came_and_run_again(desk: Desk, broken_line: Callable[..., str]) -> None:
    """The portal has the second file, the client never hears of it and is dead; the next run doubles nothing."""
    for number, form in enumerate(forms(3)):
        desk.put(f"{number}.ndjson", [form])
    running: list[subprocess.Popen[bytes]] = []
    url = broken_line(*[passes] * 3, cut_answer(then=lambda: running[0].kill()))
    received: list[Any] = []

    def process_first(**_fields: Any) -> None:  # the first file is asked for until it is done
        received.append(1)
        if len(received) == 3:
            work()

    request_started.connect(process_first)
    try:
        command = [sys.executable, str(PROGRAM), *desk.words("send", "--pause", str(FAST), url=url)]
        running.append(subprocess.Popen(command, env={"PATH": os.environ["PATH"]}))
        assert running[0].wait(60) == -signal.SIGKILL
    finally:
        request_started.disconnect(process_first)
    assert UploadJob.unscoped.count() == 2
    assert len(json.loads((desk.folder / client.STATE_FILE).read_text(encoding="utf-8"))["files"]) == 1
    assert (desk.run(url=url), stored()) == (client.ACCEPTED, (3, 3))
    assert [one["accepted"] for one in desk.summary()] == [1, 1, 1]
